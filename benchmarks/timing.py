"""Times variants in turns, so that a drift of the machine's speed affects all of them equally."""

import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

__all__ = ["Timing", "describe_machine", "time_in_turns"]


@dataclass(frozen=True)
class Timing:
    """Seconds per call: the median and the quartiles."""

    median: float
    lower: float
    upper: float

    def __str__(self) -> str:
        """Return the median and the quartiles in milliseconds."""
        return f"{1e3 * self.median:.1f} ms ({1e3 * self.lower:.1f} to {1e3 * self.upper:.1f})"


def time_in_turns(variants: Mapping[str, Callable[[], object]], *, repeats: int, warmup: int = 1) -> dict[str, Timing]:
    """Call every variant `warmup + repeats` times, in turns, and time all but the warm-up."""
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for turn in range(warmup + repeats):
        for name, call in variants.items():
            start = time.perf_counter()
            call()
            if turn >= warmup:
                seconds[name].append(time.perf_counter() - start)
    quartiles = {name: np.quantile(times, [0.5, 0.25, 0.75]) for name, times in seconds.items()}
    return {name: Timing(*map(float, values)) for name, values in quartiles.items()}


def describe_machine() -> dict[str, str]:
    """Return a description of this machine and of the versions of libraries."""
    cpuinfo = Path("/proc/cpuinfo")
    names = [line for line in cpuinfo.read_text().splitlines() if "model name" in line] if cpuinfo.exists() else []
    return {
        "processor": f"{len(names)} x {names[0].partition(': ')[2]}" if names else platform.processor(),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{package: version(package) for package in ("torch", "timm", "onnxruntime", "numpy")},
    }
