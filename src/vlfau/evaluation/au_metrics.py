"""Scores of AU recognition, as the field counts them: summed over all frames of a fold, an AU at a time.

How sure a score is, a bootstrap over people tells, since frames of one person are alike. Dimensions: F frames, N AUs,
S subjects, R draws. Entries that nobody annotated count nowhere.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vlfau.evaluation.predictions import UNKNOWN, Predictions

__all__ = [
    "CONFIDENCE",
    "DRAWS",
    "Confusion",
    "F1Intervals",
    "Interval",
    "Threshold",
    "f1_draws",
    "f1_draws_of",
    "f1_intervals",
    "finite_mean",
    "icc_per_au",
    "interval_of",
    "mae_per_au",
    "mean_of_known",
]

DRAWS = 1000
CONFIDENCE = 0.95
Interval = tuple[float, float]
FloatArray = NDArray[np.float64]
Threshold: TypeAlias = "float | NDArray[np.float64]"
"""The probability from which an AU counts as active: one for all, or (N,), one an AU."""


@dataclass(frozen=True, eq=False)
class Confusion:
    """How often predicted and true states meet.

    Attributes:
        counts: (..., 4, N), true positives, false positives, false negatives and true negatives.
    """

    counts: FloatArray

    @classmethod
    def of(cls, au_probs: NDArray[np.floating], occurrence: NDArray[np.int8], threshold: Threshold) -> "Confusion":
        """Count the frames of (F, N) predictions; an AU is predicted from its threshold on."""
        return cls(_meetings(au_probs, occurrence, threshold).sum(0))

    @classmethod
    def by_subject(
        cls,
        au_probs: NDArray[np.floating],
        occurrence: NDArray[np.int8],
        threshold: Threshold,
        subject_ids: Sequence[str],
    ) -> "Confusion":
        """Count the frames of every person for themselves: counts (S, 4, N), the people in order of name."""
        meetings = _meetings(au_probs, occurrence, threshold)
        people, places = np.unique(np.array(subject_ids), return_inverse=True)
        counts = np.zeros((len(people), *meetings.shape[1:]))
        np.add.at(counts, places, meetings)
        return cls(counts)

    @property
    def f1_per_au(self) -> FloatArray:
        """F1 of the active state, (..., N); NaN for an AU that is never active."""
        hits, false_alarms, misses = (self.counts[..., row, :] for row in range(3))
        return _ratio(2 * hits, 2 * hits + false_alarms + misses, defined=hits + misses > 0)

    @property
    def accuracy_per_au(self) -> FloatArray:
        """The share of right states, (..., N); NaN for an AU that nobody annotated."""
        total = self.counts.sum(-2)
        return _ratio(self.counts[..., 0, :] + self.counts[..., 3, :], total, defined=total > 0)

    @property
    def f1_micro(self) -> FloatArray:
        """F1 of all AUs' states counted together, (...)."""
        return Confusion(self.counts.sum(-1, keepdims=True)).f1_per_au[..., 0]


def mae_per_au(au_intensities: NDArray[np.floating], intensity: NDArray[np.floating]) -> FloatArray:
    """Return the mean absolute error of intensities (F, N), an AU, (N,); NaN where none is known."""
    errors = np.ma.masked_invalid(np.abs(au_intensities.astype(np.float64) - intensity))
    return np.asarray(errors.mean(0).filled(np.nan))


def icc_per_au(au_intensities: NDArray[np.floating], intensity: NDArray[np.floating]) -> FloatArray:
    """Return the intraclass correlation ICC(3,1) of predicted and annotated intensities (F, N), an AU, (N,).

    The field's measure of intensities (Shrout and Fleiss, "Intraclass Correlations", 1979, with two raters). NaN
    where fewer than two frames are known, or nothing varies.
    """
    result = np.full(intensity.shape[1], np.nan)
    for column, annotated in enumerate(intensity.astype(np.float64).T):
        known = ~np.isnan(annotated)
        ratings = np.stack([au_intensities[known, column].astype(np.float64), annotated[known]], axis=1)  # (F, 2)
        if len(ratings) < 2:
            continue
        between = 2 * ratings.mean(1).var(ddof=1)
        residual = ratings - ratings.mean(1, keepdims=True) - ratings.mean(0) + ratings.mean()
        error = (residual**2).sum() / (len(ratings) - 1)
        if between + error > 0:
            result[column] = (between - error) / (between + error)
    return result


def _meetings(au_probs: NDArray[np.floating], occurrence: NDArray[np.int8], threshold: Threshold) -> FloatArray:
    """Return which of the four counts every entry adds to, (F, 4, N)."""
    predicted, known, active = au_probs >= threshold, occurrence != UNKNOWN, occurrence == 1
    kinds = (predicted & active, predicted & ~active, ~predicted & active, ~predicted & ~active)
    return np.stack([kind & known for kind in kinds], axis=1).astype(np.float64)


def finite_mean(values: Sequence[float]) -> float | None:
    """Return the mean of those that could be measured; None if none could."""
    there = [value for value in values if math.isfinite(value)]
    return sum(there) / len(there) if there else None


def _ratio(part: FloatArray, whole: FloatArray, *, defined: NDArray[np.bool_]) -> FloatArray:
    result = np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan)
    np.divide(part, whole, out=result, where=defined)
    return result


def f1_draws(predictions: Predictions, threshold: Threshold, *, seed: int, draws: int = DRAWS) -> FloatArray:
    """Return the F1 of every AU for sets of people drawn with replacement, (R, N).

    The states are counted once a person, so that a draw only adds counts up. NaN where an AU is never active in a
    draw; everywhere if there are fewer than two people, of whom nothing can be drawn.
    """
    by_subject = Confusion.by_subject(predictions.au_probs, predictions.occurrence, threshold, predictions.subject_ids)
    return f1_draws_of(by_subject, seed=seed, draws=draws)


def f1_draws_of(by_subject: Confusion, *, seed: int, draws: int = DRAWS) -> FloatArray:
    """Return the same from the counts of every person, (S, 4, N)."""
    people = len(by_subject.counts)
    if people < 2:
        return np.full((draws, by_subject.counts.shape[2]), np.nan)
    chosen = np.random.default_rng(seed).multinomial(people, np.full(people, 1 / people), size=draws)  # (R, S)
    return Confusion(np.tensordot(chosen, by_subject.counts, axes=1)).f1_per_au


class F1Intervals(NamedTuple):
    """95 % intervals; None where nothing could be drawn.

    Attributes:
        macro: Of the macro F1.
        per_au: (N,), of every AU's F1.
    """

    macro: Interval | None
    per_au: tuple[Interval | None, ...]


def f1_intervals(draws: Sequence[FloatArray]) -> F1Intervals:
    """Return the 95 % intervals of the macro F1 and of every AU's F1.

    Args:
        draws: One (R, N) a fold, drawn for themselves; the scores are their means over the folds.
    """
    stacked = np.stack(draws)  # (folds, R, N)
    per_au = tuple(interval_of(mean_of_known(column.T, axis=1)) for column in np.moveaxis(stacked, 2, 0))
    macro = interval_of(mean_of_known(mean_of_known(stacked, axis=2), axis=0))
    return F1Intervals(macro, per_au)


def mean_of_known(values: FloatArray, axis: int) -> FloatArray:
    """Return the mean of the numbers there are; NaN where there is none."""
    there = np.isfinite(values)
    sums, counts = np.where(there, values, 0).sum(axis), there.sum(axis)
    result = np.full(sums.shape, np.nan)
    np.divide(sums, counts, out=result, where=counts > 0)
    return result


def interval_of(values: FloatArray) -> Interval | None:
    """Return the 95 % interval of draws (R,); None where nothing could be drawn."""
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    outside = (1 - CONFIDENCE) / 2
    low, high = np.quantile(values, (outside, 1 - outside))
    return float(low), float(high)
