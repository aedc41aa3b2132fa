"""Rehearses a long run: tries every part once on a small part of the data, times it, and adds up the cost."""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from vlfau.data.manifest import Manifest
from vlfau.errors import InputError
from vlfau.evaluation.crossval import choose_folds
from vlfau.evaluation.prediction_runner import EvalOptions
from vlfau.evaluation.rehearsal.checks import Check, Checklist, OnCheckEnd, OnCheckStart, Outcome, Status
from vlfau.evaluation.rehearsal.costs import (
    REHEARSAL_FILE,
    DiskSizes,
    Rates,
    RunCost,
    SavedRates,
    estimate_cost,
    rate_settings,
    write_rates,
)
from vlfau.evaluation.rehearsal.data_checks import (
    check_active_aus,
    check_manifest,
    check_pictures,
    check_unique_pictures,
)
from vlfau.evaluation.rehearsal.memory import check_memory
from vlfau.evaluation.rehearsal.profiling import Profile, Profiler
from vlfau.evaluation.rehearsal.run_checks import (
    check_disk,
    check_output_folder,
    check_scratch_space,
    check_stem_weights,
    validation_note,
)
from vlfau.evaluation.rehearsal.sampling import (
    NUM_DESCRIBED,
    sample_frames,
    small_batch_size,
    small_config,
    write_sample,
    write_small_manifest,
)
from vlfau.evaluation.rehearsal.timing import Clock
from vlfau.evaluation.rehearsal.workload import DataCount, Workload, network_key, workloads
from vlfau.evaluation.tested import Scope
from vlfau.training import TrainConfig

__all__ = ["Rehearsal", "Task", "rehearse"]

PROFILING_SHARE: Final = 0.6
"""Share of the time for profiling; the rest is for the end-to-end run."""
MARKER: Final = ".vlfau-rehearsal"


@dataclass(frozen=True)
class Task:
    """The runs to rehearse.

    Attributes:
        config: The configuration of the runs.
        out: The folder of the real runs.
        plan: Returns the configuration of every real run for the given test folds.
        train_and_evaluate: Trains and evaluates a configuration in a folder, with the given test folds and scope.
        folds: The test folds; None for all folds of the manifest.
        scope: How much the real run measures.
        options: How the real run evaluates networks.
        counts: Counts of the whole data set, if the manifest holds a part of it; None counts the manifest.
        labels: The name of every network of an ablation, by `network_key`; empty for a cross-validation.
    """

    config: TrainConfig
    out: Path
    plan: Callable[[Sequence[int]], Sequence[TrainConfig]]
    train_and_evaluate: Callable[[TrainConfig, Path, Sequence[int], Scope], object]
    folds: Sequence[int] | None = None
    scope: Scope = field(default_factory=Scope)
    options: EvalOptions = field(default_factory=EvalOptions)
    counts: DataCount | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rehearsal:
    """The result of a rehearsal.

    Attributes:
        checks: The results of all checks, in order.
        costs: The estimated cost of every run; empty if too little could be measured.
        profiles: The measurements of each network, by `network_key`.
        seconds: Duration of the rehearsal.
    """

    checks: tuple[Check, ...]
    costs: tuple[RunCost, ...]
    profiles: Mapping[str, Profile]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether no check found a problem or was skipped."""
        return all(check.status in {Status.OK, Status.NOTE} for check in self.checks)


def rehearse(
    task: Task,
    *,
    tables: Callable[[Path, Path], object],
    minutes: float = 5.0,
    on_start: OnCheckStart = lambda name: None,
    on_end: OnCheckEnd = lambda check: None,
    clock: Clock = time.perf_counter,
) -> Rehearsal:
    """Run a cross-validation or an ablation end to end on a small part of its data, and estimate the cost of the whole.

    Everything is written to a temporary folder beside the runs' folder. The runs' folder gets only `rehearsal.json`,
    from which the real command reports its expected cost.

    Args:
        task: The runs to rehearse.
        tables: Writes the tables and figures of the runs in the first folder into the second.
        minutes: Approximate duration.
        on_start: Called with the name of every check before it runs.
        on_end: Called with the result of every check.
        clock: Returns the time in seconds.
    """
    started = clock()
    stages = _Stages(task, Checklist(on_start, on_end), seconds=60 * minutes, clock=clock)
    with _scratch(task.out) as folder:
        costs = stages.run(folder, tables)
    return Rehearsal(tuple(stages.checks.checks), costs, stages.profiles, clock() - started)


class _Stages:
    """The stages of a rehearsal, and the results that later stages need."""

    def __init__(self, task: Task, checks: Checklist, *, seconds: float, clock: Clock) -> None:
        self.task, self.checks, self.clock, self.seconds = task, checks, clock, seconds
        self.end = clock() + seconds
        self.profiles: dict[str, Profile] = {}

    def run(self, folder: Path, tables: Callable[[Path, Path], object]) -> tuple[RunCost, ...]:
        """Run all stages in a scratch folder, and return the estimated cost of the real runs."""
        task, checks = self.task, self.checks
        started = self.clock()
        manifest = checks.run("manifest", lambda: check_manifest(task.config))
        read_s = self.clock() - started
        config = task.config
        if checks.run("stem weights", lambda: check_stem_weights(config)) is None:
            config = replace(config, stem=replace(config.stem, weights=None))  # The other checks do not need them.
        if manifest is None:
            return self._stopped("the manifest cannot be read", "subjects", "folds", "pictures")
        counts = task.counts or DataCount.of(manifest)
        checks.run("subjects", lambda: check_unique_pictures(manifest, counts))
        folds = checks.run("folds", lambda: self._folds(manifest))
        sample = self._sample(manifest, folder / "sample.csv")
        if folds is not None:
            checks.run("active AUs", lambda: check_active_aus(counts, folds, str(manifest.path)))
        if folds is None or sample is None:
            return self._stopped("folds or pictures are missing")
        planned = checks.run("settings", lambda: self._planned(folds))
        if planned is None:
            return self._stopped("the runs cannot be planned")
        checks.run(
            "output folder", lambda: check_output_folder(planned, task.out, manifest_is_whole=task.counts is None)
        )
        runs = workloads(planned, task.out, counts, task.scope)
        networks = {network_key(each.model): each for each in reversed(planned)}
        for network in networks.values():
            small = self._small(network, config, sample)
            budget_s = PROFILING_SHARE * self.seconds / len(networks)
            self._profile(small, folder / "saved", budget_s=budget_s, picture_s=sample.seconds, read_s=read_s)
        rates = {key: each.rates for key, each in self.profiles.items()}
        is_complete = {run.network for run in runs} == rates.keys()
        if is_complete:
            memory = [each.memory for each in self.profiles.values()]
            checks.run("memory", lambda: check_memory(config, memory, counts))
            checks.run("disk", lambda: check_disk(runs, rates, task.out))
        else:
            self._skip("some parts could not be measured", "memory", "disk")
        self._run_end_to_end(manifest, folder, folds, config, tables)
        return self._costs(runs, rates) if is_complete else ()

    def _folds(self, manifest: Manifest) -> Outcome[list[int]]:
        folds = choose_folds(manifest, self.task.folds)
        return Outcome(folds, f"{', '.join(map(str, folds))} are left out in turn")

    def _sample(self, manifest: Manifest, path: Path) -> "_Sample | None":
        """Write a manifest of a few frames whose pictures can be read; None if there are none."""
        indices, started = sample_frames(manifest.frames, 0), self.clock()
        usable = self.checks.run("pictures", lambda: check_pictures(self.task.config, manifest, indices))
        seconds = (self.clock() - started) / len(indices)
        if not usable:
            return None
        write_sample(manifest, usable, path)
        return _Sample(path, seconds)

    def _planned(self, folds: Sequence[int]) -> Outcome[Sequence[TrainConfig]]:
        planned = self.task.plan(folds)
        return Outcome(planned, f"{len(planned)} runs of {planned[0].run.max_epochs} epochs")

    def _small(self, run: TrainConfig, config: TrainConfig, sample: "_Sample") -> TrainConfig:
        """Return the configuration of a real run on the sample, with stem weights that can be loaded."""
        return replace(run, stem=config.stem, data=replace(run.data, manifest=sample.path))

    def _profile(self, config: TrainConfig, scratch: Path, *, budget_s: float, picture_s: float, read_s: float) -> None:
        """Profile one network."""
        task, key = self.task, network_key(config.model)
        profiler = Profiler(
            config,
            task.options,
            self.checks,
            label=f" {task.labels[key]}" if task.labels else "",
            budget_s=budget_s,
            describes=task.scope.describe,
            clock=self.clock,
        )

        def make_scratch(sizes: DiskSizes) -> Path:
            check_scratch_space(sizes, task.out)
            scratch.mkdir()
            return scratch

        profile = profiler.run(read_s=read_s, picture_s=picture_s, scratch=make_scratch)
        shutil.rmtree(scratch, ignore_errors=True)
        if profile is not None:
            self.profiles[key] = profile

    def _run_end_to_end(
        self,
        manifest: Manifest,
        folder: Path,
        folds: Sequence[int],
        config: TrainConfig,
        tables: Callable[[Path, Path], object],
    ) -> None:
        """Train, evaluate and write the tables on a few frames."""
        runs = folder / "runs"

        def train() -> Outcome[bool]:
            started, path = self.clock(), folder / "small.csv"
            rates = {key: each.rates for key, each in self.profiles.items()}
            repeats = 1 if self.task.labels else len(folds)  # An ablation uses its first fold only.
            frames = write_small_manifest(manifest, path, rates, runs=repeats, seconds=(self.end - started) / 2)
            small = small_config(config, path, small_batch_size(config, rates, self.seconds))
            described = min(NUM_DESCRIBED, self.task.scope.described_frames or NUM_DESCRIBED)
            self.task.train_and_evaluate(small, runs, folds, replace(self.task.scope, described_frames=described))
            message = (
                f"trained, validated, evaluated and described on {frames} frames in {self.clock() - started:.0f} s"
            )
            return Outcome(True, f"{message}, with batches of {small.run.batch_size}")

        def write() -> Outcome[bool]:
            tables(runs, folder / "report")
            return Outcome(True, "tables, figures and the report were written from these runs")

        if self.checks.run("end-to-end run", train) is None:
            self._skip("the end-to-end run failed", "tables")
        else:
            self.checks.run("tables", write)

    def _costs(self, runs: Sequence[Workload], rates: Mapping[str, Rates]) -> tuple[RunCost, ...]:
        """Estimate the cost of the real runs, and save the rates for the real command."""
        config, out = self.task.config, self.task.out
        workers = min(config.run.num_workers, os.cpu_count() or 1)
        costs = tuple(estimate_cost(run, rates[run.network], num_workers=workers) for run in runs)

        def save() -> Outcome[bool]:
            out.mkdir(parents=True, exist_ok=True)
            write_rates(out, SavedRates(rate_settings(config, self.task.options), dict(rates)))
            return Outcome(True, f"the rates are saved in {out / REHEARSAL_FILE}")

        self.checks.run("rates", save)
        note = validation_note(config, costs)
        if note is not None:
            self.checks.add("validations", Status.NOTE, note)
        return costs

    def _stopped(self, why: str, *names: str) -> tuple[RunCost, ...]:
        self._skip(why, *names, "training", "captions", "memory", "disk", "end-to-end run", "tables")
        return ()

    def _skip(self, why: str, *names: str) -> None:
        for name in names:
            self.checks.add(name, Status.SKIPPED, why)


@dataclass(frozen=True)
class _Sample:
    """A manifest of a few frames, and the seconds to read one of its pictures for the first time."""

    path: Path
    seconds: float


@contextmanager
def _scratch(out: Path) -> Iterator[Path]:
    """Make an empty folder on the disk of the runs, and remove it at the end.

    Raises:
        InputError: The folder cannot be made, or holds files that are not from a rehearsal.
    """
    folder = out.absolute().with_name(f".{out.absolute().name}-rehearsal")
    marker = folder / MARKER
    if folder.exists() and not marker.is_file() and any(folder.iterdir()):
        raise InputError(f"{folder} is the scratch folder of the rehearsal, but holds other files; move it away")
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        marker.touch()
    except OSError as error:
        raise InputError(f"cannot write to {folder} ({error.strerror}); choose another --out") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
