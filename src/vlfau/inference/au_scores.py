"""Probabilities, states and intensities of aligned faces, before captioning."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vlfau.facs import AUState, action_unit, predicted_state
from vlfau.inference.au_result import acting_side
from vlfau.inference.backend import BackendOutput
from vlfau.inference.results import AUResult, CropResult, SideResult
from vlfau.measures.measuring import MeasuredFace

__all__ = ["AUScores", "Captions", "logit", "sigmoid"]

_Numbers: TypeAlias = tuple[float, bool, float | None, tuple[SideResult | None, SideResult | None]]
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
        return tuple(
            predicted_state(au_id, state, intensity, acting_side(left, right) if state else None)
            for au_id, (_, state, intensity, (left, right)) in zip(self.au_ids, self._numbers(row), strict=True)
        )

    def result(self, row: int, words: Captions, measured: MeasuredFace | None = None) -> CropResult:
        """Return the result of one face.

        Args:
            row: Which of the faces.
            words: Its captions.
            measured: Takes the measurements of the face, if it is known where it lies in its picture.
        """
        return CropResult(
            aus=tuple(
                AUResult(
                    au_id=au_id,
                    name=action_unit(au_id).name,
                    prob=prob,
                    state=state,
                    intensity=intensity,
                    local_caption=caption,
                    attention_map=attention_map,
                    left=left,
                    right=right,
                    threshold=threshold,
                    measured=measured,
                )
                for au_id, (prob, state, intensity, (left, right)), caption, attention_map, threshold in zip(
                    self.au_ids,
                    self._numbers(row),
                    words.local_captions,
                    self.vision.attention_maps[row],
                    self.thresholds,
                    strict=True,
                )
            ),
            global_caption=words.global_caption,
        )

    def _numbers(self, row: int) -> Iterator[_Numbers]:
        """Yield probability, state, intensity and both sides of every AU of one face."""
        count = len(self.au_ids)
        intensities, sides = self.vision.au_intensities, self.vision.au_sides
        levels: Sequence[float | None] = (None,) * count if intensities is None else intensities[row].tolist()
        shares: Sequence[Any] = (None,) * count if sides is None else sides[row].tolist()
        probs, states = self.au_probs[row].tolist(), self.au_states[row].tolist()
        for au_id, prob, state, level, share, threshold in zip(
            self.au_ids, probs, states, levels, shares, self.thresholds, strict=True
        ):
            if share is None or not action_unit(au_id).sided:
                yield prob, state, level, (None, None)
                continue
            left, right = (
                SideResult(side_prob, state and side_prob >= threshold, None if level is None else intensity)
                for side_prob, intensity in share
            )
            yield prob, state, level, (left, right)
