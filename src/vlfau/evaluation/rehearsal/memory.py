"""The memory that training takes on this machine, against what there is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from vlfau.errors import ConfigError
from vlfau.evaluation.rehearsal.checks import Found
from vlfau.evaluation.rehearsal.machine import Peak, available_memory, device_memory, peak_memory, reset_peak
from vlfau.evaluation.rehearsal.trial import Trial
from vlfau.evaluation.rehearsal.work import DataCount
from vlfau.training import TrainConfig

__all__ = ["MemoryLine", "memory_found"]

SAFETY = 1.1
"""By how much a prediction of memory may be too low."""
GIB = 2**30


class MemoryLine:
    """The most memory of training steps, by their number of faces.

    Args:
        trial: The network.
    """

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self._process: list[tuple[int, float]] = []
        self._device: list[tuple[int, float]] = []

    def step(self, size: int, calls: int) -> float:
        """Make training steps, and look at the memory."""
        device = self._trial.device
        reset_peak(device)
        seconds = self._trial.step(size, calls)
        peak = peak_memory(device)
        # The first step of all has its activations before the optimiser has its moments.
        later = self._trial.moments if calls == 1 else 0
        if peak.process is not None:
            self._process.append((size, peak.process + (later if peak.device is None else 0)))
        if peak.device is not None:
            self._device.append((size, peak.device + later))
        return seconds

    @property
    def device(self) -> torch.device:
        """Where the steps are made."""
        return self._trial.device

    def is_measured(self, size: int) -> bool:
        """Say whether a step of some faces was made."""
        return size in dict(self._process or self._device)

    def at(self, size: int) -> Peak:
        """Return the most memory of a step of some faces, as measured or on the line through the two largest."""
        return Peak(_at(self._process, size), _at(self._device, size))

    def fits(self, size: int) -> bool:
        """Say whether a step of some faces will find the memory that it needs, as far as that is known."""
        peak = self.at(size)
        limits = (peak.process, available_memory()), (peak.device, device_memory(self._trial.device))
        return all(need is None or there is None or SAFETY * need <= there for need, there in limits)


def memory_found(config: TrainConfig, lines: Sequence[MemoryLine], counts: DataCount) -> Found[None]:
    """Compare the memory that training needs with what there is.

    Args:
        config: What is trained.
        lines: What was measured of each network.
        counts: The whole data, which may be kept in memory.

    Raises:
        ConfigError: It will not be enough; the message says which batch would fit.
    """
    batch = config.run.batch_size
    kept = 3 * config.data.aligned_size**2 * counts.frames if config.data.keep_in_memory else 0
    needs = []
    for line in lines:
        peak = line.at(batch)
        needs.append(_Need("this process", line, peak.process, available_memory(), kept))
        needs.append(_Need("the GPU", line, peak.device, device_memory(line.device), 0))
    known = [need for need in needs if need.training is not None]
    for need in known:
        if need.total > (need.there or math.inf):
            raise ConfigError(f"{need.text(batch)}; {need.way_out(config)}")
    most = {need.place: need for need in sorted(known, key=lambda need: need.total)}
    return Found(None, "; ".join(need.text(batch) for need in most.values()) or "this system does not tell it")


@dataclass(frozen=True)
class _Need:
    """What one kind of memory must hold, in bytes; None for what is unknown."""

    place: str
    line: MemoryLine
    training: int | None
    there: int | None
    pictures: int

    @property
    def total(self) -> int:
        return (self.training or 0) + self.pictures

    def text(self, batch: int) -> str:
        how = "measured" if self.line.is_measured(batch) else "extrapolated"
        there = "what there is, is unknown" if self.there is None else f"{self.there / GIB:.1f} GiB are there"
        return f"{self.total / GIB:.1f} GiB of {self.place} with {batch} faces, {how}; {there}"

    def way_out(self, config: TrainConfig) -> str:
        room = (self.there or 0) - self.pictures
        if room <= 0:
            return "set data.keep_in_memory to false"
        batch = config.run.batch_size
        while batch > 1:
            batch //= 2
            peak = self.line.at(batch)
            need = peak.device if self.place == "the GPU" else peak.process
            if need is not None and SAFETY * need <= room:
                more = -(-config.run.batch_size // batch) * config.run.accumulate_batches
                return f"set run.batch_size={batch} and run.accumulate_batches={more}"
        return "use a machine with more memory, or a smaller network"


def _at(points: list[tuple[int, float]], size: int) -> int | None:
    if not points:
        return None
    return round(dict(points).get(size) or _on_line(points, size))


def _on_line(points: Sequence[tuple[int, float]], size: int) -> float:
    """Extrapolate to a size by the line through the last two points; one point alone counts as proportional.

    The line is at least level, and at most as steep as if all were proportional to the size, since there is never less
    than nothing without a face.

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
