"""Probabilities, states and intensities of aligned faces, before captioning."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.facs import AUState, action_unit
from vlfau.inference.backend import BackendOutput
from vlfau.inference.results import AUResult, CropResult, SideResult

__all__ = ["AUScores", "Captions", "logit", "sigmoid"]

_MIN_PROB: Final = 1e-6
"""Keeps logits finite."""


def sigmoid(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the probabilities of logits of any shape, without overflow."""
    return np.asarray((1 + np.tanh(logits.astype(np.float64) / 2)) / 2)


def logit(probs: NDArray[np.floating] | np.floating) -> NDArray[np.float64]:
    """Return the logits of probabilities of any shape; all are finite."""
    clipped = np.clip(np.asarray(probs, np.float64), _MIN_PROB, 1 - _MIN_PROB)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))


@dataclass(frozen=True, slots=True)
class Captions:
    """The captions of one face.

    Attributes:
        local_captions: One per AU; None where no caption was requested.
        global_caption: Caption of the whole face; None if not requested.
    """

    local_captions: tuple[str | None, ...]
    global_caption: str | None


@dataclass(frozen=True, slots=True, eq=False)
class AUScores:
    """The AU predictions for B faces.

    Attributes:
        au_ids: (N,), FACS numbers.
        au_probs: (B, N).
        au_states: (B, N), thresholded predictions.
        thresholds: (N,), the probabilities from which AUs are active.
        vision: The outputs of the vision half, from which captions are decoded.
    """

    au_ids: tuple[int, ...]
    au_probs: NDArray[np.float64]
    au_states: NDArray[np.bool_]
    thresholds: tuple[float, ...]
    vision: BackendOutput

    def states(self, row: int) -> tuple[AUState, ...]:
        """Return what the numbers of one face say, which its captions must say too: (N,)."""
        unspoken = Captions((None,) * len(self.au_ids), None)
        return tuple(au.facs_state for au in self.result(row, unspoken).aus)

    def result(self, row: int, words: Captions) -> CropResult:
        """Return the result of one face, with its captions."""
        intensities = self.vision.au_intensities
        return CropResult(
            aus=tuple(
                AUResult(
                    au_id=au_id,
                    name=action_unit(au_id).name,
                    prob=float(self.au_probs[row, column]),
                    state=bool(self.au_states[row, column]),
                    intensity=None if intensities is None else float(intensities[row, column]),
                    local_caption=words.local_captions[column],
                    attention_map=self.vision.attention_maps[row, column],
                    left=self._side(row, column, 0),
                    right=self._side(row, column, 1),
                    threshold=self.thresholds[column],
                )
                for column, au_id in enumerate(self.au_ids)
            ),
            global_caption=words.global_caption,
        )

    def _side(self, row: int, column: int, side: int) -> SideResult | None:
        if self.vision.au_sides is None or not action_unit(self.au_ids[column]).sided:
            return None
        prob, intensity = map(float, self.vision.au_sides[row, column, side])
        active = bool(self.au_states[row, column]) and prob >= self.thresholds[column]
        return SideResult(prob, active, None if self.vision.au_intensities is None else intensity)
