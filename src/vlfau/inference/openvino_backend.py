"""A bundle's graphs on OpenVINO (extra `openvino`), which is imported when a backend is made."""

import importlib
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import BundleError, ConfigError, MissingExtraError
from vlfau.inference.backend import GraphBackend
from vlfau.inference.bundle import Bundle

__all__ = ["OpenVinoBackend", "Precision", "computes_with_bf16"]

Precision = Literal["f32", "bf16"]
"""What a network computes with."""

_DEVICE: Final = "CPU"


class OpenVinoBackend(GraphBackend):
    """OpenVINO on the CPU.

    Args:
        bundle: A checked bundle.
        threads: Threads that one graph may use.
        precision: What networks compute with; bf16 is faster where the processor has it, and less exact.

    Raises:
        MissingExtraError: OpenVINO is not installed.
        ConfigError: The processor lacks the precision.
    """

    def __init__(self, bundle: Bundle, *, threads: int = 1, precision: Precision = "f32") -> None:
        core = _core()
        if precision == "bf16" and not computes_with_bf16():
            raise ConfigError("this processor does not compute with bf16; choose the runtime openvino or onnxruntime")
        options = {
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": precision,
            "NUM_STREAMS": 1,
            # Threads tied to processors slow a machine that has other work.
            "ENABLE_CPU_PINNING": False,
        }
        super().__init__(bundle, partial(_OpenVinoGraph, core, options))


def computes_with_bf16() -> bool:
    """Say whether the processor has instructions for bf16.

    Raises:
        MissingExtraError: OpenVINO is not installed.
    """
    return "BF16" in _core().get_property(_DEVICE, "OPTIMIZATION_CAPABILITIES")


class _OpenVinoGraph:
    def __init__(self, core: Any, options: Mapping[str, Any], path: Path) -> None:
        if not path.is_file():
            raise BundleError(f"{path} does not exist; restore the bundle")
        try:
            self._model = core.compile_model(str(path), _DEVICE, options)
        except RuntimeError as error:
            raise BundleError(
                f"{path} is no ONNX graph that OpenVINO can run ({_reason(error)}); restore the file, or use the "
                "runtime onnxruntime"
            ) from None
        self.input_names = [port.any_name for port in self._model.inputs]
        self.output_names = [port.any_name for port in self._model.outputs]
        self._requests = threading.local()

    def run(self, outputs: Sequence[str], inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        # A request holds the arrays of one run, so every thread has its own.
        request = getattr(self._requests, "one", None)
        if request is None:
            request = self._requests.one = self._model.create_infer_request()
        whole = {name: np.ascontiguousarray(array) for name, array in inputs.items()}
        try:
            request.infer(whole, share_inputs=True)
        except RuntimeError as error:
            raise ValueError(_reason(error)) from None
        return [request.get_tensor(name).data.copy() for name in outputs]


@cache
def _core() -> Any:
    """Return OpenVINO's entry, without its telemetry, which would report even the import.

    Raises:
        MissingExtraError: It is not installed.
    """
    telemetry = "openvino_telemetry"
    before = sys.modules.get(telemetry)
    sys.modules[telemetry] = None  # type: ignore[assignment]  # OpenVINO then takes a stub of it.
    try:
        openvino = importlib.import_module("openvino")
    except ImportError:
        raise MissingExtraError("openvino", "openvino") from None
    finally:
        del sys.modules[telemetry]
        if before is not None:
            sys.modules[telemetry] = before
    return openvino.Core()


def _reason(error: RuntimeError) -> str:
    """Return the last line of OpenVINO's message; the first ones name places in its source."""
    return str(error).strip().rpartition("\n")[2]
