"""The rates of one network, each part a check of its own, so that one that fails leaves the others."""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import torch

from vlfau.data import Manifest
from vlfau.evaluation.prediction_runner import EvalOptions
from vlfau.evaluation.rehearsal.checks import Checklist, Found, Status
from vlfau.evaluation.rehearsal.costs import Rates, Sizes
from vlfau.evaluation.rehearsal.ladder import Clock, Timed, time_sizes
from vlfau.evaluation.rehearsal.machine import device_name
from vlfau.evaluation.rehearsal.memory import MemoryLine
from vlfau.evaluation.rehearsal.trial import Trial
from vlfau.evaluation.rehearsal.walk import sample_places, write_sample
from vlfau.evaluation.rehearsal.work import network_key
from vlfau.training import TrainConfig

__all__ = ["Measured", "Measuring", "describing_rates"]

Value = TypeVar("Value")

STEP_SHARE, OTHER_SHARE = 0.7, 0.1
"""Of a network's budget: its training step, and each of the other three parts."""
LOADED = 32
BUSY_SHARE = 0.6
"""Of the processors; less than that is more than threads waiting for each other."""
MIB = 2**20


@dataclass(frozen=True)
class Measured:
    """What was measured of one network.

    Attributes:
        rates: Its rates.
        memory: Of its training steps.
        device: What computed.
        parameters: The number of its weights.
    """

    rates: Rates
    memory: MemoryLine
    device: str
    parameters: int


class Measuring:
    """Measures one network.

    Args:
        config: Its configuration, on a small manifest.
        options: How the evaluation runs it.
        checks: Gets a check for every part.
        label: Which network, to follow the name of each check; may be empty.
        budget_s: Seconds to spend, more or less.
        describes: Whether the real run describes faces.
        clock: Tells seconds.
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

    def run(self, *, read_s: float, picture_s: float, scratch: Callable[[Sizes], Path]) -> Measured | None:
        """Measure every part of the work.

        Args:
            read_s: The seconds in which the whole manifest is read.
            picture_s: The seconds in which a picture is read for the first time.
            scratch: Returns a folder to write to, if the disk has room for these sizes.

        Returns:
            None where a part failed, which is then among the checks.
        """
        began = self._clock()
        trial = self._check("network", self._build)
        if trial is None:
            return None
        build_s = self._clock() - began
        speaks = trial.speaks and self._describes
        memory, batch, faces = MemoryLine(trial), self._config.run.batch_size, self._options.batch_size
        before = self._clock(), time.process_time()
        step = self._check("training step", lambda: self._time(memory.step, batch, STEP_SHARE, memory.fits))
        if step is not None and trial.device.type == "cpu":
            self._note_other_work(self._clock() - before[0], time.process_time() - before[1])
        load = self._check("loading", lambda: self._load(trial, picture_s))
        validate = self._check("validation", lambda: self._time(trial.validate, batch))
        see = self._check("evaluation", lambda: self._time(trial.run, faces))
        speak = self._check("words", lambda: self._time(trial.speak, faces)) if speaks else None
        score = self._check("scores of words", lambda: self._score(trial)) if speak is not None else 0.0
        saved = self._check("saving", lambda: self._save(trial, scratch))
        if step is None or load is None or validate is None or see is None or score is None or saved is None:
            return None
        if speaks and speak is None:
            return None
        rates = Rates(
            step=step,
            validate=validate,
            see=see,
            speak=speak,
            load=load,
            score=score,
            save=saved.seconds,
            start=2 * (read_s + build_s),  # for training, and for the evaluation
            sizes=saved.sizes,
            peak=memory.at(batch),
            peak_is_measured=step.is_measured,
        )
        return Measured(rates, memory, device_name(trial.device), trial.parameters)

    def _check(self, name: str, work: Callable[[], Found[Value]]) -> Value | None:
        return self._checks.run(name + self._label, work)

    def _note_other_work(self, seconds: float, of_processor: float) -> None:
        """Say if something else kept this process from the processors."""
        share = of_processor / (seconds * torch.get_num_threads())
        if share < BUSY_SHARE:
            says = (
                f"others use this machine: training had {share:.0%} of the processors that it asked for; alone, all is "
                "faster by that"
            )
            self._checks.add(f"other work{self._label}", Status.NOTE, says)

    def _build(self) -> Found[Trial]:
        trial = Trial(self._config, self._options, clock=self._clock)
        weights = f"{trial.parameters / 1e6:.1f} million weights"
        return Found(trial, f"{self._config.model.backbone}, {weights}, on {device_name(trial.device)}")

    def _time(
        self,
        work: Callable[[int, int], float],
        wanted: int,
        share: float = OTHER_SHARE,
        fits: Callable[[int], bool] = lambda size: True,
    ) -> Found[Timed]:
        timed = time_sizes(work, wanted, budget_s=share * self._budget_s, fits=fits, clock=self._clock)
        return Found(timed, f"{timed.seconds:.3g} s for {wanted} faces, {timed.text()}")

    def _load(self, trial: Trial, picture_s: float) -> Found[float]:
        seconds = max(trial.load(LOADED), picture_s)  # These pictures have been read before, the real run's have not.
        workers = self._config.run.num_workers
        return Found(
            seconds, f"{1 / seconds:,.0f} faces/s are read and varied by one process (run.num_workers {workers})"
        )

    def _score(self, trial: Trial) -> Found[float]:
        seconds = trial.score()
        return Found(seconds, f"{1000 * seconds:.3g} ms for the words of a face")

    def _save(self, trial: Trial, scratch: Callable[[Sizes], Path]) -> Found["_Saved"]:
        sizes = trial.sizes()
        seconds = trial.save(scratch(sizes))
        files = f"{sizes.resume / MIB:,.0f} MiB to resume from and a checkpoint of {sizes.checkpoint / MIB:,.0f} MiB"
        return Found(_Saved(seconds, sizes), f"{files}, written in {seconds:.2g} s")


@dataclass(frozen=True)
class _Saved:
    seconds: float
    sizes: Sizes


BUDGET_S = 5.0


def describing_rates(
    configs: Sequence[TrainConfig], manifest: Manifest, options: EvalOptions, *, budget_s: float = BUDGET_S
) -> dict[str, float]:
    """Return the seconds in which a face is described and its words are scored, for every network that speaks.

    Args:
        configs: Runs; those of the same parts share a network.
        manifest: Their frames.
        options: How the evaluation runs networks.
        budget_s: Seconds to spend on each network, more or less, besides building it.

    Returns:
        Seconds by `network_key`, with random weights: an upper limit, since such words do not end by themselves.

    Raises:
        InputError: A configuration or a picture is wrong.
    """
    rates = {}
    with tempfile.TemporaryDirectory() as folder:
        sample = Path(folder) / "sample.csv"
        write_sample(manifest, sample_places(manifest.frames, 0), sample)
        for key, config in {network_key(config.model): config for config in configs}.items():
            if not (config.model.local_language or config.model.global_language):
                continue
            small = replace(
                config,
                data=replace(config.data, manifest=sample, keep_in_memory=False),
                stem=replace(config.stem, weights=None),
            )
            trial = Trial(small, options)
            timed = time_sizes(trial.speak, options.batch_size, budget_s=budget_s)
            rates[key] = timed.per_face + trial.score()
    return rates
