"""The folds of a data set, and the figures published of them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vlfau.errors import ConfigError, ManifestError
from vlfau.facs import AU_SETS

__all__ = ["Fold", "Protocol", "Published", "deal", "read_protocol"]


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
class Published:
    """What was published of a data set as a whole, as far as it is known.

    Attributes:
        source: Who published it.
        subjects: Number of people.
        frames: Number of coded frames.
        positives: Frames in which an AU is present, by its number.
    """

    source: str
    subjects: int | None = None
    frames: int | None = None
    positives: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Protocol:
    """How a data set is split and written down.

    Attributes:
        name: Of the data set: "bp4d", "disfa", "ckplus" or "disfaplus".
        title: The same as people write it.
        au_ids: (N,), the AUs used, in order.
        occurs_at: The intensity from which an AU counts as present.
        folds: Fold 1 first; none yet where the subjects are still to be dealt.
        genders_by_prefix: Whether a subject's name starts with the gender, F or M.
        list_offset: What to add to a frame's number in the list files to count as the data set does.
        path: The file that names the folds.
        notes: Sentences for the report.
        published: Of the data set as a whole, or None.
        num_dealt: Into how many folds subjects are dealt by rule; 0 where the folds are named.
        seed: Of that rule.
    """

    name: str
    title: str
    au_ids: tuple[int, ...]
    occurs_at: int
    folds: tuple[Fold, ...]
    genders_by_prefix: bool
    list_offset: int
    path: Path
    notes: tuple[str, ...] = ()
    published: Published | None = None
    num_dealt: int = 0
    seed: int = 0

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

    def dealt(self, frames: Mapping[str, int]) -> "Protocol":
        """Return the protocol with the subjects dealt into folds, or itself where the folds are named.

        Args:
            frames: The number of coded frames of every subject.
        """
        if not self.num_dealt:
            return self
        return replace(self, folds=tuple(map(Fold, deal(frames, self.num_dealt, self.seed))))


def read_protocol(name: str, folds: Path | None = None) -> Protocol:
    """Read the protocol of a data set.

    Args:
        name: "bp4d", "disfa", "ckplus" or "disfaplus".
        folds: A TOML file with other folds, `[[bp4d.folds]]` with `subjects`; None takes the field's, or those of the
            rule where the field has none.

    Raises:
        ConfigError: The file cannot be read, has no folds for the data set, or puts a subject in two of them.
    """
    own = Path(str(resources.files("vlfau.prepare").joinpath("data", "folds.toml")))
    table = _read(own)[name]
    au_ids = AU_SETS[table["aus"]]
    path = folds or own
    entries = table.get("folds", []) if folds is None else _entries(path, name)
    deals = table.get("deal", {}) if folds is None else {}
    return Protocol(
        name=name,
        title=table["title"],
        au_ids=au_ids,
        occurs_at=table["occurs_at"],
        folds=_check(path, tuple(_fold(path, entry, len(au_ids)) for entry in entries)),
        genders_by_prefix=table.get("genders_by_prefix", False),
        list_offset=table.get("list_offset", 0),
        path=path,
        notes=(*table.get("notes", ()), *(table.get("fold_notes", ()) if folds is None else ())),
        published=_published(table["published"]) if "published" in table else None,
        num_dealt=deals.get("folds", 0),
        seed=deals.get("seed", 0),
    )


def _published(table: dict[str, Any]) -> Published:
    positives = {int(label.removeprefix("AU")): count for label, count in table.get("positives", {}).items()}
    return Published(table["source"], table.get("subjects"), table.get("frames"), MappingProxyType(positives))


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


def deal(frames: Mapping[str, int], num_folds: int, seed: int) -> tuple[tuple[str, ...], ...]:
    """Deal subjects into folds of about the same number of frames.

    Subjects with more frames go first, those with as many in an order that follows from the seed and their names.
    Each joins the fold with the fewest frames so far; of those the one with the fewest subjects, then the first.

    Args:
        frames: The number of coded frames of every subject.
        num_folds: How many folds there are to be.
        seed: Another one gives other folds.

    Returns:
        The names of each fold's subjects, sorted.

    >>> deal({"S1": 4, "S2": 2, "S3": 2, "S4": 1}, 3, seed=1)
    (('S1',), ('S3', 'S4'), ('S2',))
    """
    order = sorted(frames, key=lambda name: (-frames[name], sha256(f"{seed}:{name}".encode()).digest()))
    folds: list[list[str]] = [[] for _ in range(num_folds)]
    for name in order:
        fewest = min(folds, key=lambda fold: (sum(frames[subject] for subject in fold), len(fold)))
        fewest.append(name)
    return tuple(tuple(sorted(fold)) for fold in folds)
