"""Score what tools say of action units on the same frames, with a bootstrap over people.

Every measure is computed for the whole sample and for every draw at once, from sums per person: a draw only says how
often each person counts. All tools see the same draws, so that differences between tools are paired.

Dimensions: F frames, N AUs, S subjects, D = 1 + R samples, of which the first is the whole and R are drawn.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlfau.evaluation.au_metrics import Confusion, interval_of
from vlfau.evaluation.predictions import UNKNOWN

__all__ = ["Figure", "Truth", "auc_samples", "f1_samples", "figure_of", "icc_samples", "samples_of"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figure:
    """A score.

    Attributes:
        value: Of the whole sample; None where it is not defined.
        interval: The 95 % interval over people; None where nothing could be drawn.
    """

    value: float | None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class Truth:
    """What the coders said.

    Attributes:
        occurrence: (F, N), 1, 0, or `UNKNOWN`.
        intensity: (F, N), 0 to 5; NaN where unknown.
        subject_ids: (F,).
        groups: (F,), within which faces are compared with each other; empty where unknown. None without groups.
    """

    occurrence: NDArray[np.int8]
    intensity: FloatArray
    subject_ids: tuple[str, ...]
    groups: tuple[str, ...] | None = None

    @property
    def subjects(self) -> NDArray[np.int64]:
        """(F,), the number of each frame's person, in the order of names."""
        return np.unique(np.array(self.subject_ids), return_inverse=True)[1]


def samples_of(truth: Truth, *, seed: int, draws: int) -> FloatArray:
    """Return how often each person counts in each sample, (D, S); with fewer than two people nothing is drawn."""
    people = len(set(truth.subject_ids))
    whole = np.ones((1, people))
    if people < 2:
        return whole
    drawn = np.random.default_rng(seed).multinomial(people, np.full(people, 1 / people), size=draws)
    return np.concatenate([whole, drawn])


def figure_of(samples: FloatArray) -> Figure:
    """Return the score of samples (D,), with its interval."""
    value = float(samples[0])
    return Figure(value if np.isfinite(value) else None, interval_of(samples[1:]) if np.isfinite(value) else None)


def auc_samples(scores: FloatArray, truth: Truth, samples: FloatArray, *, within: bool = False) -> FloatArray:
    """Return the area under the ROC curve of every AU, (D, N): the share of pairs that are in the right order.

    A pair is a face with the AU and one without; equal scores count half. NaN in samples without a pair.

    Args:
        scores: (F, N), NaN where a frame does not count.
        truth: What the coders said.
        samples: (D, S).
        within: Count pairs of the same group only, so that knowing the group does not help.
    """
    subjects = truth.subjects
    groups = np.array(truth.groups if within and truth.groups else ["all"] * len(scores))
    result = np.full((len(samples), scores.shape[1]), np.nan)
    for column in range(scores.shape[1]):
        known = ~np.isnan(scores[:, column])
        won, pairs = np.zeros(len(samples)), np.zeros(len(samples))
        for group in sorted({*groups.tolist()} - {""}):
            of_group = known & (groups == group)
            with_au = of_group & (truth.occurrence[:, column] == 1)
            without = of_group & (truth.occurrence[:, column] == 0)
            of_group_won, of_group_pairs = _count_pairs(
                (scores[with_au, column], subjects[with_au]), (scores[without, column], subjects[without]), samples
            )
            won, pairs = won + of_group_won, pairs + of_group_pairs
        np.divide(won, pairs, out=result[:, column], where=pairs > 0)
    return result


def _count_pairs(
    with_au: tuple[FloatArray, NDArray[np.int64]], without: tuple[FloatArray, NDArray[np.int64]], samples: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return how many pairs of each sample are in the right order, and how many there are, (D,) each.

    Args:
        with_au: The scores of faces with the AU, and whose they are.
        without: Likewise.
        samples: (D, S).
    """
    (high, of_high), (low, of_low), people = with_au, without, samples.shape[1]
    won = np.zeros(len(samples))
    pairs = (samples @ np.bincount(of_high, minlength=people)) * (samples @ np.bincount(of_low, minlength=people))
    if len(high) and len(low):
        order = np.argsort(of_low, kind="stable")
        persons, starts = np.unique(of_low[order], return_index=True)
        for person, theirs in zip(persons, np.split(low[order], starts[1:]), strict=True):
            theirs.sort()
            below = (np.searchsorted(theirs, high, "left") + np.searchsorted(theirs, high, "right")) / 2
            won += samples[:, person] * (samples @ np.bincount(of_high, weights=below, minlength=people))
    return won, pairs


def f1_samples(states: FloatArray, truth: Truth, samples: FloatArray) -> FloatArray:
    """Return the F1 of every AU's states, (D, N); NaN in samples in which the AU is never active.

    Args:
        states: (F, N), 1 or 0, NaN where a frame does not count.
        truth: What the coders said.
        samples: (D, S).
    """
    occurrence = np.where(np.isnan(states), UNKNOWN, truth.occurrence).astype(np.int8)
    by_subject = Confusion.by_subject(np.nan_to_num(states), occurrence, 0.5, truth.subject_ids).counts  # (S, 4, N)
    return Confusion(np.tensordot(samples, by_subject, axes=1)).f1_per_au


def icc_samples(intensities: FloatArray, truth: Truth, samples: FloatArray) -> FloatArray:
    """Return the intraclass correlation ICC(3,1) of intensities with the coders', (D, N).

    With two raters it is twice their covariance over the sum of their variances (Shrout and Fleiss, 1979). NaN in
    samples in which the coders' intensities don't vary: an AU of which only the absence was coded has none.

    Args:
        intensities: (F, N), NaN where a frame does not count.
        truth: What the coders said.
        samples: (D, S).
    """
    subjects, people = truth.subjects, samples.shape[1]
    result = np.full((len(samples), intensities.shape[1]), np.nan)
    for column in range(intensities.shape[1]):
        known = ~np.isnan(intensities[:, column]) & ~np.isnan(truth.intensity[:, column])
        if known.sum() < 2:
            continue
        ours, theirs = intensities[known, column], truth.intensity[known, column]
        ours, theirs = ours - ours.mean(), theirs - theirs.mean()
        terms = (np.ones_like(ours), ours, theirs, ours * theirs, ours**2, theirs**2)
        sums = [samples @ np.bincount(subjects[known], weights=term, minlength=people) for term in terms]
        frames = np.maximum(sums[0], 1)
        covariance = sums[3] - sums[1] * sums[2] / frames
        of_tool, of_coders = sums[4] - sums[1] ** 2 / frames, sums[5] - sums[2] ** 2 / frames
        np.divide(2 * covariance, of_tool + of_coders, out=result[:, column], where=of_coders > 1e-9)
    return result
