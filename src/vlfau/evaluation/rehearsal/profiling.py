"""Profiling of one network. Each part is a check of its own, so that one failure does not stop the others."""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import torch

from vlfau.data.manifest import Manifest
from vlfau.evaluation.prediction_runner import EvalOptions
from vlfau.evaluation.rehearsal.checks import Checklist, Outcome, Status
from vlfau.evaluation.rehearsal.costs import DiskSizes, Rates
from vlfau.evaluation.rehearsal.memory import MemoryProfile
from vlfau.evaluation.rehearsal.network_timer import NetworkTimer
from vlfau.evaluation.rehearsal.resources import device_name
from vlfau.evaluation.rehearsal.sampling import sample_frames, write_sample
from vlfau.evaluation.rehearsal.timing import Clock, Timings, time_sizes
from vlfau.evaluation.rehearsal.workload import network_key
from vlfau.training import TrainConfig

__all__ = ["Profile", "Profiler", "measure_captioning"]

Value = TypeVar("Value")

STEP_SHARE, OTHER_SHARE = 0.7, 0.1
"""Shares of a network's time budget: for its training step, and for each of the other three parts."""
NUM_LOADED = 32
"""Faces that are read to time the loading."""
BUSY_SHARE = 0.6
"""Share of the processors; if training gets less, other processes use the machine."""
MIB = 2**20


@dataclass(frozen=True)
class Profile:
    """The measurements of one network.

    Attributes:
        rates: How fast it is.
        memory: Peak memory of its training steps.
    """

    rates: Rates
    memory: MemoryProfile


class Profiler:
    """Measures the speed and memory of one network.

    Args:
        config: The network's configuration, with a small manifest.
        options: How the evaluation runs it.
        checks: The checklist, which gets one check per part.
        label: Suffix of the name of each check, to tell networks apart; may be empty.
        budget_s: Approximate number of seconds to spend.
        describes: Whether the real run describes faces.
        clock: Returns the time in seconds.
    """

    def __init__(
        self,
        config: TrainConfig,
        options: EvalOptions,
        checks: Checklist,
        *,
        label: str,
        budget_s: float,
        describes: bool,
        clock: Clock,
    ) -> None:
        self._config, self._options, self._checks, self._label = config, options, checks, label
        self._budget_s, self._describes, self._clock = budget_s, describes, clock

    def run(self, *, read_s: float, picture_s: float, scratch: Callable[[DiskSizes], Path]) -> Profile | None:
        """Measure every part of a run.

        Args:
            read_s: Seconds to read the whole manifest.
            picture_s: Seconds to read a picture for the first time.
            scratch: Returns a folder to write to, if the disk has room for these sizes.

        Returns:
            The profile; None if a part failed, which is among the checks.
        """
        started = self._clock()
        timer = self._check("network", self._build)
        if timer is None:
            return None
        build_s = self._clock() - started
        captions = timer.has_captions and self._describes
        memory, batch, faces = MemoryProfile(timer), self._config.run.batch_size, self._options.batch_size
        before = self._clock(), time.process_time()
        step = self._check("training step", lambda: self._time(memory.step, batch, STEP_SHARE, memory.fits))
        if step is not None and timer.device.type == "cpu":
            self._note_other_work(self._clock() - before[0], time.process_time() - before[1])
        load = self._check("loading", lambda: self._load(timer, picture_s))
        validate = self._check("validation", lambda: self._time(timer.time_validation, batch))
        see = self._check("evaluation", lambda: self._time(timer.time_prediction, faces))
        speak = self._check("captions", lambda: self._time(timer.time_captioning, faces)) if captions else None
        score = self._check("caption scores", lambda: self._score(timer)) if speak is not None else 0.0
        saved = self._check("saving", lambda: self._save(timer, scratch))
        if step is None or load is None or validate is None or see is None or score is None or saved is None:
            return None
        if captions and speak is None:
            return None
        rates = Rates(
            step=step,
            validate=validate,
            see=see,
            speak=speak,
            load=load,
            score=score,
            save=saved.seconds,
            start=2 * (read_s + build_s),  # once for training, once for the evaluation
            sizes=saved.sizes,
            peak=memory.at(batch),
            peak_is_measured=step.is_measured,
        )
        return Profile(rates, memory)

    def _check(self, name: str, check: Callable[[], Outcome[Value]]) -> Value | None:
        return self._checks.run(name + self._label, check)

    def _note_other_work(self, seconds: float, cpu_seconds: float) -> None:
        """Add a note if other processes used the processors."""
        share = cpu_seconds / (seconds * torch.get_num_threads())
        if share < BUSY_SHARE:
            message = (
                f"other processes use this machine: training got {share:.0%} of the processor time that it could use, "
                "so it is slower than it would be alone"
            )
            self._checks.add(f"other work{self._label}", Status.NOTE, message)

    def _build(self) -> Outcome[NetworkTimer]:
        timer = NetworkTimer(self._config, self._options, clock=self._clock)
        weights = f"{timer.num_parameters / 1e6:.1f} million weights"
        return Outcome(timer, f"{self._config.model.backbone}, {weights}, on {device_name(timer.device)}")

    def _time(
        self,
        run: Callable[[int, int], float],
        wanted: int,
        share: float = OTHER_SHARE,
        fits: Callable[[int], bool] = lambda size: True,
    ) -> Outcome[Timings]:
        timings = time_sizes(run, wanted, budget_s=share * self._budget_s, fits=fits, clock=self._clock)
        return Outcome(timings, f"{timings.seconds:.3g} s for {wanted} faces, {timings.text()}")

    def _load(self, timer: NetworkTimer, picture_s: float) -> Outcome[float]:
        # The sample is in the file cache by now; the pictures of the real run are not.
        seconds = max(timer.time_loading(NUM_LOADED), picture_s)
        workers = self._config.run.num_workers
        return Outcome(
            seconds, f"{1 / seconds:,.0f} faces/s are read and augmented by one process (run.num_workers is {workers})"
        )

    def _score(self, timer: NetworkTimer) -> Outcome[float]:
        seconds = timer.time_caption_scoring()
        return Outcome(seconds, f"{1000 * seconds:.3g} ms for the captions of one face")

    def _save(self, timer: NetworkTimer, scratch: Callable[[DiskSizes], Path]) -> Outcome["_Saved"]:
        sizes = timer.disk_sizes()
        seconds = timer.time_saving(scratch(sizes))
        files = f"{sizes.resume / MIB:,.0f} MiB to resume from, and a checkpoint of {sizes.checkpoint / MIB:,.0f} MiB"
        return Outcome(_Saved(seconds, sizes), f"{files}, written in {seconds:.2g} s")


@dataclass(frozen=True)
class _Saved:
    seconds: float
    sizes: DiskSizes


BUDGET_S = 5.0


def measure_captioning(
    configs: Sequence[TrainConfig], manifest: Manifest, options: EvalOptions, *, budget_s: float = BUDGET_S
) -> dict[str, float]:
    """Return the seconds to describe a face and to score its captions, for every network with captions.

    Args:
        configs: The configurations of the runs; those with the same parts share a network.
        manifest: The frames to sample from.
        options: How the evaluation runs networks.
        budget_s: Approximate number of seconds to spend on each network, besides building it.

    Returns:
        Seconds per face by `network_key`. The weights are random, so these are upper limits: captions of an untrained
        network have maximum length.

    Raises:
        InputError: A configuration or a picture is wrong.
    """
    rates = {}
    with tempfile.TemporaryDirectory() as folder:
        sample = Path(folder) / "sample.csv"
        write_sample(manifest, sample_frames(manifest.frames, 0), sample)
        for key, config in {network_key(config.model): config for config in configs}.items():
            if not (config.model.local_language or config.model.global_language):
                continue
            small = replace(
                config,
                data=replace(config.data, manifest=sample, keep_in_memory=False),
                stem=replace(config.stem, weights=None),
            )
            timer = NetworkTimer(small, options)
            timings = time_sizes(timer.time_captioning, options.batch_size, budget_s=budget_s)
            rates[key] = timings.per_face + timer.time_caption_scoring()
    return rates
