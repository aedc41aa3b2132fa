"""Frames and positives an AU and fold, and the class weights that follow."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlfau.prepare.clips import Clip, LabelledFrame
from vlfau.prepare.protocol import Protocol

__all__ = ["Counts", "class_weights"]


@dataclass(frozen=True)
class Counts:
    """What the subjects that each fold tests have.

    Attributes:
        subjects: (F,), number of people.
        frames: (F,), number of frames.
        known: (F, N), number of frames in which an AU is annotated.
        positives: (F, N), number of those in which it is present.
    """

    subjects: NDArray[np.int64]
    frames: NDArray[np.int64]
    known: NDArray[np.int64]
    positives: NDArray[np.int64]

    @classmethod
    def of(cls, protocol: Protocol, frames: Iterable[tuple[Clip, LabelledFrame]]) -> "Counts":
        """Count frames by the fold that tests them."""
        num_folds, num_aus = len(protocol.folds), len(protocol.au_ids)
        people: list[set[str]] = [set() for _ in range(num_folds)]
        total = np.zeros(num_folds, np.int64)
        known, positives = np.zeros((2, num_folds, num_aus), np.int64)
        for clip, frame in frames:
            fold = clip.fold - 1
            people[fold].add(clip.subject_id)
            total[fold] += 1
            known[fold] += [value is not None for value in frame.occurrence]
            positives[fold] += [value == 1 for value in frame.occurrence]
        return cls(np.array([len(names) for names in people]), total, known, positives)

    def training_weights(self, fold: int) -> NDArray[np.float64]:
        """Return the class weights (N,) of the frames that train when a fold, counted from 1, is tested."""
        others = [index for index in range(len(self.frames)) if index != fold - 1]
        return class_weights(self.positives[others].sum(0), self.known[others].sum(0))


def class_weights(positives: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return w_i = N (1 / r_i) / sum_j (1 / r_j), r_i the rate of AU i, as the field publishes them.

    Eq. 9 of the paper is the same without the factor N.

    Args:
        positives: (N,), frames in which an AU is present.
        known: (N,), frames in which it is annotated.

    Returns:
        (N,); all NaN if one of the rates is 0 or unknown, since nothing can balance that.

    >>> class_weights(np.array([10, 30]), np.array([100, 100])).tolist()
    [1.5, 0.5]
    """
    if not positives.all():
        return np.full(len(positives), np.nan)
    rarity = known / positives
    weights: NDArray[np.float64] = len(rarity) * rarity / rarity.sum()
    return weights
