"""The folds of a data set, and the figures published of them."""

import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from vlfau.errors import ConfigError, ManifestError
from vlfau.facs import AU_SETS

__all__ = ["Fold", "Protocol", "read_protocol"]


@dataclass(frozen=True, slots=True)
class Fold:
    """One fold.

    Attributes:
        subjects: Who is tested; everybody else trains.
        frames: Published number of their frames, or None.
        positives: (N,), published number of their frames in which each AU is present; empty if none is published.
        weights: (N,), published class weights of the training subjects; empty if none are published.
    """

    subjects: tuple[str, ...]
    frames: int | None = None
    positives: tuple[int, ...] = ()
    weights: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Protocol:
    """How a data set is split and written down.

    Attributes:
        name: Of the data set, "bp4d" or "disfa".
        au_ids: (N,), the AUs used, in order.
        occurs_at: The intensity from which an AU counts as present.
        folds: Fold 1 first.
        genders_by_prefix: Whether a subject's name starts with the gender, F or M.
        list_offset: What to add to a frame's number in the list files to count as the data set does.
        path: The file that names the folds.
    """

    name: str
    au_ids: tuple[int, ...]
    occurs_at: int
    folds: tuple[Fold, ...]
    genders_by_prefix: bool
    list_offset: int
    path: Path

    def fold_of(self, subject_id: str) -> int:
        """Return the number of the fold that tests a subject, from 1.

        Raises:
            ManifestError: No fold names the subject.
        """
        for number, fold in enumerate(self.folds, 1):
            if subject_id in fold.subjects:
                return number
        raise ManifestError(
            f"subject '{subject_id}' belongs to no fold of {self.path}; leave the subject out, or name it in a fold "
            "of a file of your own and give that with --folds"
        )

    def gender_of(self, subject_id: str) -> str:
        """Return F or M where a subject's name tells it, else an empty text."""
        return subject_id[0] if self.genders_by_prefix and subject_id[0] in {"F", "M"} else ""


def read_protocol(name: str, folds: Path | None = None) -> Protocol:
    """Read the protocol of a data set.

    Args:
        name: "bp4d" or "disfa".
        folds: A TOML file with other folds, `[[bp4d.folds]]` with `subjects`; None takes the field's three.

    Raises:
        ConfigError: The file cannot be read, has no folds for the data set, or puts a subject in two of them.
    """
    own = Path(str(resources.files("vlfau.prepare").joinpath("data", "folds.toml")))
    table = _read(own)[name]
    au_ids = AU_SETS[table["aus"]]
    path = folds or own
    entries = table["folds"] if folds is None else _entries(path, name)
    return Protocol(
        name=name,
        au_ids=au_ids,
        occurs_at=table["occurs_at"],
        folds=_check(path, tuple(_fold(path, entry, len(au_ids)) for entry in entries)),
        genders_by_prefix=table["genders_by_prefix"],
        list_offset=table["list_offset"],
        path=path,
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"folds {path} can't be opened ({error.strerror}); check the path") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"folds {path} is no TOML file in UTF-8 ({error}); correct it") from None


def _entries(path: Path, name: str) -> list[Any]:
    table = _read(path).get(name)
    entries = table.get("folds") if isinstance(table, dict) else None
    if not isinstance(entries, list) or len(entries) < 2:
        raise ConfigError(
            f"folds {path} has no two tables [[{name}.folds]]; add one a fold, each with subjects = [...]"
        )
    return entries


def _fold(path: Path, entry: Any, num_aus: int) -> Fold:
    try:
        fold = Fold(
            subjects=tuple(name.upper() for name in entry["subjects"]),
            frames=entry.get("frames"),
            positives=tuple(map(int, entry.get("positives", ()))),
            weights=tuple(map(float, entry.get("weights", ()))),
        )
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        raise ConfigError(f"folds {path} has a fold without subjects = [...] (texts); correct it") from None
    if {len(fold.positives), len(fold.weights)} - {0, num_aus}:
        raise ConfigError(f"folds {path} has positives or weights that are not {num_aus}, one an AU; correct them")
    return fold


def _check(path: Path, folds: tuple[Fold, ...]) -> tuple[Fold, ...]:
    first: dict[str, int] = {}
    for number, fold in enumerate(folds, 1):
        for subject in fold.subjects:
            if first.setdefault(subject, number) != number:
                raise ConfigError(
                    f"folds {path} has subject '{subject}' in the folds {first[subject]} and {number}; folds exclude "
                    "each other by subject, name it in one"
                )
    return folds
