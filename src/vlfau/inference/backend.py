"""What every runtime does with a model, a bundle's graphs on any of them, and the one that is always there.

Dimensions: B faces, N AUs, L locations, d channels, S sequences, K hypotheses, h hidden units, W words.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import BundleError, first_line
from vlfau.faces.session import CPU, open_session
from vlfau.inference.bundle import Bundle
from vlfau.inference.schema import GLOBAL_FILES, LOCAL_FILES, VISION_FILE
from vlfau.language.decoding import CaptionStepper, FloatArray, IntArray, StepOutput

__all__ = ["Backend", "BackendOutput", "Graph", "GraphBackend", "GraphOutput", "OrtBackend"]

_Arrays: TypeAlias = Mapping[str, str]
# Arrays by name, with a letter a dimension: it has one size in everything that goes into a graph and comes out of it.
_VISION_INPUTS = {"crops": "Brrc"}
_VISION_OUTPUTS = {"au_logits": "BN", "stem_features": "BLd", "au_features": "BNLd", "attention_maps": "BNyx"}
_INTENSITIES = {"au_intensities": "BN"}
_INIT_INPUTS = {"features": "SLd"}
_INIT_OUTPUTS = {"keys": "SLa", "hidden": "Sh", "cell": "Sh"}
_STEP_INPUTS = {"token_ids": "SK", "hidden": "SKh", "cell": "SKh", "features": "SLd", "keys": "SLa"}
_STEP_OUTPUTS = {"logits": "SKW", "next_hidden": "SKh", "next_cell": "SKh"}


class BackendOutput(Protocol):
    """What the network sees in B faces."""

    @property
    def au_logits(self) -> NDArray[np.float32]:
        """(B, N)."""

    @property
    def stem_features(self) -> NDArray[np.float32]:
        """(B, L, d), the shared features, as the decoder of the face reads them."""

    @property
    def au_features(self) -> NDArray[np.float32]:
        """(B, N, L, d), those of every AU's branch, as the decoder of single AUs reads them."""

    @property
    def pooled_features(self) -> NDArray[np.float32]:
        """(B, N, d), the branches' features, their mean over the locations."""

    @property
    def attention_maps(self) -> NDArray[np.float32]:
        """(B, N, H, W), where every branch looks."""

    @property
    def au_intensities(self) -> NDArray[np.float32] | None:
        """(B, N), 0 to 5; None from a model that has none."""


@dataclass(frozen=True, slots=True, eq=False)
class GraphOutput:
    """What a bundle's vision graph gives: a `BackendOutput`."""

    au_logits: NDArray[np.float32]
    stem_features: NDArray[np.float32]
    au_features: NDArray[np.float32]
    attention_maps: NDArray[np.float32]
    au_intensities: NDArray[np.float32] | None = None

    @property
    def pooled_features(self) -> NDArray[np.float32]:
        """(B, N, d), the mean of `au_features` over the locations."""
        pooled: NDArray[np.float32] = self.au_features.mean(2)
        return pooled


class Backend(Protocol):
    """A runtime with a model in it: a bundle's graphs, or `vlfau.model.torch_backend.TorchBackend`."""

    def encode(self, crops: NDArray[np.uint8]) -> BackendOutput:
        """Run the vision half on aligned faces, (B, S, S, 3) uint8 RGB."""

    def local_stepper(self, features: NDArray[np.float32]) -> CaptionStepper:
        """Bind the decoder of single AUs to features (S, L, d)."""

    def global_stepper(self, features: NDArray[np.float32]) -> CaptionStepper:
        """Bind the decoder of the face to features (S, L, d)."""


class Graph(Protocol):
    """One graph that a runtime has opened; it may be run in several threads at once."""

    @property
    def input_names(self) -> Collection[str]:
        """The names of all inputs."""

    @property
    def output_names(self) -> Collection[str]:
        """The names of all outputs."""

    def run(self, outputs: Sequence[str], inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Compute some outputs, which stay as they are when the graph is run again."""


class GraphBackend:
    """A bundle's graphs on some runtime. A graph is opened when it is first needed.

    Args:
        bundle: A checked bundle.
        open_graph: Opens a file on the runtime.
    """

    def __init__(self, bundle: Bundle, open_graph: Callable[[Path], Graph]) -> None:
        self.bundle, self._open = bundle, open_graph

    def open(self) -> None:
        """Open the vision graph now, to know whether the runtime starts at all.

        Raises:
            BundleError: The graph cannot be run.
            ConfigError: The runtime does not start on this machine.
        """
        _ = self._vision

    def encode(self, crops: NDArray[np.uint8]) -> GraphOutput:
        """Run the vision half on aligned faces, (B, S, S, 3) uint8 RGB."""
        return GraphOutput(*self._vision.run(crops))

    def local_stepper(self, features: NDArray[np.float32]) -> CaptionStepper:
        """Bind the decoder of single AUs to features (S, L, d)."""
        return _GraphStepper(*self._local, features)

    def global_stepper(self, features: NDArray[np.float32]) -> CaptionStepper:
        """Bind the decoder of the face to features (S, L, d)."""
        return _GraphStepper(*self._global, features)

    @cached_property
    def _vision(self) -> "_CheckedGraph":
        return self._checked(VISION_FILE, _VISION_INPUTS, _VISION_OUTPUTS, further=_INTENSITIES)

    @cached_property
    def _local(self) -> tuple["_CheckedGraph", "_CheckedGraph"]:
        return self._caption_graphs(*LOCAL_FILES)

    @cached_property
    def _global(self) -> tuple["_CheckedGraph", "_CheckedGraph"]:
        return self._caption_graphs(*GLOBAL_FILES)

    def _caption_graphs(self, init_file: str, step_file: str) -> tuple["_CheckedGraph", "_CheckedGraph"]:
        return (
            self._checked(init_file, _INIT_INPUTS, _INIT_OUTPUTS),
            self._checked(step_file, _STEP_INPUTS, _STEP_OUTPUTS),
        )

    def _checked(
        self, file: str, inputs: _Arrays, outputs: _Arrays, further: _Arrays = MappingProxyType({})
    ) -> "_CheckedGraph":
        path, info = self.bundle.path(file), self.bundle.info
        sizes = {"N": len(info.au_ids), "W": len(info.vocabulary)}
        return _CheckedGraph(path, self._open(path), inputs, outputs, further, sizes=sizes)


class OrtBackend(GraphBackend):
    """ONNX Runtime.

    Args:
        bundle: A checked bundle.
        threads: Threads that one graph may use.
        providers: What computes, the first that can.
    """

    def __init__(self, bundle: Bundle, *, threads: int = 1, providers: Sequence[str] = CPU) -> None:
        super().__init__(bundle, partial(_OrtGraph, threads=threads, providers=providers))


class _OrtGraph:
    def __init__(self, path: Path, *, threads: int, providers: Sequence[str]) -> None:
        self._session = open_session(path, threads=threads, providers=providers)
        self.input_names = [value.name for value in self._session.get_inputs()]
        self.output_names = [value.name for value in self._session.get_outputs()]

    def run(self, outputs: Sequence[str], inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        arrays: list[NDArray[Any]] = self._session.run(outputs, inputs)
        return arrays


class _CheckedGraph:
    """A graph with its inputs and outputs checked; `further` outputs may be missing, some `sizes` are known."""

    def __init__(
        self,
        path: Path,
        graph: Graph,
        inputs: _Arrays,
        outputs: _Arrays,
        further: _Arrays,
        *,
        sizes: Mapping[str, int],
    ) -> None:
        found_inputs, found_outputs = set(graph.input_names), set(graph.output_names)
        if found_inputs != set(inputs) or not found_outputs >= set(outputs):
            raise BundleError(
                f"{path} maps {sorted(found_inputs)} to {sorted(found_outputs)}, but {sorted(inputs)} "
                f"to {sorted(outputs)} are needed; export the bundle anew"
            )
        self._path, self._graph, self._inputs, self._sizes = path, graph, inputs, sizes
        self._outputs = {**outputs, **{name: dims for name, dims in further.items() if name in found_outputs}}

    def run(self, *inputs: NDArray[Any]) -> list[NDArray[Any]]:
        try:
            arrays = self._graph.run(list(self._outputs), dict(zip(self._inputs, inputs, strict=True)))
        except BundleError:
            raise
        except Exception as error:  # The runtimes' own errors have no common base.
            reason = first_line(error)
            raise BundleError(f"{self._path} fails on its inputs ({reason}); export the bundle anew") from None
        sizes = dict(self._sizes)
        for dims, array in zip(self._inputs.values(), inputs, strict=True):
            sizes.update(zip(dims, array.shape, strict=True))
        for (name, dims), array in zip(self._outputs.items(), arrays, strict=True):
            shape = tuple(sizes.setdefault(dim, size) for dim, size in zip(dims, array.shape, strict=False))
            if array.dtype.kind != "f" or len(dims) != array.ndim or shape != array.shape:
                expected = ", ".join(str(sizes.get(dim, dim)) for dim in dims)
                raise BundleError(
                    f"{self._path} gives {name} as {array.dtype} {array.shape}, expected floats ({expected}); export "
                    "the bundle anew"
                )
        return arrays


class _GraphStepper:
    """A caption decoder's two graphs, bound to features (S, L, d)."""

    def __init__(self, init: _CheckedGraph, step: _CheckedGraph, features: NDArray[np.float32]) -> None:
        self._init, self._step, self._all_features = init, step, features
        self._all_keys = self._features = self._keys = features[:0]
        self._rows: IntArray | None = None

    def start(self) -> tuple[FloatArray, FloatArray]:
        self._all_keys, hidden, cell = self._init.run(self._all_features)
        return hidden, cell

    def step(self, token_ids: IntArray, hidden: FloatArray, cell: FloatArray, rows: IntArray) -> StepOutput:
        if rows is not self._rows:
            self._rows, self._features, self._keys = rows, self._all_features[rows], self._all_keys[rows]
        return StepOutput(*self._step.run(token_ids, hidden, cell, self._features, self._keys))
