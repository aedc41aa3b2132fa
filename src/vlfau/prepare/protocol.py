"""The folds of a data set, and the numbers published for them."""

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

__all__ = ["Fold", "Protocol", "Published", "balanced_folds", "read_protocol"]


@dataclass(frozen=True, slots=True)
class Fold:
    """One fold.

    Attributes:
        subjects: The test subjects; all others are training subjects.
        frames: Published number of test frames, or None.
        positives: (N,) published number of test frames in which each AU is present; empty if not published.
        weights: (N,) published class weights of the training subjects; empty if not published.
    """

    subjects: tuple[str, ...]
    frames: int | None = None
    positives: tuple[int, ...] = ()
    weights: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """The numbers published for a whole data set, as far as they are known.

    Attributes:
        source: The publication.
        subjects: Number of subjects.
        frames: Number of coded frames.
        positives: Number of frames in which an AU is present, by AU number.
    """

    source: str
    subjects: int | None = None
    frames: int | None = None
    positives: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Protocol:
    """How a data set is labelled and split into folds.

    Attributes:
        name: Name of the data set: "bp4d", "disfa", "ckplus" or "disfaplus".
        title: Name of the data set in reports, such as "CK+".
        au_ids: (N,) the AUs used, in order.
        occurs_at: The intensity from which an AU counts as present.
        folds: The folds, fold 1 first; empty if the subjects have not been assigned yet.
        genders_by_prefix: Whether a subject's name starts with the gender, F or M.
        list_offset: Number to add to a frame number in the list files to get the frame number in the data set.
        path: The file that defines the folds.
        notes: Sentences for the report.
        published: The numbers published for the whole data set, or None.
        num_assigned_folds: Number of folds to which subjects are assigned by rule; 0 if the file names the subjects.
        seed: Seed of the assignment.
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
    num_assigned_folds: int = 0
    seed: int = 0

    def fold_of(self, subject_id: str) -> int:
        """Return the number of a subject's test fold, counted from 1.

        Raises:
            ManifestError: No fold names the subject.
        """
        for number, fold in enumerate(self.folds, 1):
            if subject_id in fold.subjects:
                return number
        raise ManifestError(
            f"subject '{subject_id}' belongs to no fold of {self.path}; leave the subject out, or add it to a fold "
            "in a file of your own and pass that file with --folds"
        )

    def gender_of(self, subject_id: str) -> str:
        """Return F or M if a subject's name tells it, else an empty string."""
        return subject_id[0] if self.genders_by_prefix and subject_id[0] in {"F", "M"} else ""

    def assign_folds(self, frames: Mapping[str, int]) -> "Protocol":
        """Return the protocol with the subjects assigned to folds; unchanged if its file names them.

        Args:
            frames: The number of coded frames of every subject.
        """
        if not self.num_assigned_folds:
            return self
        return replace(self, folds=tuple(map(Fold, balanced_folds(frames, self.num_assigned_folds, self.seed))))


def read_protocol(name: str, folds: Path | None = None) -> Protocol:
    """Read the protocol of a data set.

    Args:
        name: "bp4d", "disfa", "ckplus" or "disfaplus".
        folds: A TOML file with other folds (tables `[[bp4d.folds]]` with `subjects`); None uses the published folds
            or, if there are none, assigns the subjects by rule.

    Raises:
        ConfigError: The file cannot be read, has no folds for the data set, or puts a subject in two of them.
    """
    own = Path(str(resources.files("vlfau.prepare").joinpath("data", "folds.toml")))
    table = _read(own)[name]
    au_ids = AU_SETS[table["aus"]]
    path = folds or own
    entries = table.get("folds", []) if folds is None else _entries(path, name)
    assignment = table.get("deal", {}) if folds is None else {}
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
        num_assigned_folds=assignment.get("folds", 0),
        seed=assignment.get("seed", 0),
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
        raise ConfigError(f"folds {path} is not a TOML file in UTF-8 ({error}); correct it") from None


def _entries(path: Path, name: str) -> list[Any]:
    table = _read(path).get(name)
    entries = table.get("folds") if isinstance(table, dict) else None
    if not isinstance(entries, list) or len(entries) < 2:
        raise ConfigError(
            f"folds {path} needs at least two tables [[{name}.folds]]; add one per fold, each with subjects = [...]"
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
        raise ConfigError(f"folds {path} has a fold without subjects = [...] (a list of strings); correct it") from None
    if {len(fold.positives), len(fold.weights)} - {0, num_aus}:
        raise ConfigError(f"folds {path} must have {num_aus} positives and weights per fold, one per AU; correct them")
    return fold


def _check(path: Path, folds: tuple[Fold, ...]) -> tuple[Fold, ...]:
    first: dict[str, int] = {}
    for number, fold in enumerate(folds, 1):
        for subject in fold.subjects:
            if first.setdefault(subject, number) != number:
                raise ConfigError(
                    f"folds {path} has subject '{subject}' in the folds {first[subject]} and {number}; folds must be "
                    "subject-exclusive, so remove it from one"
                )
    return folds


def balanced_folds(frames: Mapping[str, int], num_folds: int, seed: int) -> tuple[tuple[str, ...], ...]:
    """Assign subjects to folds with about the same number of frames.

    Subjects with more frames are assigned first; ties are ordered by a hash of the seed and the name. Each subject
    joins the fold with the fewest frames so far; ties go to the fold with the fewest subjects, then to the first.

    Args:
        frames: The number of coded frames of every subject.
        num_folds: Number of folds.
        seed: Seed of the order of subjects with the same number of frames.

    Returns:
        The names of each fold's subjects, sorted.

    >>> balanced_folds({"S1": 4, "S2": 2, "S3": 2, "S4": 1}, 3, seed=1)
    (('S1',), ('S3', 'S4'), ('S2',))
    """
    order = sorted(frames, key=lambda name: (-frames[name], sha256(f"{seed}:{name}".encode()).digest()))
    folds: list[list[str]] = [[] for _ in range(num_folds)]
    for name in order:
        fewest = min(folds, key=lambda fold: (sum(frames[subject] for subject in fold), len(fold)))
        fewest.append(name)
    return tuple(tuple(sorted(fold)) for fold in folds)
