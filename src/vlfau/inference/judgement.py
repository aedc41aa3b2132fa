"""What the network says of aligned faces, before and after it is put in words."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlfau.facs import action_unit
from vlfau.inference.backend import VisionOutput
from vlfau.inference.results import AUResult, CropResult

__all__ = ["Judgement", "Words"]


@dataclass(frozen=True, slots=True)
class Words:
    """A face in words.

    Attributes:
        local_captions: One an AU, None where no words were asked for.
        global_caption: Of the whole face; None likewise.
    """

    local_captions: tuple[str | None, ...]
    global_caption: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """B faces in numbers.

    Attributes:
        au_ids: (N,), FACS numbers.
        au_probs: (B, N).
        au_states: (B, N), which AUs occur.
        vision: All that the network gave; words are made from it.
    """

    au_ids: tuple[int, ...]
    au_probs: NDArray[np.float64]
    au_states: NDArray[np.bool_]
    vision: VisionOutput

    def result(self, row: int, words: Words) -> CropResult:
        """Return one face with its words."""
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
                )
                for column, au_id in enumerate(self.au_ids)
            ),
            global_caption=words.global_caption,
        )
