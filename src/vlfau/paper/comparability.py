"""Which rows can be compared: on which data, on how much of it, and how the epoch was chosen."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from vlfau.evaluation.figures import mean_figures
from vlfau.evaluation.scores import Scores
from vlfau.facs import AU_SETS
from vlfau.prepare.protocol import read_protocol

__all__ = ["INCOMPLETE", "MARKS", "TEST_FOLD", "TUNED", "Coverage", "DataKey", "marks_of", "published_counts"]

TEST_FOLD: Final = "†"
INCOMPLETE: Final = "‡"
TUNED: Final = "§"
MARKS: Final[Mapping[str, str]] = {
    TEST_FOLD: "the epoch was chosen by its F1 on the fold that is tested (run.epoch_choice test-fold, the field's "
    "habit), so the score is better than on new people",
    INCOMPLETE: "not the whole published test set, so the row is not ranked",
    TUNED: "probabilities or thresholds were fitted to people who are tested, so the score is better than on new ones",
}
"""What each sign means, in the order in which they stand."""


def marks_of(scores: Iterable[Scores]) -> str:
    """Return the signs of a row that is made of some scores, apart from that of incomplete test sets."""
    networks = [each.network for each in scores]
    test_fold = any(network.epoch_choice == "test-fold" for network in networks)
    tuned = any(network.calibration is not None and network.calibration.on_tested_people for network in networks)
    return TEST_FOLD * test_fold + TUNED * tuned


PUBLISHED_SETS: Final = ("bp4d", "disfa")
"""The sets of AUs of the paper's tables; runs on any other data have tables of their own."""


@dataclass(frozen=True)
class DataKey:
    """The data of a run, as far as comparisons go."""

    description: str
    synthetic: bool
    au_ids: tuple[int, ...]

    @classmethod
    def of(cls, scores: Scores) -> "DataKey":
        """Return the data that scores were measured on."""
        return cls(scores.data.description, scores.data.synthetic, scores.au_ids)

    @property
    def published_set(self) -> str | None:
        """The published data set that these are, or None."""
        if self.synthetic:
            return None
        for name in PUBLISHED_SETS:
            # BP4D+ is another data set than BP4D.
            if AU_SETS[name] == self.au_ids and re.search(rf"\b{name}\b(?!\+)", self.description, re.IGNORECASE):
                return name
        return None

    @property
    def title(self) -> str:
        """The data in words."""
        kind = "synthetic faces" if self.synthetic else "real faces"
        if self.synthetic and "synthetic" in self.description.lower():
            return f"{len(self.au_ids)} AUs of {self.description}"
        return f"{len(self.au_ids)} AUs of {kind}" + (f" ({self.description})" if self.description else "")


@dataclass(frozen=True)
class Coverage:
    """What was tested, beside what was published.

    Attributes:
        frames: Frames with an answer.
        subjects: People whom they show.
        lost: Labelled frames without an answer, which the data set's preparation left out.
        subjects_with_lost: People whom all of these frames show.
        published_frames: Labelled frames of the data set.
        published_subjects: Its people.
        lost_figures: F1 and accuracy, means over folds, with the AUs of lost frames called inactive; empty where no
            frame is lost or their labels are unknown.
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
        count = sum(_whole(each, "frames") for each in lost)
        known = all(fold.lost_frames.get("f1_macro") is not None for fold in folds)
        return cls(
            frames=sum(fold.frames for fold in folds),
            subjects=sum(fold.subjects for fold in folds),
            lost=count,
            subjects_with_lost=sum(_whole(fold.lost_frames, "subjects") or fold.subjects for fold in folds),
            published_frames=frames,
            published_subjects=subjects,
            lost_figures=mean_figures(lost) if count and known else {},
        )

    @property
    def is_complete(self) -> bool:
        """Whether every published frame has an answer, and no other."""
        return (self.frames, self.subjects) == (self.published_frames, self.published_subjects)

    @property
    def is_complete_with_lost(self) -> bool:
        """Whether answered and lost frames together are the published ones."""
        both = self.frames + self.lost, self.subjects_with_lost
        return bool(self.lost_figures) and both == (self.published_frames, self.published_subjects)

    @property
    def text(self) -> str:
        """The counts in words."""
        lost = f", {self.lost:,} more without a face" if self.lost else ""
        return (
            f"{self.frames:,} of {self.published_frames:,} frames{lost}, "
            f"{self.subjects} of {self.published_subjects} subjects"
        )


@cache
def published_counts(au_set: str) -> tuple[int, int]:
    """Return the labelled frames and the people of a published data set, added up over its folds."""
    folds = read_protocol(au_set).folds
    return sum(fold.frames or 0 for fold in folds), sum(len(fold.subjects) for fold in folds)


def _whole(figures: Mapping[str, Any], name: str) -> int:
    value = figures.get(name)
    return value if isinstance(value, int) else 0
