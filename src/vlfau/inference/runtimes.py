"""Opens a bundle on the runtime of a name."""

import statistics
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Final, get_args

import numpy as np

from vlfau.errors import ConfigError
from vlfau.inference.backend import Backend, OrtBackend
from vlfau.inference.bundle import Bundle
from vlfau.inference.openvino_backend import OpenVinoBackend, computes_with_bf16
from vlfau.inference.runtime_names import Runtime

__all__ = ["available_runtimes", "chosen_runtime", "open_backend"]

_OPENERS: Final[Mapping[Runtime, Callable[[Bundle, int], Backend]]] = {
    "onnxruntime": lambda bundle, threads: OrtBackend(bundle, threads=threads),
    "openvino": lambda bundle, threads: OpenVinoBackend(bundle, threads=threads),
    "openvino-bf16": lambda bundle, threads: OpenVinoBackend(bundle, threads=threads, precision="bf16"),
}
_TURNS: Final = 5
_MARGIN: Final = 0.8
"""Of ONNX Runtime's time another may take to be chosen: less would let chance choose."""


def open_backend(bundle: Bundle, runtime: Runtime = "onnxruntime", *, threads: int = 1) -> Backend:
    """Open a bundle on a runtime.

    Args:
        bundle: A checked bundle.
        runtime: Its name.
        threads: Threads that one graph may use.

    Raises:
        ConfigError: There is no such runtime, or the processor lacks its precision.
        MissingExtraError: The runtime is not installed.
    """
    return _OPENERS[chosen_runtime(bundle, runtime, threads=threads)](bundle, threads)


def chosen_runtime(bundle: Bundle, runtime: Runtime, *, threads: int = 1) -> Runtime:
    """Return the runtime that a name stands for, which may be missing or lack its precision.

    `auto` is the one that sees a face in the least time; ONNX Runtime unless another saves a fifth of its time.

    Args:
        bundle: A checked bundle.
        runtime: The name.
        threads: Threads that one graph may use.

    Raises:
        ConfigError: There is no such runtime.
    """
    if runtime not in get_args(Runtime):
        raise ConfigError(f"runtime is {runtime!r}; give one of {', '.join(get_args(Runtime))}")
    return _fastest(bundle, threads) if runtime == "auto" else runtime


def available_runtimes() -> tuple[Runtime, ...]:
    """Return the runtimes that are installed and that the processor can run; ONNX Runtime is the first."""
    if find_spec("openvino") is None:
        return ("onnxruntime",)
    return ("onnxruntime", "openvino", "openvino-bf16") if computes_with_bf16() else ("onnxruntime", "openvino")


def _fastest(bundle: Bundle, threads: int) -> Runtime:
    names = available_runtimes()
    if len(names) == 1:
        return names[0]
    size = bundle.info.crop.crop_size
    crop = np.zeros((1, size, size, 3), np.uint8)
    backends = {name: _OPENERS[name](bundle, threads) for name in names}
    seconds: dict[Runtime, list[float]] = {name: [] for name in names}
    for turn in range(1 + _TURNS):
        for name, backend in backends.items():
            start = time.perf_counter()
            backend.encode(crop)
            if turn:  # The first opens the graph.
                seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    fastest = min(medians, key=medians.__getitem__)
    return fastest if medians[fastest] < _MARGIN * medians["onnxruntime"] else "onnxruntime"
