"""A model as a folder: `model.json`, the ONNX graphs that it names, and the texts that the model learned.

The files have fixed names, and a bundle may lack the words for single AUs, for the face, or both. A bundle with words
carries the descriptions that they were learned from (`descriptions.json`, format 2); bundles of earlier versions do not
(format 1). Reading a bundle runs nothing: it is JSON, whose every key is checked, and files, whose SHA-256 is checked.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

from vlfau.errors import BundleError, ConfigError, DescriptionError
from vlfau.faces import CropGeometry
from vlfau.facs import check_au_ids
from vlfau.files.atomic import replacing
from vlfau.files.records import parse_json
from vlfau.inference.models import bundle_folder
from vlfau.inference.schema import check_keys
from vlfau.language import Descriptions, Vocabulary
from vlfau.language.carried import DESCRIPTIONS_FILE, descriptions_of, write_descriptions

__all__ = ["FORMATS", "Bundle", "BundleInfo", "load_bundle", "write_model_json"]

FORMATS: Final = (1, 2)
"""Without and with descriptions."""

VISION_FILE: Final = "vision.onnx"
LOCAL_FILES: Final = ("local_init.onnx", "local_step.onnx")
GLOBAL_FILES: Final = ("global_init.onnx", "global_step.onnx")
CARD_FILE: Final = "model-card.md"
_GRAPH_FILES: Final = (VISION_FILE, *LOCAL_FILES, *GLOBAL_FILES)
_FILES: Final = (*_GRAPH_FILES, DESCRIPTIONS_FILE)


@dataclass(frozen=True, kw_only=True)
class BundleInfo:
    """What a bundle says of its model.

    Attributes:
        name: Of the model.
        version: Of the model.
        licence: Of the weights.
        created: Day, as in 2026-01-31.
        note: What a user should know first; may be empty.
        au_ids: (N,), FACS numbers in the order of the outputs.
        thresholds: (N,), the probability from which each AU counts as occurring.
        crop: How the face is cut out for the model.
        vocabulary: The tokens of the captions, as `Vocabulary.to_list` gives them; empty without captions.
        max_local_length: The most tokens of a local caption, its end included; 0 without them.
        max_global_length: Likewise of the global caption.
        training: Where the weights come from: `data`, `synthetic` (bool), `from_scratch` (bool), ...
        scores: What was measured.
        descriptions: The texts that its words were learned from, those of its AUs. They lie in a file of their own;
            a bundle of an earlier version has none, and then these are the package's own if the vocabulary has all
            their words, and None otherwise. None without captions, too.
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
        """Whether the model saw synthetic faces only."""
        return bool(self.training.get("synthetic", False))

    @property
    def warning(self) -> str:
        """What a user of its results must know; empty for a model that saw real faces."""
        if not self.is_synthetic:
            return ""
        return f"model {self.name} {self.version} learned its AUs from synthetic faces only; don't rely on its results"

    @property
    def words_warning(self) -> str:
        """What a user must know who wants words that agree with the states; empty where they can be had."""
        if self.descriptions is not None or not self.vocabulary:
            return ""
        return (
            f"model {self.name} {self.version} does not carry the descriptions that it learned, and this vlfau's are "
            "others, so its words are free and may contradict the states; export it anew with its own version of vlfau"
        )

    def identity(self) -> dict[str, Any]:
        """Return what files of results say of the model, as JSON can hold it."""
        return {
            "name": self.name,
            "version": self.version,
            "synthetic": self.is_synthetic,
            "au_ids": list(self.au_ids),
        }


@dataclass(frozen=True)
class Bundle:
    """A checked bundle.

    Attributes:
        folder: Where it lies.
        info: The content of its `model.json`.
        files: SHA-256 (hexadecimal) of each graph and of the descriptions, by file name.
    """

    folder: Path
    info: BundleInfo
    files: Mapping[str, str]

    @property
    def has_local_captions(self) -> bool:
        """Whether it has words for single AUs."""
        return LOCAL_FILES[0] in self.files

    @property
    def has_global_captions(self) -> bool:
        """Whether it has words for the whole face."""
        return GLOBAL_FILES[0] in self.files

    @property
    def card(self) -> Path | None:
        """The model card that lies beside the graphs, if there is one: what the model is for, and what it is worth."""
        path = self.folder / CARD_FILE
        return path if path.is_file() else None

    def path(self, name: str) -> Path:
        """Return the path of one of its graphs."""
        return self.folder / name


def load_bundle(model: str | Path | None = None) -> Bundle:
    """Read and check a bundle.

    Args:
        model: Its folder, or its name; None takes the one that vlfau brings.

    Raises:
        BundleError: It is no bundle, of another format, damaged, or contradicts itself.
    """
    folder = bundle_folder(model)
    path = folder / "model.json"
    table = _read_json(path)
    if table.get("format") not in FORMATS:
        raise BundleError(
            f"{path} has format {table.get('format')!r}, this vlfau reads format {' and '.join(map(str, FORMATS))}; "
            "export the bundle anew, or install the version of vlfau that wrote it"
        )
    check_keys(table, path)
    info = _to_info(table, path)
    files: dict[str, str] = table["files"]
    _check_files(folder, files)
    if (table["format"] == 1) == (DESCRIPTIONS_FILE in files):
        raise BundleError(
            f"{path} has format {table['format']} and names {'a' if DESCRIPTIONS_FILE in files else 'no'} "
            f"{DESCRIPTIONS_FILE}; copy or export the bundle anew"
        )
    bundle = Bundle(folder, replace(info, descriptions=_descriptions(folder, info, files)), dict(files))
    _check_captions(bundle, path)
    return bundle


def write_model_json(folder: Path, info: BundleInfo) -> Bundle:
    """Describe the graphs that lie in a folder, put the descriptions beside them, and so make it a bundle.

    Raises:
        BundleError: The graphs and the description do not fit together.
        InputError: The file cannot be written.
    """
    if info.descriptions is not None:
        write_descriptions(folder / DESCRIPTIONS_FILE, info.descriptions)
    files = {name: _sha256(folder / name) for name in _FILES if (folder / name).is_file()}
    document: dict[str, Any] = {"format": 2 if DESCRIPTIONS_FILE in files else 1}
    document |= {entry.name: getattr(info, entry.name) for entry in fields(info) if entry.name != "descriptions"}
    document |= {"crop": asdict(info.crop), "files": files}
    with replacing(folder / "model.json") as temporary:
        temporary.write_text(json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2) + "\n", "utf-8")
    return load_bundle(folder)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        table = parse_json(path.read_text("utf-8"))
    except FileNotFoundError:
        raise BundleError(f"{path.parent} is no bundle: it has no model.json; name a folder that has") from None
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}); check the path and its permissions") from None
    except ValueError as error:
        raise BundleError(f"{path} is no JSON ({error}); copy or export the bundle anew") from None
    if not isinstance(table, dict):
        raise BundleError(f"{path} holds no JSON object; copy or export the bundle anew")
    return table


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
            f"{path} has {len(values['thresholds'])} thresholds for {len(values['au_ids'])} AUs; export the bundle anew"
        )
    return BundleInfo(**values)


def _check_files(folder: Path, files: Mapping[str, str]) -> None:
    unknown = sorted(files.keys() - set(_FILES))
    if unknown:
        raise BundleError(
            f"{folder / 'model.json'} names {unknown[0]!r}, a bundle holds {', '.join(_FILES)} only; export it anew"
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
            raise BundleError(f"bundle {folder} lacks {name}; copy or export it anew")
        if _sha256(path) != files[name]:
            raise BundleError(f"{path} is not the file that model.json describes; copy or export the bundle anew")


def _descriptions(folder: Path, info: BundleInfo, files: Mapping[str, str]) -> Descriptions | None:
    if not info.vocabulary:
        return None
    try:
        vocabulary = Vocabulary.from_list(info.vocabulary)
        return descriptions_of(folder, info.au_ids, vocabulary, carried=DESCRIPTIONS_FILE in files)
    except DescriptionError as error:
        raise BundleError(f"bundle {folder} has descriptions that cannot be used: {error}") from None


def _check_captions(bundle: Bundle, path: Path) -> None:
    info = bundle.info
    for key, length, has_captions in (
        ("max_local_length", info.max_local_length, bundle.has_local_captions),
        ("max_global_length", info.max_global_length, bundle.has_global_captions),
    ):
        if has_captions and not (length and info.vocabulary):
            raise BundleError(f"{path} has graphs for captions, but no {key} or vocabulary; export the bundle anew")


def _sha256(path: Path | os.PathLike[str]) -> str:
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}); check its permissions") from None
