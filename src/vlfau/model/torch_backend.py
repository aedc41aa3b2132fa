"""The network in torch for callers that know NumPy alone: its vision half, and its decoders for the beam search."""

from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vlfau.errors import ConfigError, first_line
from vlfau.language.decoding import StepOutput
from vlfau.model.caption_decoder import CaptionDecoder
from vlfau.model.vlfau import VLFAU, VisionOutput

__all__ = ["TorchBackend", "TorchOutput", "TorchStepper"]

FloatArray = NDArray[np.float32]


class TorchOutput:
    """What the vision half says of B faces: a `vlfau.inference.backend.BackendOutput`, copied where it is asked for.

    Args:
        vision: The same as tensors.
    """

    def __init__(self, vision: VisionOutput) -> None:
        self._vision = vision

    @cached_property
    def au_logits(self) -> FloatArray:
        """(B, N)."""
        return _array(self._vision.au_logits)

    @cached_property
    def au_intensities(self) -> FloatArray | None:
        """(B, N), 0 to 5; None without that head."""
        intensities = self._vision.au_intensities
        return None if intensities is None else _array(intensities)

    @cached_property
    def au_sides(self) -> FloatArray | None:
        """(B, N, 2, 2), probability and intensity of left and right; None without that head."""
        sides = self._vision.au_sides
        return None if sides is None else _array(sides)

    @cached_property
    def stem_features(self) -> FloatArray:
        """(B, L, d), what global captions are made of."""
        return _array(self._vision.face_features)

    @cached_property
    def au_features(self) -> FloatArray:
        """(B, N, L, d), what local captions are made of."""
        with torch.inference_mode():
            return _array(self._vision.au_features())

    @cached_property
    def pooled_features(self) -> FloatArray:
        """(B, N, d), the branches' refined features, their mean over the locations."""
        with torch.inference_mode():
            return _array(self._vision.refinement.refine_and_pool(self._vision.stem_features))

    @cached_property
    def attention_maps(self) -> FloatArray:
        """(B, N, H, W)."""
        return _array(self._vision.attention_maps)


class TorchBackend:
    """A network in torch that takes and gives NumPy arrays: a `vlfau.inference.backend.Backend`.

    Args:
        network: In evaluation mode; it is moved to the device.
        device: Where it runs, as torch names it; None takes a GPU where there is one.
        threads: Threads that torch may use in this process; None leaves them as they are.

    Raises:
        ConfigError: The device is not there.
    """

    def __init__(self, network: VLFAU, *, device: str | None = None, threads: int | None = None) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        try:
            self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
            self.network = network.to(self.device)
        except (RuntimeError, AssertionError) as error:
            raise ConfigError(
                f"torch cannot use the device {device} here ({first_line(error)}); choose cpu, or install a torch "
                "that can"
            ) from None

    @torch.inference_mode()
    def encode(self, crops: NDArray[np.uint8]) -> TorchOutput:
        """Run the vision half on aligned faces, (B, S, S, 3) uint8 RGB."""
        images = torch.from_numpy(crops).permute(0, 3, 1, 2).contiguous()  # (B, 3, S, S)
        return TorchOutput(self.network.encode(images.to(self.device)))

    def local_stepper(self, features: FloatArray) -> "TorchStepper":
        """Bind the decoder of single AUs to features (S, L, d)."""
        return self._stepper(self.network.local_decoder, features)

    def global_stepper(self, features: FloatArray) -> "TorchStepper":
        """Bind the decoder of the whole face to features (S, L, d)."""
        return self._stepper(self.network.global_decoder, features)

    def _stepper(self, decoder: CaptionDecoder | None, features: FloatArray) -> "TorchStepper":
        assert decoder is not None
        return TorchStepper(decoder, torch.from_numpy(features).to(self.device))


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
        return _array(self._start.hidden), _array(self._start.cell)

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
        return StepOutput(_array(step.logits), _array(step.hidden), _array(step.cell))


def _array(tensor: Tensor) -> FloatArray:
    array: FloatArray = tensor.float().cpu().numpy()
    return array
