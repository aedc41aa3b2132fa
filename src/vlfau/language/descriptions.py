"""The texts of every AU, read from `descriptions/auNN.toml` and checked.

The folder's README.md explains the format to those who correct the texts.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from vlfau.errors import DescriptionError
from vlfau.facs import action_unit, all_au_ids
from vlfau.language.schema import read_templates
from vlfau.language.templates import Template
from vlfau.language.tokens import sentences, tokenize
from vlfau.language.wording import Wording, read_wording

__all__ = ["AUDescriptions", "Descriptions", "default_descriptions", "load_descriptions"]

_FOLDER: Final = Path(__file__).with_name("descriptions")


@dataclass(frozen=True, slots=True)
class AUDescriptions:
    """The texts of one AU.

    Attributes:
        au_id: FACS number.
        active: Local texts for the acting AU.
        inactive: Local texts for the AU at rest.
        phrases: Verb phrases for global descriptions.
    """

    au_id: int
    active: tuple[Template, ...]
    inactive: tuple[Template, ...]
    phrases: tuple[Template, ...]

    def local(self, active: bool) -> tuple[Template, ...]:
        """Return the local texts of a state."""
        return self.active if active else self.inactive


@dataclass(frozen=True, slots=True)
class Descriptions:
    """The texts of all AUs, in catalogue order, and the words that they share."""

    units: Mapping[int, AUDescriptions]
    wording: Wording


def load_descriptions(folder: Path | None = None) -> Descriptions:
    """Read and check a folder of description files.

    Args:
        folder: Where `wording.toml` and the `auNN.toml` are; None means the package's own.

    Raises:
        DescriptionError: A file is missing or breaks the schema.
    """
    folder = folder or _FOLDER
    wording_path = folder / "wording.toml"
    wording = read_wording(_read(wording_path), wording_path)
    expected = {f"au{au_id:02d}.toml": au_id for au_id in all_au_ids()}
    for path in sorted(folder.glob("au*.toml")):
        if path.name not in expected:
            raise DescriptionError(f"{path}: the catalogue has no such AU; remove or rename the file")
    units = {au_id: _read_unit(folder / name, au_id, wording) for name, au_id in expected.items()}
    _check_distinct(units.values(), folder)
    return Descriptions(MappingProxyType(units), wording)


@cache
def default_descriptions() -> Descriptions:
    """Return the package's own descriptions, read once."""
    return load_descriptions()


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise DescriptionError(f"{path}: the file cannot be read; every AU needs one, so add it") from None
    except (ValueError, RecursionError) as error:
        raise DescriptionError(f"{path}: expected a TOML file, but {error}; correct it") from None


def _read_unit(path: Path, au_id: int, wording: Wording) -> AUDescriptions:
    table = _read(path)
    unknown = table.keys() - {"au", "active", "inactive", "global"}
    if unknown:
        raise DescriptionError(f"{path}: '{min(unknown)}' is no key of a description file; remove it")
    if table.get("au") != au_id:
        raise DescriptionError(f"{path}: expected 'au = {au_id}' as in the file's name; correct it")
    unit = action_unit(au_id)
    return AUDescriptions(
        au_id=au_id,
        active=read_templates(table, "active", unit, wording, path),
        inactive=read_templates(table, "inactive", unit, wording, path),
        phrases=read_templates(table, "global", unit, wording, path),
    )


def _check_distinct(units: Iterable[AUDescriptions], folder: Path) -> None:
    """Refuse a text that stands twice, and a sentence that two AUs or two states share."""
    seen: dict[str, str] = {}
    owners: dict[tuple[str, ...], str] = {}
    for unit in units:
        name = f"au{unit.au_id:02d}.toml"
        lists = {"active": unit.active, "inactive": unit.inactive, "global": unit.phrases}
        for owner, template in ((f"{name} ({key})", text) for key, texts in lists.items() for text in texts):
            cores = template.cores()
            for core in sorted(cores & seen.keys()):
                raise DescriptionError(f"{folder / name}: '{core}' stands twice, also in {seen[core]}; rephrase one")
            seen |= dict.fromkeys(cores, owner)
            for sentence in (sentence for core in cores for sentence in sentences(tokenize(core))):
                if owners.setdefault(sentence, owner) != owner:
                    raise DescriptionError(
                        f"{folder / name}: the sentence '{' '.join(sentence)}' also stands in "
                        f"{owners[sentence]}; rephrase one"
                    )
