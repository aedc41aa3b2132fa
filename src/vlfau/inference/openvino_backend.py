"""The OpenVINO backend (extra `openvino`), which is imported when a backend is created."""

import importlib
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import BundleError, ConfigError, MissingExtraError
from vlfau.faces.session import batch_size
from vlfau.inference.backend import GraphBackend
from vlfau.inference.bundle import Bundle

__all__ = ["OpenVinoBackend", "Precision", "computes_with_bf16", "without_telemetry"]

Precision = Literal["f32", "bf16"]
"""Numerical precision of a network."""

_DEVICE: Final = "CPU"
_TELEMETRY: Final = "openvino_telemetry"
_LOCK = threading.Lock()


class OpenVinoBackend(GraphBackend):
    """OpenVINO on the CPU.

    Args:
        bundle: A checked bundle.
        threads: Threads that one graph may use.
        precision: Numerical precision; bf16 is faster on CPUs that support it, but less exact.

    Raises:
        MissingExtraError: OpenVINO is not installed.
        ConfigError: The CPU does not support the precision.
    """

    def __init__(self, bundle: Bundle, *, threads: int = 1, precision: Precision = "f32") -> None:
        core = _core()
        if precision == "bf16" and not computes_with_bf16():
            raise ConfigError("this CPU does not support bf16; choose the runtime openvino or onnxruntime")
        options = {
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": precision,
            "NUM_STREAMS": 1,
            # Pinned threads are slow on a busy machine.
            "ENABLE_CPU_PINNING": False,
        }
        super().__init__(bundle, partial(_OpenVinoGraph, core, options), batch_size=batch_size())


def computes_with_bf16() -> bool:
    """Return whether the CPU supports bf16.

    Raises:
        MissingExtraError: OpenVINO is not installed.
    """
    return "BF16" in _core().get_property(_DEVICE, "OPTIMIZATION_CAPABILITIES")


def without_telemetry(name: str, extra: str) -> ModuleType:
    """Import an OpenVINO library with its telemetry replaced by a stub: it would report even the import.

    Raises:
        MissingExtraError: It is not installed.
    """
    with _LOCK:
        before = sys.modules.get(_TELEMETRY)
        sys.modules[_TELEMETRY] = None  # type: ignore[assignment]
        try:
            return importlib.import_module(name)
        except ImportError:
            raise MissingExtraError(name, extra) from None
        finally:
            del sys.modules[_TELEMETRY]
            if before is not None:
                sys.modules[_TELEMETRY] = before


class _OpenVinoGraph:
    """A graph; one that takes batches is also compiled for one face, since a fixed size is faster."""

    def __init__(self, core: Any, options: Mapping[str, Any], path: Path) -> None:
        if not path.is_file():
            raise BundleError(f"{path} does not exist; restore the bundle")
        self._path, self._lock, self._requests = path, threading.Lock(), threading.local()
        self._compile = partial(core.compile_model, device_name=_DEVICE, config=dict(options))
        self._model = self._checked(partial(core.read_model, str(path)))
        self._compiled: dict[bool, Any] = {}
        self._takes_one = _takes_batches(self._model)
        self.input_names = [port.any_name for port in self._model.inputs]
        self.output_names = [port.any_name for port in self._model.outputs]

    def run(self, outputs: Sequence[str], inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        whole = {name: np.ascontiguousarray(array) for name, array in inputs.items()}
        is_one = self._takes_one and all(array.shape[:1] == (1,) for array in whole.values())
        request = self._request(is_one)
        try:
            request.infer(whole, share_inputs=True)
        except RuntimeError as error:
            raise ValueError(_reason(error)) from None
        return [request.get_tensor(name).data.copy() for name in outputs]

    def _request(self, is_one: bool) -> Any:
        """Return this thread's own inference request, which holds the arrays of a run."""
        if not hasattr(self._requests, "by_size"):
            self._requests.by_size = {}
        requests: dict[bool, Any] = self._requests.by_size
        if is_one not in requests:
            requests[is_one] = self._checked(partial(self._compiled_model, is_one)).create_infer_request()
        return requests[is_one]

    def _compiled_model(self, is_one: bool) -> Any:
        with self._lock:
            if is_one not in self._compiled:
                model = self._model
                if is_one:
                    model = model.clone()
                    model.reshape([1, *(each.get_length() for each in list(model.input(0).partial_shape)[1:])])
                self._compiled[is_one] = self._compile(model)
            return self._compiled[is_one]

    def _checked(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except RuntimeError as error:
            raise BundleError(
                f"{self._path} is not an ONNX graph that OpenVINO can run ({_reason(error)}); restore the file, or use "
                "the runtime onnxruntime"
            ) from None


def _takes_batches(model: Any) -> bool:
    """Return whether a graph has one input, of which only the first dimension is dynamic."""
    if len(model.inputs) != 1:
        return False
    shape = model.input(0).partial_shape
    return bool(shape.rank.is_static and [each.is_dynamic for each in shape] == [True] + [False] * (len(shape) - 1))


@cache
def _core() -> Any:
    """Return OpenVINO's core object.

    Raises:
        MissingExtraError: It is not installed.
    """
    library = without_telemetry("openvino", "openvino")
    # The first tensor makes tables of types; two threads that make them at once wait for each other forever.
    _ = library.Tensor(np.zeros(1, np.float32)).data
    return library.Core()


def _reason(error: RuntimeError) -> str:
    """Return the last line of OpenVINO's message; earlier lines name places in its source code."""
    return str(error).strip().rpartition("\n")[2]
