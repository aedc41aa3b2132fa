"""Between probabilities and their logits."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["logit", "sigmoid"]

_LEAST_PROB: Final = 1e-6
"""Keeps logits finite."""


def sigmoid(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the probabilities of logits, of any shape; written so that it cannot overflow."""
    return np.asarray((1 + np.tanh(logits.astype(np.float64) / 2)) / 2)


def logit(probs: NDArray[np.floating] | np.floating) -> NDArray[np.float64]:
    """Return the logits of probabilities, of any shape; all are finite."""
    clipped = np.clip(np.asarray(probs, np.float64), _LEAST_PROB, 1 - _LEAST_PROB)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))
