"""The files of a bundle: their names, the keys of `model.json`, and how they are checked."""

import hashlib
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from vlfau.errors import BundleError
from vlfau.files.records import parse_json
from vlfau.language.descriptions_file import DESCRIPTIONS_FILE

__all__ = [
    "CARD_FILE",
    "CHECKPOINT_FILE",
    "FILES",
    "FORMATS",
    "GLOBAL_FILES",
    "LOCAL_FILES",
    "MODEL_FILE",
    "VISION_FILE",
    "check_files",
    "file_sha256",
    "read_model_json",
]

MODEL_FILE: Final = "model.json"
FORMATS: Final = (1, 2)
"""Supported formats, without and with descriptions."""

VISION_FILE: Final = "vision.onnx"
LOCAL_FILES: Final = ("local_init.onnx", "local_step.onnx")
GLOBAL_FILES: Final = ("global_init.onnx", "global_step.onnx")
CARD_FILE: Final = "model-card.md"
CHECKPOINT_FILE: Final = "checkpoint.json"
"""The metadata file of a checkpoint folder."""
FILES: Final = (VISION_FILE, *LOCAL_FILES, *GLOBAL_FILES, DESCRIPTIONS_FILE)
"""All files that `model.json` may name."""


def read_model_json(path: Path) -> dict[str, Any]:
    """Read a `model.json` and check its format and keys.

    Raises:
        BundleError: It cannot be read, or is wrong.
    """
    try:
        table = parse_json(path.read_text("utf-8"))
    except FileNotFoundError:
        raise BundleError(
            f"{path.parent} is neither a bundle nor a checkpoint: it has neither {path.name} nor {CHECKPOINT_FILE}; "
            "give a folder written by `vlfau export`, or the checkpoint in one written by `vlfau train`"
        ) from None
    except NotADirectoryError:
        raise BundleError(
            f"{path.parent} is a file, and a bundle or checkpoint is a folder; give the folder that holds it"
        ) from None
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}); check the path and its permissions") from None
    except ValueError as error:
        raise BundleError(f"{path} is not JSON ({error}); copy or export the bundle again") from None
    if not isinstance(table, dict):
        raise BundleError(f"{path} is not a JSON object; copy or export the bundle again")
    if table.get("format") not in FORMATS:
        raise BundleError(
            f"{path} has format {table.get('format')!r}, this vlfau reads format {' and '.join(map(str, FORMATS))}; "
            "export the bundle again, or install the version of vlfau that wrote it"
        )
    _check_keys(table, path)
    return table


def check_files(folder: Path, files: Mapping[str, str]) -> None:
    """Check that all files of a bundle exist and match its `model.json`.

    Raises:
        BundleError: They are not.
    """
    unknown = sorted(files.keys() - set(FILES))
    if unknown:
        raise BundleError(
            f"{folder / MODEL_FILE} names {unknown[0]!r}, allowed are only {', '.join(FILES)}; export it again"
        )
    pairs = (LOCAL_FILES, GLOBAL_FILES)
    wanted = {
        VISION_FILE,
        *(files.keys() & {DESCRIPTIONS_FILE}),
        *(name for pair in pairs if files.keys() & set(pair) for name in pair),
    }
    for name in sorted(wanted):
        path = folder / name
        if name not in files or not path.is_file():
            raise BundleError(f"bundle {folder} lacks {name}; copy or export it again")
        if file_sha256(path) != files[name]:
            raise BundleError(f"{path} is not the file that model.json describes; copy or export the bundle again")


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a model file, in hexadecimal.

    Raises:
        BundleError: It cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}); check its permissions") from None


def _check_keys(table: Mapping[str, Any], path: Path) -> None:
    """Check that no key is missing or unknown, and that every value has the right type.

    Raises:
        BundleError: One is not.
    """
    unknown, missing = sorted(table.keys() - _KINDS.keys()), sorted(_KINDS.keys() - table.keys())
    if unknown or missing:
        what = f"an unknown key {unknown[0]!r}" if unknown else f"no key {missing[0]!r}"
        raise BundleError(f"{path} has {what}; export the bundle again")
    for key, (kind, fits) in _KINDS.items():
        if not fits(table[key]):
            raise BundleError(f"{path}: {key!r} must be {kind}; export the bundle again")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _is_plain(value: object) -> bool:
    """Return whether a value can be written as JSON: NaN and infinity cannot."""
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return not isinstance(value, float) or math.isfinite(value)


def _list_of(fits: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(map(fits, value))


def _is_free(value: object) -> bool:
    return isinstance(value, dict) and _is_plain(value)


def _is_training(value: object) -> bool:
    return isinstance(value, dict) and _is_plain(value) and isinstance(value.get("synthetic"), bool)


def _is_crop(value: object) -> bool:
    if not isinstance(value, dict) or value.keys() != {"aligned_size", "crop_size"}:
        return False
    aligned_size, crop_size = value["aligned_size"], value["crop_size"]
    return _is_count(aligned_size) and _is_count(crop_size) and 0 < crop_size <= aligned_size


def _is_files(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


_KINDS: Final[Mapping[str, tuple[str, Callable[[Any], bool]]]] = {
    "format": ("a whole number", _is_count),
    "name": ("a text", _is_text),
    "version": ("a text", _is_text),
    "licence": ("a text", _is_text),
    "created": ("a text", _is_text),
    "note": ("a text", _is_text),
    "au_ids": ("a list of FACS numbers", _list_of(_is_count)),
    "thresholds": ("a list of numbers from 0 to 1", _list_of(_is_share)),
    "crop": ("'aligned_size' and, no larger, 'crop_size' in pixels", _is_crop),
    "vocabulary": ("a list of texts", _list_of(_is_text)),
    "max_local_length": ("a whole number", _is_count),
    "max_global_length": ("a whole number", _is_count),
    "training": ("an object with at least the key 'synthetic', true or false", _is_training),
    "scores": ("an object", _is_free),
    "files": ("an object of file names and their SHA-256", _is_files),
}
