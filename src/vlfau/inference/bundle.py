"""A model as a folder or by name: `model.json`, the ONNX graphs that it names, and the texts that the model learned.

The files have fixed names, and a bundle may lack the words for single AUs, for the face, or both. A bundle with words
carries the descriptions that they were learned from (`descriptions.json`, format 2); bundles of earlier versions do not
(format 1). Reading a bundle runs nothing: it is JSON, whose every key is checked, and files, whose SHA-256 is checked.
A checkpoint, which training leaves, is read as a bundle without graphs, see `vlfau.inference.checkpoint`.
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
    "DEFAULT_MODEL",
    "MODELS_VARIABLE",
    "Bundle",
    "BundleInfo",
    "bundle_folders",
    "load_bundle",
    "model_folder",
    "write_model_json",
]

DEFAULT_MODEL: Final = "default"
MODELS_VARIABLE: Final = "VLFAU_MODELS"
"""Names folders that hold bundles, separated as in PATH."""


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
    def fold(self) -> int | None:
        """The fold that its training left out; None where it left out none, or does not say it."""
        fold = self.training.get("fold")
        return fold if isinstance(fold, int) else None

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
    """A checked bundle, or a checkpoint.

    Attributes:
        folder: Where it lies.
        info: The content of its `model.json`, or what a checkpoint's metadata say.
        files: SHA-256 (hexadecimal) of each graph or weights file and of the descriptions, by file name.
    """

    folder: Path
    info: BundleInfo
    files: Mapping[str, str]

    @property
    def is_checkpoint(self) -> bool:
        """Whether it is a checkpoint, which has no graphs: torch computes it."""
        return CHECKPOINT_FILE in self.files

    @property
    def has_local_captions(self) -> bool:
        """Whether it has words for single AUs."""
        return LOCAL_FILES[0] in self.files or (self.is_checkpoint and self.info.max_local_length > 0)

    @property
    def has_global_captions(self) -> bool:
        """Whether it has words for the whole face."""
        return GLOBAL_FILES[0] in self.files or (self.is_checkpoint and self.info.max_global_length > 0)

    @property
    def has_captions(self) -> bool:
        """Whether it has words at all."""
        return self.has_local_captions or self.has_global_captions

    @property
    def card(self) -> Path | None:
        """The model card that lies beside the graphs, if there is one: what the model is for, and what it is worth."""
        path = self.folder / CARD_FILE
        return path if path.is_file() else None

    def path(self, name: str) -> Path:
        """Return the path of one of its graphs."""
        return self.folder / name


def bundle_folders() -> Mapping[str, Path]:
    """Return the folder of every bundle that can be called by name; of equal names the first counts."""
    own = Path(str(resources.files("vlfau"))) / "weights"
    named = [part for part in os.environ.get(MODELS_VARIABLE, "").split(os.pathsep) if part]
    further = [Path(os.path.expanduser(part)) for part in named]  # noqa: PTH111 - Path's fails where no such user is
    found: dict[str, Path] = {}
    for parent in (own, *further):
        for path in sorted(parent.glob(f"*/{MODEL_FILE}")):
            found.setdefault(path.parent.name, path.parent)
    return found


def model_folder(model: str | Path | None) -> Path:
    """Return where a model lies.

    Args:
        model: The folder of a bundle or a checkpoint, or the name of a bundle; None takes the default one.

    Raises:
        BundleError: It is neither a folder nor a name.
    """
    # Path.exists fails where a name is too long for a path.
    if model is not None and os.path.exists(model):  # noqa: PTH110
        return Path(model)
    if model is not None and is_url(model):
        raise BundleError(missing_file("model", model, give="its folder"))
    found, name = bundle_folders(), DEFAULT_MODEL if model is None else str(model)
    if name not in found:
        raise BundleError(
            f"{name} is neither a bundle nor a checkpoint: there is no such folder, and no model of this name; choose "
            f"among {', '.join(found) or 'none'}, or name a folder"
        )
    return found[name]


def load_bundle(model: str | Path | None = None) -> Bundle:
    """Read and check a bundle, or the metadata of a checkpoint.

    Args:
        model: The folder of either, or a bundle's name; None takes the bundle that vlfau brings.

    Raises:
        BundleError: It is neither, or a bundle of another format, a damaged one, or one that contradicts itself.
        CheckpointError: It is a damaged checkpoint.
        MissingExtraError: It is a checkpoint, and the extra `train` is not installed.
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
            f"{path} has {len(values['thresholds'])} thresholds for {len(values['au_ids'])} AUs; export the bundle anew"
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
            raise BundleError(f"{path} has graphs for captions, but no {key} or vocabulary; export the bundle anew")
