"""How much of a published test set a run of ours has been tested on.

Published scores are of all labelled frames. A run that was tested on fewer, because people are missing or no face was
found in some frames, does not compare with them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from vlfau.evaluation.scores import mean_figures
from vlfau.prepare.protocol import read_protocol
from vlfau.report.scores import Scores

__all__ = ["Coverage", "published_counts"]


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
