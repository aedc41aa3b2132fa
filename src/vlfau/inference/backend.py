"""The runtime that computes a bundle's graphs.

Dimensions: B faces, N AUs, L locations, d channels, S sequences, K hypotheses, h hidden units, W words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import BundleError
from vlfau.faces.session import open_session
from vlfau.inference.bundle import GLOBAL_FILES, LOCAL_FILES, VISION_FILE, Bundle
from vlfau.language.decoding import CaptionStepper, FloatArray, IntArray, StepOutput

__all__ = ["Backend", "OrtBackend", "VisionOutput"]

# Outputs with their dimensions; a letter has one size in all outputs of a graph.
_VISION_OUTPUTS = {"au_logits": "BN", "stem_features": "BLd", "au_features": "BNLd", "attention_maps": "BNHV"}
_INTENSITIES = {"au_intensities": "BN"}
_INIT_OUTPUTS = {"keys": "SLa", "hidden": "Sh", "cell": "Sh"}
_STEP_INPUTS = ("token_ids", "hidden", "cell", "features", "keys")
_STEP_OUTPUTS = {"logits": "SKW", "next_hidden": "SKh", "next_cell": "SKh"}


@dataclass(frozen=True, slots=True, eq=False)
class VisionOutput:
    """What the network sees in B faces.

    Attributes:
        au_logits: (B, N) float32.
        stem_features: (B, L, d), the shared features.
        au_features: (B, N, L, d), those of every AU's branch.
        attention_maps: (B, N, H, W), where every branch looks.
        au_intensities: (B, N), 0 to 5; None from a model that has none.
    """

    au_logits: NDArray[np.float32]
    stem_features: NDArray[np.float32]
    au_features: NDArray[np.float32]
    attention_maps: NDArray[np.float32]
    au_intensities: NDArray[np.float32] | None = None


class Backend(Protocol):
    """A runtime with a bundle in it."""

    def see(self, crops: NDArray[np.uint8]) -> VisionOutput:
        """Run the vision half on aligned faces, (B, S, S, 3) uint8 RGB."""

    def local_stepper(self, features: NDArray[np.float32]) -> CaptionStepper:
        """Bind the decoder of single AUs to features (S, L, d)."""

    def global_stepper(self, features: NDArray[np.float32]) -> CaptionStepper:
        """Bind the decoder of the face to features (S, L, d)."""


class OrtBackend:
    """ONNX Runtime on the CPU. A graph is opened when it is first needed.

    Args:
        bundle: A checked bundle.
        threads: Threads that one graph may use.
    """

    def __init__(self, bundle: Bundle, *, threads: int = 1) -> None:
        self.bundle, self.threads = bundle, threads

    def see(self, crops: NDArray[np.uint8]) -> VisionOutput:
        """Run the vision half on aligned faces, (B, S, S, 3) uint8 RGB."""
        return VisionOutput(*self._vision.run({"crops": crops}, B=len(crops), N=len(self.bundle.info.au_ids)))

    def local_stepper(self, features: NDArray[np.float32]) -> CaptionStepper:
        """Bind the decoder of single AUs to features (S, L, d)."""
        return _OrtStepper(*self._local, features, len(self.bundle.info.vocabulary))

    def global_stepper(self, features: NDArray[np.float32]) -> CaptionStepper:
        """Bind the decoder of the face to features (S, L, d)."""
        return _OrtStepper(*self._global, features, len(self.bundle.info.vocabulary))

    @cached_property
    def _vision(self) -> "_Graph":
        inputs, outputs = ("crops",), _VISION_OUTPUTS
        return _Graph(self.bundle, VISION_FILE, self.threads, inputs=inputs, outputs=outputs, further=_INTENSITIES)

    @cached_property
    def _local(self) -> tuple["_Graph", "_Graph"]:
        return self._caption_graphs(*LOCAL_FILES)

    @cached_property
    def _global(self) -> tuple["_Graph", "_Graph"]:
        return self._caption_graphs(*GLOBAL_FILES)

    def _caption_graphs(self, init_file: str, step_file: str) -> tuple["_Graph", "_Graph"]:
        return (
            _Graph(self.bundle, init_file, self.threads, inputs=("features",), outputs=_INIT_OUTPUTS),
            _Graph(self.bundle, step_file, self.threads, inputs=_STEP_INPUTS, outputs=_STEP_OUTPUTS),
        )


class _Graph:
    """One graph of a bundle, with its inputs and outputs checked; `further` outputs may be missing."""

    def __init__(
        self,
        bundle: Bundle,
        file: str,
        threads: int,
        *,
        inputs: tuple[str, ...],
        outputs: Mapping[str, str],
        further: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.path = bundle.path(file)
        self.session = open_session(self.path, threads=threads)
        found_inputs = {value.name for value in self.session.get_inputs()}
        found_outputs = {value.name for value in self.session.get_outputs()}
        if found_inputs != set(inputs) or not found_outputs >= set(outputs):
            raise BundleError(
                f"{self.path} maps {sorted(found_inputs)} to {sorted(found_outputs)}, but {sorted(inputs)} "
                f"to {sorted(outputs)} are needed; export the bundle anew"
            )
        self.outputs = {**outputs, **{name: dims for name, dims in further.items() if name in found_outputs}}

    def run(self, inputs: dict[str, NDArray[Any]], **sizes: int) -> list[NDArray[Any]]:
        """Compute the outputs; the sizes of some dimensions are known."""
        try:
            arrays: list[NDArray[Any]] = self.session.run(list(self.outputs), inputs)
        except Exception as error:  # The runtime's own errors have no common base.
            reason = str(error).strip().partition("\n")[0]
            raise BundleError(f"{self.path} fails on its inputs ({reason}); export the bundle anew") from None
        for (name, dims), array in zip(self.outputs.items(), arrays, strict=True):
            fits = array.ndim == len(dims) and array.dtype.kind == "f"
            if not fits or any(
                sizes.setdefault(dim, size) != size for dim, size in zip(dims, array.shape, strict=True)
            ):
                expected = ", ".join(str(sizes.get(dim, dim)) for dim in dims)
                raise BundleError(
                    f"{self.path} gives {name} as {array.dtype} {array.shape}, expected numbers ({expected}); export "
                    "the bundle anew"
                )
        return arrays


class _OrtStepper:
    """A caption decoder's two graphs, bound to features (S, L, d)."""

    def __init__(self, init: _Graph, step: _Graph, features: NDArray[np.float32], words: int) -> None:
        self._init, self._step, self._all_features, self._words = init, step, features, words
        self._all_keys = self._features = self._keys = features[:0]
        self._rows: IntArray | None = None

    def start(self) -> tuple[FloatArray, FloatArray]:
        sequences, locations, _ = self._all_features.shape
        self._all_keys, hidden, cell = self._init.run({"features": self._all_features}, S=sequences, L=locations)
        return hidden, cell

    def step(self, token_ids: IntArray, hidden: FloatArray, cell: FloatArray, rows: IntArray) -> StepOutput:
        if rows is not self._rows:
            self._rows, self._features, self._keys = rows, self._all_features[rows], self._all_keys[rows]
        inputs = (token_ids, hidden, cell, self._features, self._keys)
        sequences, beams = token_ids.shape
        return StepOutput(
            *self._step.run(
                dict(zip(_STEP_INPUTS, inputs, strict=True)), S=sequences, K=beams, h=hidden.shape[-1], W=self._words
            )
        )
