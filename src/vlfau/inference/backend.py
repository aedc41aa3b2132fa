"""The interface of every inference backend, bundles on any runtime, and the ONNX Runtime backend.

Dimensions: B faces, N AUs, L locations, d channels, S sequences, K hypotheses, h hidden units, W words.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import BundleError, first_line
from vlfau.faces.session import CPU, batch_size, open_session
from vlfau.inference.bundle import Bundle
from vlfau.inference.schema import GLOBAL_FILES, LOCAL_FILES, VISION_FILE
from vlfau.language.decoding import CaptionStepper, FloatArray, IntArray, StepOutput

__all__ = ["Backend", "BackendOutput", "Graph", "GraphBackend", "GraphOutput", "OrtBackend"]

_Arrays: TypeAlias = Mapping[str, str]
# Arrays by name, with one letter per dimension; a letter has the same size in all inputs and outputs of a graph.
_VISION_INPUTS = {"crops": "Brrc"}
_VISION_OUTPUTS = {"au_logits": "BN", "stem_features": "BLd", "au_features": "BNLd", "attention_maps": "BNyx"}
_FURTHER = {"au_intensities": "BN", "au_sides": "BNpq"}
_INIT_INPUTS = {"features": "SLd"}
_INIT_OUTPUTS = {"keys": "SLa", "hidden": "Sh", "cell": "Sh"}
_STEP_INPUTS = {"token_ids": "SK", "hidden": "SKh", "cell": "SKh", "features": "SLd", "keys": "SLa"}
_STEP_OUTPUTS = {"logits": "SKW", "next_hidden": "SKh", "next_cell": "SKh"}


class BackendOutput(Protocol):
    """Outputs of the vision half for B faces."""

    @property
    def au_logits(self) -> NDArray[np.float32]:
        """(B, N)."""

    @property
    def stem_features(self) -> NDArray[np.float32]:
        """(B, L, d), the shared features, input of the global caption decoder."""

    @property
    def au_features(self) -> NDArray[np.float32]:
        """(B, N, L, d), refined features of every AU branch, input of the local caption decoder."""

    @property
    def pooled_features(self) -> NDArray[np.float32]:
        """(B, N, d), the mean of `au_features` over the locations."""

    @property
    def attention_maps(self) -> NDArray[np.float32]:
        """(B, N, H, W), spatial attention of every branch."""

    @property
    def au_intensities(self) -> NDArray[np.float32] | None:
        """(B, N), 0 to 5; None if the model predicts no intensities."""

    @property
    def au_sides(self) -> NDArray[np.float32] | None:
        """(B, N, 2, 2), probability and intensity of the subject's own left, then right; None without sides."""


@dataclass(frozen=True, slots=True, eq=False)
class GraphOutput:
    """Outputs of a bundle's vision graph, as a `BackendOutput`."""

    au_logits: NDArray[np.float32]
    stem_features: NDArray[np.float32]
    au_features: NDArray[np.float32]
    attention_maps: NDArray[np.float32]
    au_intensities: NDArray[np.float32] | None = None
    au_sides: NDArray[np.float32] | None = None

    @property
    def pooled_features(self) -> NDArray[np.float32]:
        """(B, N, d), the mean of `au_features` over the locations."""
        pooled: NDArray[np.float32] = self.au_features.mean(2)
        return pooled


class Backend(Protocol):
    """A model loaded on a runtime: a bundle's graphs, or `vlfau.model.torch_backend.TorchBackend`."""

    def encode(self, crops: NDArray[np.uint8]) -> BackendOutput:
        """Run the vision half on aligned faces, (B, S, S, 3) uint8 RGB."""

    def local_stepper(self, features: NDArray[np.float32]) -> CaptionStepper:
        """Bind the local caption decoder to features (S, L, d)."""

    def global_stepper(self, features: NDArray[np.float32]) -> CaptionStepper:
        """Bind the global caption decoder to features (S, L, d)."""


class Graph(Protocol):
    """A graph opened on a runtime; it may be run in several threads at once."""

    @property
    def input_names(self) -> Collection[str]:
        """The names of all inputs."""

    @property
    def output_names(self) -> Collection[str]:
        """The names of all outputs."""

    def run(self, outputs: Sequence[str], inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Compute some outputs; later runs do not change the returned arrays."""


class GraphBackend:
    """A bundle's graphs on one runtime. Graphs are opened when first used.

    Args:
        bundle: A checked bundle.
        open_graph: Opens a graph file on the runtime.
        batch_size: How many faces are computed in one call.
    """

    def __init__(self, bundle: Bundle, open_graph: Callable[[Path], Graph], *, batch_size: int) -> None:
        self.bundle, self._open, self._batch_size = bundle, open_graph, batch_size
        self._opened_vision: Future[_CheckedGraph] | None = None
        self._lock = Lock()

    def open(self) -> None:
        """Open the vision graph now, to check that the runtime starts.

        Raises:
            BundleError: The graph cannot be run.
            ConfigError: The runtime does not start on this machine.
        """
        _ = self._vision

    def open_ahead(self) -> None:
        """Open the vision graph in another thread, while pictures are read and faces are found."""
        with self._lock:
            if self._opened_vision is None:
                executor = ThreadPoolExecutor(1)
                self._opened_vision = executor.submit(
                    self._checked, VISION_FILE, _VISION_INPUTS, _VISION_OUTPUTS, _FURTHER
                )
                executor.shutdown(wait=False)

    def encode(self, crops: NDArray[np.uint8]) -> GraphOutput:
        """Run the vision half on aligned faces, (B, S, S, 3) uint8 RGB."""
        starts = range(0, max(1, len(crops)), self._batch_size)
        parts = [self._vision.run_named(crops[start : start + self._batch_size]) for start in starts]
        if len(parts) == 1:
            return GraphOutput(**parts[0])  # Joining would copy a megabyte of features.
        return GraphOutput(**{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})

    def local_stepper(self, features: NDArray[np.float32]) -> CaptionStepper:
        """Bind the local caption decoder to features (S, L, d)."""
        return _GraphStepper(*self._local, features)

    def global_stepper(self, features: NDArray[np.float32]) -> CaptionStepper:
        """Bind the global caption decoder to features (S, L, d)."""
        return _GraphStepper(*self._global, features)

    @property
    def _vision(self) -> "_CheckedGraph":
        self.open_ahead()
        assert self._opened_vision is not None
        return self._opened_vision.result()

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
        providers: Execution providers, in order of preference.
    """

    def __init__(self, bundle: Bundle, *, threads: int = 1, providers: Sequence[str] = CPU) -> None:
        super().__init__(
            bundle, partial(_OrtGraph, threads=threads, providers=providers), batch_size=batch_size(providers)
        )


class _OrtGraph:
    def __init__(self, path: Path, *, threads: int, providers: Sequence[str]) -> None:
        self._session = open_session(path, threads=threads, providers=providers)
        self.input_names = [value.name for value in self._session.get_inputs()]
        self.output_names = [value.name for value in self._session.get_outputs()]

    def run(self, outputs: Sequence[str], inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        arrays: list[NDArray[Any]] = self._session.run(outputs, inputs)
        return arrays


class _CheckedGraph:
    """A graph whose inputs and outputs are checked; `further` outputs may be missing, some `sizes` are known."""

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
                f"{path} has inputs {sorted(found_inputs)} and outputs {sorted(found_outputs)}, expected "
                f"{sorted(inputs)} and {sorted(outputs)}; export the bundle again"
            )
        self._path, self._graph, self._inputs, self._sizes = path, graph, inputs, sizes
        self._outputs = {**outputs, **{name: dims for name, dims in further.items() if name in found_outputs}}

    def run_named(self, *inputs: NDArray[Any]) -> dict[str, NDArray[Any]]:
        return dict(zip(self._outputs, self.run(*inputs), strict=True))

    def run(self, *inputs: NDArray[Any]) -> list[NDArray[Any]]:
        try:
            arrays = self._graph.run(list(self._outputs), dict(zip(self._inputs, inputs, strict=True)))
        except BundleError:
            raise
        except Exception as error:  # The errors of the runtimes have no common base class.
            reason = first_line(error)
            raise BundleError(f"{self._path} failed on its inputs ({reason}); export the bundle again") from None
        sizes = dict(self._sizes)
        for dims, array in zip(self._inputs.values(), inputs, strict=True):
            sizes.update(zip(dims, array.shape, strict=True))
        for (name, dims), array in zip(self._outputs.items(), arrays, strict=True):
            shape = tuple(sizes.setdefault(dim, size) for dim, size in zip(dims, array.shape, strict=False))
            if array.dtype.kind != "f" or len(dims) != array.ndim or shape != array.shape:
                expected = ", ".join(str(sizes.get(dim, dim)) for dim in dims)
                raise BundleError(
                    f"{self._path} gives {name} as {array.dtype} {array.shape}, expected floats ({expected}); export "
                    "the bundle again"
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
