"""How every ONNX graph of this package is opened."""

import contextlib
import io
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

# Read when the library is loaded; switches off its telemetry, for privacy.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime as ort

from vlfau.errors import BundleError, ConfigError, VlfauError

__all__ = ["CPU", "available_providers", "batch_size", "open_session"]

CPU: Final = ("CPUExecutionProvider",)
_DIRECTML: Final = "DmlExecutionProvider"
_OPTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    # Batches come in all sizes, and trying every algorithm for each takes longer than it saves.
    "CUDAExecutionProvider": {"cudnn_conv_algo_search": "HEURISTIC"},
}
_FATAL: Final = 4
_OUT_OF_MEMORY = ("bad_alloc", "Failed to allocate", "Cannot allocate memory", "out of memory")

if hasattr(ort, "disable_telemetry_events"):
    ort.disable_telemetry_events()  # on Windows an older way of reporting does not ask for the variable


def available_providers() -> tuple[str, ...]:
    """Return the providers of the installed ONNX Runtime; whether they start here shows when a session is opened."""
    return tuple(ort.get_available_providers())


def batch_size(providers: Sequence[str] = CPU) -> int:
    """Return how many inputs are best computed in one call.

    On a CPU only a few: the layers of more leave its cache, so that each of 40 faces takes 1.7 times as long, and their
    memory stays allocated.
    """
    return 4 if providers[0] in CPU else 64


def open_session(path: Path, *, threads: int = 1, providers: Sequence[str] = CPU) -> ort.InferenceSession:
    """Open a graph.

    Args:
        path: The .onnx file.
        threads: Threads that one call may use.
        providers: What computes it, as ONNX Runtime names it: each part by the first that can.

    Raises:
        BundleError: The file is missing or not an ONNX graph.
        ConfigError: The first provider does not start here.
        VlfauError: There is too little memory.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that spin while they wait slow a machine that has other work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    first = providers[0]
    if first not in CPU:
        options.log_severity_level = _FATAL  # What does not start is said below.
    if first == _DIRECTML:
        options.enable_mem_pattern = False
    if any(name.startswith("CUDA") for name in providers) and hasattr(ort, "preload_dlls"):
        with _quiet():
            ort.preload_dlls()
    if not path.is_file():
        raise BundleError(f"{path} does not exist; install vlfau again, or restore the bundle")
    try:
        with contextlib.nullcontext() if first in CPU else _quiet():
            session = ort.InferenceSession(
                str(path),
                options,
                providers=list(providers),
                provider_options=[dict(_OPTIONS.get(name, {})) for name in providers],
            )
    except Exception as error:  # ONNX Runtime's own exceptions have no common public base
        if isinstance(error, MemoryError) or any(sign in str(error) for sign in _OUT_OF_MEMORY):
            raise VlfauError(
                f"there is too little memory to open {path}; close other programs, or allow this one more"
            ) from None
        raise BundleError(f"{path} is not an ONNX graph that can be run ({error}); restore the file") from error
    if first not in session.get_providers():
        raise ConfigError(
            f"ONNX Runtime's {first} does not start on this machine; check its driver and libraries, or choose the "
            "runtime onnxruntime"
        )
    return _OneAtATime(session) if first == _DIRECTML else session


def _quiet() -> contextlib.AbstractContextManager[object]:
    """Keep what ONNX Runtime prints of libraries that it does not find out of the results."""
    return contextlib.redirect_stdout(io.StringIO())


class _OneAtATime:
    """A session that is not run by two threads at once, which DirectML forbids."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session, self._lock = session, threading.Lock()

    def run(self, outputs: Sequence[str] | None, inputs: Mapping[str, NDArray[np.generic]]) -> list[NDArray[Any]]:
        with self._lock:
            arrays: list[NDArray[Any]] = self._session.run(outputs, inputs)
        return arrays

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)
