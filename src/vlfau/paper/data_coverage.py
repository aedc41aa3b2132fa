"""The data of a run, its coverage of the published test set, and the marks of rows that are not comparable."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple

from vlfau.evaluation.figures import mean_figures
from vlfau.evaluation.scores import Scores
from vlfau.facs import AU_SETS
from vlfau.prepare.protocol import read_protocol

__all__ = ["INCOMPLETE", "MARKS", "TEST_FOLD", "Coverage", "DataKey", "marks_of", "published_counts"]

TEST_FOLD: Final = "†"
INCOMPLETE: Final = "‡"
TUNED: Final = "§"
MARKS: Final[Mapping[str, str]] = {
    TEST_FOLD: "the epoch was chosen by its F1 on the test fold (run.epoch_choice test-fold, a common practice), so "
    "the score is better than on new subjects",
    INCOMPLETE: "not the whole published test set, so the row is not ranked",
    TUNED: "probabilities or thresholds were fitted to test subjects, so the score is better than on new subjects",
}
"""Meaning of each mark, in the order in which marks are written."""


def marks_of(scores: Iterable[Scores]) -> str:
    """Return the marks of a row made from some scores, except the mark of incomplete test sets."""
    networks = [each.network for each in scores]
    test_fold = any(network.epoch_choice == "test-fold" for network in networks)
    tuned = any(network.calibration is not None and network.calibration.on_tested_people for network in networks)
    return TEST_FOLD * test_fold + TUNED * tuned


PUBLISHED_SETS: Final = ("bp4d", "disfa")
"""The AU sets of the paper's tables; runs on other data have tables of their own."""


@dataclass(frozen=True)
class DataKey:
    """The properties of a run's data that matter for comparisons."""

    description: str
    synthetic: bool
    au_ids: tuple[int, ...]

    @classmethod
    def of(cls, scores: Scores) -> "DataKey":
        """Return the key of the data of some scores."""
        return cls(scores.data.description, scores.data.synthetic, scores.au_ids)

    @property
    def published_set(self) -> str | None:
        """Name of the published data set, or None for other data."""
        if self.synthetic:
            return None
        for name in PUBLISHED_SETS:
            # BP4D+ is a different data set.
            if AU_SETS[name] == self.au_ids and re.search(rf"\b{name}\b(?!\+)", self.description, re.IGNORECASE):
                return name
        return None

    @property
    def title(self) -> str:
        """A description of the data."""
        kind = "synthetic faces" if self.synthetic else "real faces"
        if self.synthetic and "synthetic" in self.description.lower():
            return f"{len(self.au_ids)} AUs of {self.description}"
        return f"{len(self.au_ids)} AUs of {kind}" + (f" ({self.description})" if self.description else "")


@dataclass(frozen=True)
class Coverage:
    """The tested frames and subjects, compared with the published test set.

    Attributes:
        frames: Number of frames with predictions.
        subjects: Number of subjects in these frames.
        lost: Number of labelled frames without predictions, which were skipped when the data set was prepared.
        subjects_with_lost: Number of subjects in all of these frames.
        published_frames: Number of labelled frames of the data set.
        published_subjects: Number of subjects of the data set.
        lost_figures: F1 and accuracy, averaged over folds, if all AUs of lost frames count as inactive; empty if no
            frames are lost or their labels are unknown.
    """

    frames: int
    subjects: int
    lost: int
    subjects_with_lost: int
    published_frames: int
    published_subjects: int
    lost_figures: Mapping[str, Any]

    @classmethod
    def of(cls, au_set: str, folds: Sequence[Scores]) -> "Coverage":
        """Add up the folds of a run on a published data set."""
        frames, subjects = published_counts(au_set)
        lost = [fold.lost_frames for fold in folds if fold.lost_frames]
        count = sum(_count(each, "frames") for each in lost)
        known = all(fold.lost_frames.get("f1_macro") is not None for fold in folds)
        return cls(
            frames=sum(fold.frames for fold in folds),
            subjects=sum(fold.subjects for fold in folds),
            lost=count,
            subjects_with_lost=sum(_count(fold.lost_frames, "subjects") or fold.subjects for fold in folds),
            published_frames=frames,
            published_subjects=subjects,
            lost_figures=mean_figures(lost) if count and known else {},
        )

    @property
    def is_complete(self) -> bool:
        """Whether exactly the published frames have predictions."""
        return (self.frames, self.subjects) == (self.published_frames, self.published_subjects)

    @property
    def is_complete_with_lost(self) -> bool:
        """Whether the frames with predictions and the lost frames are together the published ones."""
        both = self.frames + self.lost, self.subjects_with_lost
        return bool(self.lost_figures) and both == (self.published_frames, self.published_subjects)

    @property
    def text(self) -> str:
        """The counts as text."""
        lost = f", {self.lost:,} more without a face" if self.lost else ""
        return (
            f"{self.frames:,} of {self.published_frames:,} frames{lost}, "
            f"{self.subjects} of {self.published_subjects} subjects"
        )


@cache
class PublishedCounts(NamedTuple):
    """The size of a published data set, summed over its folds.

    Attributes:
        frames: Labelled frames.
        subjects: Subjects.
    """

    frames: int
    subjects: int


def published_counts(au_set: str) -> PublishedCounts:
    """Return the numbers of labelled frames and subjects of a published data set, summed over its folds."""
    folds = read_protocol(au_set).folds
    return PublishedCounts(sum(fold.frames or 0 for fold in folds), sum(len(fold.subjects) for fold in folds))


def _count(figures: Mapping[str, Any], name: str) -> int:
    value = figures.get(name)
    return value if isinstance(value, int) else 0
