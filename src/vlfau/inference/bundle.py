"""Bundles: models as a folder or by name, with `model.json`, ONNX graphs, and the descriptions that the model learned.

The files have fixed names, and a bundle may lack the local caption decoder, the global one, or both. A bundle with
captions carries the descriptions that it was trained on (`descriptions.json`, format 2); bundles of earlier versions do
not (format 1). Reading a bundle executes no code: every key of the JSON and the SHA-256 of every file are checked. A
training checkpoint is read as a bundle without graphs, see `vlfau.inference.checkpoint`.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any, Final

from vlfau.errors import BundleError, ConfigError, DescriptionError
from vlfau.faces import CropGeometry
from vlfau.facs import check_au_ids
from vlfau.files.atomic import replacing
from vlfau.files.names import is_url, missing_file
from vlfau.inference.schema import (
    CARD_FILE,
    CHECKPOINT_FILE,
    FILES,
    GLOBAL_FILES,
    LOCAL_FILES,
    MODEL_FILE,
    check_files,
    file_sha256,
    read_model_json,
)
from vlfau.language import Descriptions, Vocabulary
from vlfau.language.descriptions_file import DESCRIPTIONS_FILE, read_model_descriptions, write_descriptions

__all__ = [
    "Bundle",
    "BundleInfo",
    "bundle_folders",
    "load_bundle",
    "model_folder",
    "write_model_json",
]

_DEFAULT_MODEL: Final = "default"
_MODELS_VARIABLE: Final = "VLFAU_MODELS"
"""Environment variable with folders of bundles, separated as in PATH."""


@dataclass(frozen=True, kw_only=True)
class BundleInfo:
    """Metadata of a bundle's model.

    Attributes:
        name: Name of the model.
        version: Version of the model.
        licence: Licence of the weights.
        created: Date, such as 2026-01-31.
        note: What users should know first; may be empty.
        au_ids: (N,), FACS numbers in the order of the outputs.
        thresholds: (N,), the probability from which each AU counts as occurring.
        crop: Geometry of the aligned crop.
        vocabulary: Tokens of the captions, as returned by `Vocabulary.to_list`; empty without captions.
        max_local_length: Maximum number of tokens of a local caption, including the end token; 0 without local
            captions.
        max_global_length: The same for the global caption.
        training: How the weights were trained: `data`, `synthetic` (bool), `from_scratch` (bool), ...
        scores: Evaluation results.
        descriptions: The descriptions of its AUs that the model was trained on, from a separate file. For a bundle of
            an earlier version, which has none, the package's own if the vocabulary has all their words, otherwise None.
            None without captions.
    """

    name: str
    version: str
    licence: str
    created: str
    note: str = ""
    au_ids: tuple[int, ...]
    thresholds: tuple[float, ...]
    crop: CropGeometry
    vocabulary: tuple[str, ...] = ()
    max_local_length: int = 0
    max_global_length: int = 0
    training: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    descriptions: Descriptions | None = None

    @property
    def is_synthetic(self) -> bool:
        """Whether the model was trained on synthetic faces only."""
        return bool(self.training.get("synthetic", False))

    @property
    def fold(self) -> int | None:
        """The fold left out of training; None if there is none or it is not recorded."""
        fold = self.training.get("fold")
        return fold if isinstance(fold, int) else None

    @property
    def warning(self) -> str:
        """Warning for users of its results; empty for a model trained on real faces."""
        if not self.is_synthetic:
            return ""
        return f"model {self.name} {self.version} learned its AUs from synthetic faces only; don't rely on its results"

    @property
    def words_warning(self) -> str:
        """Warning that captions cannot be made to agree with the states; empty if they can."""
        if self.descriptions is not None or not self.vocabulary:
            return ""
        return (
            f"model {self.name} {self.version} lacks the descriptions that it was trained on, and those of this vlfau "
            "differ, so its captions may contradict the states; export it again with its own version of vlfau"
        )

    def identity(self) -> dict[str, Any]:
        """Return the description of the model for result files, as JSON-compatible data."""
        return {
            "name": self.name,
            "version": self.version,
            "synthetic": self.is_synthetic,
            "au_ids": list(self.au_ids),
        }


@dataclass(frozen=True)
class Bundle:
    """A checked bundle, or a checkpoint.

    Attributes:
        folder: Its folder.
        info: The content of `model.json`, or of a checkpoint's metadata.
        files: SHA-256 (hexadecimal) of each graph or weights file and of the descriptions, by file name.
    """

    folder: Path
    info: BundleInfo
    files: Mapping[str, str]

    @property
    def is_checkpoint(self) -> bool:
        """Whether it is a checkpoint, which has no graphs and runs on torch."""
        return CHECKPOINT_FILE in self.files

    @property
    def has_local_captions(self) -> bool:
        """Whether it has a local caption decoder."""
        return LOCAL_FILES[0] in self.files or (self.is_checkpoint and self.info.max_local_length > 0)

    @property
    def has_global_captions(self) -> bool:
        """Whether it has a global caption decoder."""
        return GLOBAL_FILES[0] in self.files or (self.is_checkpoint and self.info.max_global_length > 0)

    @property
    def has_captions(self) -> bool:
        """Whether it has any caption decoder."""
        return self.has_local_captions or self.has_global_captions

    @property
    def card(self) -> Path | None:
        """The model card beside the graphs, or None."""
        path = self.folder / CARD_FILE
        return path if path.is_file() else None

    def path(self, name: str) -> Path:
        """Return the path of one of its graphs."""
        return self.folder / name


def bundle_folders() -> Mapping[str, Path]:
    """Return the folder of every bundle that can be loaded by name; the first of equal names counts."""
    own = Path(str(resources.files("vlfau"))) / "weights"
    named = [part for part in os.environ.get(_MODELS_VARIABLE, "").split(os.pathsep) if part]
    further = [Path(os.path.expanduser(part)) for part in named]  # noqa: PTH111 - Path's fails where no such user is
    found: dict[str, Path] = {}
    for parent in (own, *further):
        for path in sorted(parent.glob(f"*/{MODEL_FILE}")):
            found.setdefault(path.parent.name, path.parent)
    return found


def model_folder(model: str | Path | None) -> Path:
    """Return the folder of a model.

    Args:
        model: Folder of a bundle or a checkpoint, or the name of a bundle; None is the default model.

    Raises:
        BundleError: There is no such folder or name.
    """
    # Path.exists fails where a name is too long for a path.
    if model is not None and os.path.exists(model):  # noqa: PTH110
        return Path(model)
    if model is not None and is_url(model):
        raise BundleError(missing_file("model", model, give="its folder"))
    found, name = bundle_folders(), _DEFAULT_MODEL if model is None else str(model)
    if name not in found:
        raise BundleError(
            f"{name} is neither a bundle nor a checkpoint: there is no such folder, and no model of this name; choose "
            f"among {', '.join(found) or 'none'}, or name a folder"
        )
    return found[name]


def load_bundle(model: str | Path | None = None) -> Bundle:
    """Read and check a bundle, or the metadata of a checkpoint.

    Args:
        model: Folder of a bundle or a checkpoint, or the name of a bundle; None is the default model.

    Raises:
        BundleError: It is neither, or the bundle has another format, is damaged, or is inconsistent.
        CheckpointError: The checkpoint is damaged.
        MissingExtraError: Loading a checkpoint needs the extra `train`.
    """
    folder = model_folder(model)
    if (folder / CHECKPOINT_FILE).is_file():
        from vlfau.inference.checkpoint import read_checkpoint  # noqa: PLC0415 - needs the extra `train`

        return read_checkpoint(folder)
    path = folder / MODEL_FILE
    table = read_model_json(path)
    info = _to_info(table, path)
    files: dict[str, str] = table["files"]
    check_files(folder, files)
    if (table["format"] == 1) == (DESCRIPTIONS_FILE in files):
        raise BundleError(
            f"{path} has format {table['format']} and names {'a' if DESCRIPTIONS_FILE in files else 'no'} "
            f"{DESCRIPTIONS_FILE}; copy or export the bundle again"
        )
    bundle = Bundle(folder, replace(info, descriptions=_descriptions(folder, info, files)), dict(files))
    _check_captions(bundle, path)
    return bundle


def write_model_json(folder: Path, info: BundleInfo) -> Bundle:
    """Make a folder of graphs a bundle by writing `model.json` and the descriptions.

    Raises:
        BundleError: The graphs and the metadata do not match.
        InputError: The file cannot be written.
    """
    if info.descriptions is not None:
        write_descriptions(folder / DESCRIPTIONS_FILE, info.descriptions)
    files = {name: file_sha256(folder / name) for name in FILES if (folder / name).is_file()}
    document: dict[str, Any] = {"format": 2 if DESCRIPTIONS_FILE in files else 1}
    document |= {entry.name: getattr(info, entry.name) for entry in fields(info) if entry.name != "descriptions"}
    document |= {"crop": asdict(info.crop), "files": files}
    with replacing(folder / MODEL_FILE) as temporary:
        temporary.write_text(json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n", "utf-8")
    return load_bundle(folder)


def _to_info(table: Mapping[str, Any], path: Path) -> BundleInfo:
    values = {key: value for key, value in table.items() if key not in {"format", "files"}}
    try:
        values["au_ids"] = check_au_ids(values["au_ids"])
        values["crop"] = CropGeometry(**values["crop"])
        if values["vocabulary"]:
            values["vocabulary"] = Vocabulary.from_list(values["vocabulary"]).tokens
    except (ConfigError, DescriptionError, ValueError) as error:
        raise BundleError(f"{path}: {error}") from None
    values["vocabulary"] = tuple(values["vocabulary"])
    values["thresholds"] = tuple(map(float, values["thresholds"]))
    if len(values["thresholds"]) != len(values["au_ids"]):
        raise BundleError(
            f"{path} has {len(values['thresholds'])} thresholds for {len(values['au_ids'])} AUs; export it again"
        )
    return BundleInfo(**values)


def _descriptions(folder: Path, info: BundleInfo, files: Mapping[str, str]) -> Descriptions | None:
    if not info.vocabulary:
        return None
    try:
        vocabulary = Vocabulary.from_list(info.vocabulary)
        return read_model_descriptions(folder, info.au_ids, vocabulary, stored=DESCRIPTIONS_FILE in files)
    except DescriptionError as error:
        raise BundleError(f"bundle {folder} has descriptions that cannot be used: {error}") from None


def _check_captions(bundle: Bundle, path: Path) -> None:
    info = bundle.info
    for key, length, has_captions in (
        ("max_local_length", info.max_local_length, bundle.has_local_captions),
        ("max_global_length", info.max_global_length, bundle.has_global_captions),
    ):
        if has_captions and not (length and info.vocabulary):
            raise BundleError(f"{path} has graphs for captions, but no {key} or vocabulary; export the bundle again")
