"""How sure a score is: a bootstrap over people, since frames of one person are alike.

Dimensions: S subjects, N AUs, R draws.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vlfau.evaluation.au_metrics import Confusion, Threshold
from vlfau.evaluation.predictions import Predictions

__all__ = ["CONFIDENCE", "DRAWS", "Interval", "f1_draws", "f1_intervals", "interval_of", "mean_of_known"]

DRAWS = 1000
CONFIDENCE = 0.95
Interval = tuple[float, float]


def f1_draws(predictions: Predictions, threshold: Threshold, *, seed: int, draws: int = DRAWS) -> NDArray[np.float64]:
    """Return the F1 of every AU for sets of people drawn with replacement, (R, N).

    The states are counted once a person, so that a draw only adds counts up. NaN where an AU is never active in a
    draw; everywhere if there are fewer than two people, of whom nothing can be drawn.
    """
    by_subject = Confusion.by_subject(
        predictions.au_probs, predictions.occurrence, threshold, predictions.subject_ids
    ).counts
    people = len(by_subject)
    if people < 2:
        return np.full((draws, len(predictions.au_ids)), np.nan)
    chosen = np.random.default_rng(seed).multinomial(people, np.full(people, 1 / people), size=draws)  # (R, S)
    return Confusion(np.tensordot(chosen, by_subject, axes=1)).f1_per_au


def f1_intervals(draws: Sequence[NDArray[np.float64]]) -> tuple[Interval | None, list[Interval | None]]:
    """Return the 95 % intervals of the macro F1 and of every AU's F1.

    Args:
        draws: One (R, N) a fold, drawn for themselves; the scores are their means over the folds.

    Returns:
        That of the macro F1, and N; None where nothing could be drawn.
    """
    stacked = np.stack(draws)  # (folds, R, N)
    per_au = [interval_of(mean_of_known(column.T, axis=1)) for column in np.moveaxis(stacked, 2, 0)]
    macro = interval_of(mean_of_known(mean_of_known(stacked, axis=2), axis=0))
    return macro, per_au


def mean_of_known(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Return the mean of the numbers there are; NaN where there is none."""
    there = np.isfinite(values)
    sums, counts = np.where(there, values, 0).sum(axis), there.sum(axis)
    result = np.full(sums.shape, np.nan)
    np.divide(sums, counts, out=result, where=counts > 0)
    return result


def interval_of(values: NDArray[np.float64]) -> Interval | None:
    """Return the 95 % interval of draws (R,); None where nothing could be drawn."""
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    outside = (1 - CONFIDENCE) / 2
    low, high = np.quantile(values, (outside, 1 - outside))
    return float(low), float(high)
