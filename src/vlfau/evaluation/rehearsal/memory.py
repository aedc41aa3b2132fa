"""The memory that training needs, compared with the memory of this machine."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from vlfau.errors import ConfigError
from vlfau.evaluation.rehearsal.checks import Outcome
from vlfau.evaluation.rehearsal.network_timer import NetworkTimer
from vlfau.evaluation.rehearsal.resources import PeakMemory, available_memory, device_memory, peak_memory, reset_peak
from vlfau.evaluation.rehearsal.workload import DataCount
from vlfau.training import TrainConfig

__all__ = ["MemoryProfile", "check_memory"]

SAFETY = 1.1
"""Factor by which the predicted memory may be too low."""
GIB = 2**30
PROCESS, GPU = "this process", "the GPU"


class MemoryProfile:
    """Peak memory of training steps, by their number of faces.

    Args:
        timer: Runs the training steps.
    """

    def __init__(self, timer: NetworkTimer) -> None:
        self._timer = timer
        self._process: list[tuple[int, float]] = []
        self._device: list[tuple[int, float]] = []

    def step(self, size: int, calls: int) -> float:
        """Make training steps, record their peak memory, and return the seconds of the last one."""
        device = self._timer.device
        reset_peak(device)
        seconds = self._timer.time_step(size, calls)
        peak = peak_memory(device)
        # AdamW allocates its moments at the end of the first step, after the peak of the activations.
        later = self._timer.optimiser_bytes if calls == 1 else 0
        if peak.process is not None:
            self._process.append((size, peak.process + (later if peak.device is None else 0)))
        if peak.device is not None:
            self._device.append((size, peak.device + later))
        return seconds

    @property
    def device(self) -> torch.device:
        """The device of the network."""
        return self._timer.device

    def is_measured(self, size: int) -> bool:
        """Return whether a step with this number of faces was made."""
        return size in dict(self._process or self._device)

    def at(self, size: int) -> PeakMemory:
        """Return the peak memory of a step, as measured or on the line through the two largest steps."""
        return PeakMemory(_at(self._process, size), _at(self._device, size))

    def fits(self, size: int) -> bool:
        """Return whether the machine has the memory for a step, as far as that is known."""
        peak = self.at(size)
        limits = (peak.process, available_memory()), (peak.device, device_memory(self._timer.device))
        return all(need is None or limit is None or SAFETY * need <= limit for need, limit in limits)


def check_memory(config: TrainConfig, profiles: Sequence[MemoryProfile], counts: DataCount) -> Outcome[None]:
    """Compare the memory that training needs with the memory of this machine.

    Args:
        config: The configuration of the run.
        profiles: The measurements of each network.
        counts: The size of the whole data set, which may be kept in memory.

    Raises:
        ConfigError: The memory is not enough; the message says which batch size would fit.
    """
    batch = config.run.batch_size
    kept = 3 * config.data.aligned_size**2 * counts.frames if config.data.keep_in_memory else 0
    needs = []
    for profile in profiles:
        peak = profile.at(batch)
        needs.append(_Need(PROCESS, profile, peak.process, available_memory(), kept))
        needs.append(_Need(GPU, profile, peak.device, device_memory(profile.device), 0))
    known = [need for need in needs if need.training is not None]
    for need in known:
        if need.total > (need.available or math.inf):
            raise ConfigError(f"{need.text(batch)}; {need.remedy(config)}")
    largest = {need.memory: need for need in sorted(known, key=lambda need: need.total)}
    return Outcome(None, "; ".join(need.text(batch) for need in largest.values()) or "this system does not report it")


@dataclass(frozen=True)
class _Need:
    """The need for one kind of memory, in bytes; None where unknown."""

    memory: str
    profile: MemoryProfile
    training: int | None
    available: int | None
    pictures: int

    @property
    def total(self) -> int:
        return (self.training or 0) + self.pictures

    def text(self, batch: int) -> str:
        how = "measured" if self.profile.is_measured(batch) else "extrapolated"
        available = "an unknown amount" if self.available is None else f"{self.available / GIB:.1f} GiB"
        return f"{self.memory} needs {self.total / GIB:.1f} GiB with {batch} faces ({how}); {available} available"

    def remedy(self, config: TrainConfig) -> str:
        room = (self.available or 0) - self.pictures
        if room <= 0:
            return "set data.keep_in_memory to false"
        batch = config.run.batch_size
        while batch > 1:
            batch //= 2
            peak = self.profile.at(batch)
            need = peak.device if self.memory == GPU else peak.process
            if need is not None and SAFETY * need <= room:
                more = -(-config.run.batch_size // batch) * config.run.accumulate_batches
                return f"set run.batch_size={batch} and run.accumulate_batches={more}"
        return "use a machine with more memory, or a smaller network"


def _at(points: list[tuple[int, float]], size: int) -> int | None:
    if not points:
        return None
    return round(dict(points).get(size) or _on_line(points, size))


def _on_line(points: Sequence[tuple[int, float]], size: int) -> float:
    """Extrapolate to a size on the line through the last two points; in proportion if there is only one point.

    The slope is at least 0, and at most that of a line through the origin, since a step without faces never needs less
    than nothing.

    >>> _on_line([(2, 5.0), (4, 7.0)], 10)
    13.0
    >>> _on_line([(2, 1.0), (4, 8.0)], 10)
    20.0
    """
    size_last, last = points[-1]
    slope = last / size_last
    if len(points) > 1:
        size_before, before = points[-2]
        slope = min(slope, max(0.0, (last - before) / (size_last - size_before)))
    return last + slope * (size - size_last)
