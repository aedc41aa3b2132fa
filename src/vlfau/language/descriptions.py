"""The texts of every AU: those of this version, read from `descriptions/auNN.toml`, or those stored with a model.

The folder's README.md explains the format to those who correct the texts.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from vlfau.errors import DescriptionError
from vlfau.facs import AUState, action_unit, all_au_ids, check_au_ids
from vlfau.language.schema import read_templates
from vlfau.language.templates import Template
from vlfau.language.tokenizer import sentences, tokenize
from vlfau.language.wording import Wording, read_wording

__all__ = [
    "AUDescriptions",
    "Descriptions",
    "check_distinct",
    "default_descriptions",
    "default_wording",
    "load_descriptions",
    "read_unit",
]

_FOLDER: Final = Path(__file__).with_name("descriptions")
_KEYS: Final = {"active", "inactive", "trace", "global"}


@dataclass(frozen=True, slots=True)
class AUDescriptions:
    """The texts of one AU.

    Attributes:
        au_id: FACS number.
        active: Local texts for the active AU.
        inactive: Local texts for the AU at rest.
        phrases: Verb phrases for global descriptions.
        trace: Local texts for an AU with at most a trace; empty in earlier versions.
    """

    au_id: int
    active: tuple[Template, ...]
    inactive: tuple[Template, ...]
    phrases: tuple[Template, ...]
    trace: tuple[Template, ...] = ()

    @property
    def locals(self) -> tuple[Template, ...]:
        """Every local text."""
        return (*self.active, *self.inactive, *self.trace)

    def local(self, state: AUState) -> tuple[Template, ...]:
        """Return the local texts of a state; in earlier versions the texts at rest cover a trace too."""
        if state.active:
            return self.active
        return self.trace if state.trace and self.trace else self.inactive

    def table(self) -> dict[str, list[str]]:
        """Return the lists that an `auNN.toml` with these texts holds."""
        lists = {"active": self.active, "inactive": self.inactive, "trace": self.trace, "global": self.phrases}
        return {key: [template.source for template in templates] for key, templates in lists.items() if templates}


@dataclass(frozen=True, eq=False)
class Descriptions:
    """The texts of some AUs, in catalogue order, and the words that they share.

    All code that fills or parses texts takes descriptions, because a model uses the texts that it learned, which later
    versions may have corrected. Two descriptions are equal if all their texts are.
    """

    units: Mapping[int, AUDescriptions]
    wording: Wording

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what pickles and copies are made from: Python copies no read-only mapping."""
        return _read_only, (dict(self.units), self.wording)

    def unit(self, au_id: int) -> AUDescriptions:
        """Return the texts of an AU.

        Raises:
            DescriptionError: There are none.
        """
        if au_id not in self.units:
            raise DescriptionError(f"these descriptions have no texts for AU{au_id}, only for {list(self.units)}")
        return self.units[au_id]

    def for_aus(self, au_ids: Iterable[int]) -> "Descriptions":
        """Return the descriptions of these AUs alone.

        Raises:
            ConfigError: The list is empty, repeats an AU, or names one that the catalogue lacks.
            DescriptionError: An AU has no texts.
        """
        return Descriptions(
            MappingProxyType({au_id: self.unit(au_id) for au_id in sorted(check_au_ids(au_ids))}), self.wording
        )

    def document(self) -> dict[str, Any]:
        """Return everything in a form that JSON can hold."""
        return {
            "wording": self.wording.table(),
            "aus": {str(au_id): unit.table() for au_id, unit in self.units.items()},
        }

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all texts, hexadecimal."""
        return hashlib.sha256(json.dumps(self.document(), sort_keys=True).encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        """Return whether all texts are equal."""
        return isinstance(other, Descriptions) and (self is other or self.fingerprint == other.fingerprint)

    def __hash__(self) -> int:
        """Return a hash that equal descriptions share."""
        return hash(self.fingerprint)


def _read_only(units: dict[int, AUDescriptions], wording: Wording) -> Descriptions:
    return Descriptions(MappingProxyType(units), wording)


def load_descriptions(folder: Path | None = None) -> Descriptions:
    """Read and check a folder of description files.

    Args:
        folder: Where `wording.toml` and the `auNN.toml` are; None means the package's own.

    Raises:
        DescriptionError: A file is missing or breaks the schema.
    """
    wording = default_wording() if folder is None else _wording(folder)
    folder = folder or _FOLDER
    expected = {f"au{au_id:02d}.toml": au_id for au_id in all_au_ids()}
    for path in sorted(folder.glob("au*.toml")):
        if path.name not in expected:
            raise DescriptionError(f"{path}: the catalogue has no such AU; remove or rename the file")
    units = {au_id: _read_file(folder / name, au_id, wording) for name, au_id in expected.items()}
    check_distinct({folder / name: units[au_id] for name, au_id in expected.items()})
    return Descriptions(MappingProxyType(units), wording)


@cache
def default_descriptions() -> Descriptions:
    """Return the package's own descriptions, read once."""
    return load_descriptions()


@cache
def default_wording() -> Wording:
    """Return the words that the package's own descriptions share, read once, without the texts of the AUs."""
    return _wording(_FOLDER)


def read_unit(table: Mapping[str, Any], au_id: int, wording: Wording, source: str | Path) -> AUDescriptions:
    """Check the texts of one AU and return them.

    Args:
        table: Lists of texts under `active`, `inactive` and `global`, and optionally `trace`.
        au_id: Its FACS number.
        wording: The words that all AUs share.
        source: Name of the source, for messages.

    Raises:
        DescriptionError: A list is missing, or a text breaks the schema.
    """
    unknown = table.keys() - _KEYS
    if unknown:
        raise DescriptionError(f"{source}: '{min(unknown)}' is not a key of a description file; remove it")
    unit = action_unit(au_id)
    return AUDescriptions(
        au_id=au_id,
        active=read_templates(table, "active", unit, wording, source),
        inactive=read_templates(table, "inactive", unit, wording, source),
        phrases=read_templates(table, "global", unit, wording, source),
        trace=read_templates(table, "trace", unit, wording, source) if "trace" in table else (),
    )


def check_distinct(units: Mapping[str | Path, AUDescriptions]) -> None:
    """Refuse a text that occurs twice, and a sentence that two AUs or two states share.

    Args:
        units: The texts of all AUs by the name of their source, for messages.

    Raises:
        DescriptionError: There is one.
    """
    seen: dict[str, str] = {}
    owners: dict[tuple[str, ...], str] = {}
    for source, unit in units.items():
        name = source.name if isinstance(source, Path) else source
        lists = {"active": unit.active, "inactive": unit.inactive, "trace": unit.trace, "global": unit.phrases}
        for owner, template in ((f"{name} ({key})", text) for key, texts in lists.items() for text in texts):
            cores = template.cores
            for core in sorted(cores & seen.keys()):
                raise DescriptionError(f"{source}: '{core}' occurs twice, also in {seen[core]}; rephrase one")
            seen |= dict.fromkeys(cores, owner)
            for sentence in (sentence for core in cores for sentence in sentences(tokenize(core))):
                if owners.setdefault(sentence, owner) != owner:
                    raise DescriptionError(
                        f"{source}: the sentence '{' '.join(sentence)}' also occurs in {owners[sentence]}; rephrase one"
                    )


def _wording(folder: Path) -> Wording:
    path = folder / "wording.toml"
    return read_wording(_read(path), path)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise DescriptionError(f"{path}: the file cannot be read; every AU needs one, so add it") from None
    except (ValueError, RecursionError) as error:
        raise DescriptionError(f"{path}: expected a TOML file, but {error}; correct it") from None


def _read_file(path: Path, au_id: int, wording: Wording) -> AUDescriptions:
    table = _read(path)
    if table.pop("au", None) != au_id:
        raise DescriptionError(f"{path}: expected 'au = {au_id}' as in the file's name; correct it")
    if "trace" not in table:
        raise DescriptionError(f"{path}: 'trace' is missing; add texts on an AU of which there is at most a trace")
    return read_unit(table, au_id, wording, path)
