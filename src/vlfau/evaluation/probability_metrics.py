"""Scores of AU probabilities that need no threshold; F1 and errors of intensity are in `au_metrics`.

Dimensions: F frames, N AUs. Entries that nobody annotated count nowhere.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics.functional.classification import (
    binary_auroc,
    binary_average_precision,
    binary_calibration_error,
)

from vlfau.evaluation.au_metrics import FloatArray
from vlfau.evaluation.predictions import UNKNOWN

__all__ = ["average_precision_per_au", "ece_per_au", "roc_auc_per_au"]

CALIBRATION_BINS = 15


def roc_auc_per_au(au_probs: NDArray[np.floating], occurrence: NDArray[np.int8]) -> FloatArray:
    """Return the area under the ROC curve, (N,); NaN without active or without inactive frames."""
    return _per_au(au_probs, occurrence, lambda probs, target: binary_auroc(probs, target, validate_args=False))


def average_precision_per_au(au_probs: NDArray[np.floating], occurrence: NDArray[np.int8]) -> FloatArray:
    """Return the average precision, (N,); NaN without active or without inactive frames."""
    return _per_au(
        au_probs, occurrence, lambda probs, target: binary_average_precision(probs, target, validate_args=False)
    )


def ece_per_au(au_probs: NDArray[np.floating], occurrence: NDArray[np.int8]) -> FloatArray:
    """Return the expected calibration error of the active state over 15 bins of equal width, (N,).

    In each bin the mean probability is compared with the share of active frames; the differences are averaged,
    weighted by the frames of their bins. NaN without any annotated frame.
    """

    def error(probs: Tensor, target: Tensor) -> Tensor:
        return binary_calibration_error(probs, target, n_bins=CALIBRATION_BINS, norm="l1", validate_args=False)

    return _per_au(au_probs, occurrence, error, needs_both=False)


def _per_au(
    au_probs: NDArray[np.floating],
    occurrence: NDArray[np.int8],
    measure: Callable[[Tensor, Tensor], Tensor],
    *,
    needs_both: bool = True,
) -> FloatArray:
    result = np.full(occurrence.shape[1], np.nan)
    for column, states in enumerate(occurrence.T):
        known = states != UNKNOWN
        target = states[known]
        if len(target) and (not needs_both or 0 < target.sum() < len(target)):
            probs = torch.from_numpy(au_probs[known, column].astype(np.float64))
            result[column] = float(measure(probs, torch.from_numpy(target.astype(np.int64))))
    return result
