"""The torch decoder as a stepper for the beam search."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vlfau.language.decoding import StepOutput
from vlfau.model.caption_decoder import CaptionDecoder

__all__ = ["TorchStepper"]


class TorchStepper:
    """Steps a `CaptionDecoder` over features (S, L, d); a `vlfau.language.decoding.CaptionStepper`."""

    def __init__(self, decoder: CaptionDecoder, features: Tensor) -> None:
        self._decoder, self._features = decoder, features.detach()
        with torch.inference_mode():
            self._start, self._tables = decoder.start(self._features), decoder.tables()
        self._rows: NDArray[np.int64] | None = None
        self._live = (self._features, self._start.keys)

    def start(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the first `hidden` and `cell`, each (S, h)."""
        return self._start.hidden.float().cpu().numpy(), self._start.cell.float().cpu().numpy()

    def step(
        self,
        token_ids: NDArray[np.int64],
        hidden: NDArray[np.floating],
        cell: NDArray[np.floating],
        rows: NDArray[np.int64],
    ) -> StepOutput:
        """Advance by one word; see `CaptionStepper.step`."""
        if rows is not self._rows:
            index = torch.from_numpy(rows).to(self._features.device)
            self._rows, self._live = rows, (self._features[index], self._start.keys[index])
        features, keys = self._live
        with torch.inference_mode():
            words = torch.from_numpy(token_ids).to(features.device)
            old_hidden, old_cell = (torch.from_numpy(state).to(features) for state in (hidden, cell))
            step = self._decoder.step(words, old_hidden, old_cell, features, keys, tables=self._tables)
        return StepOutput(*(output.float().cpu().numpy() for output in (step.logits, step.hidden, step.cell)))
