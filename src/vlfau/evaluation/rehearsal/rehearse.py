"""A rehearsal: every part of a long run tried once on a small part of the data, timed, and added up."""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from vlfau.data import Manifest
from vlfau.errors import InputError
from vlfau.evaluation.crossval import choose_folds
from vlfau.evaluation.prediction_runner import EvalOptions
from vlfau.evaluation.rehearsal.checks import Begin, Check, Checklist, Found, Status, Tell
from vlfau.evaluation.rehearsal.costs import (
    REHEARSAL_FILE,
    Kept,
    Rates,
    RunCost,
    Sizes,
    cost_of,
    rate_settings,
    write_kept,
)
from vlfau.evaluation.rehearsal.data_checks import active_aus, pictures, readable, unique_pictures
from vlfau.evaluation.rehearsal.ladder import Clock
from vlfau.evaluation.rehearsal.measuring import Measured, Measuring
from vlfau.evaluation.rehearsal.memory import memory_found
from vlfau.evaluation.rehearsal.run_checks import disk, output_folder, room_for, stem_weights, validations
from vlfau.evaluation.rehearsal.walk import DESCRIBED, few_epochs, quick_batch, sample_places, write_sample, write_walk
from vlfau.evaluation.rehearsal.work import DataCount, RunWork, network_key, work_of
from vlfau.evaluation.tested import Scope
from vlfau.training import TrainConfig

__all__ = ["Rehearsal", "Task", "rehearse"]

MEASURING_SHARE: Final = 0.6
"""Of the time: for the rates; the rest is for the whole way."""
MARK: Final = ".vlfau-rehearsal"


@dataclass(frozen=True)
class Task:
    """What is rehearsed.

    Attributes:
        config: The configuration.
        out: The folder that the real runs will have.
        plan: Returns the configuration of every real run, for the folds that are left out.
        walk: Trains and evaluates a configuration in a folder, for these folds, with this scope.
        folds: The folds wanted; None for all of the manifest.
        scope: How much the real run measures.
        options: How it runs the networks.
        counts: What the whole data hold, where the manifest has a part of them only; None counts the manifest.
        labels: A name for every network (`network_key`) of an ablation; empty for a cross-validation.
    """

    config: TrainConfig
    out: Path
    plan: Callable[[Sequence[int]], Sequence[TrainConfig]]
    walk: Callable[[TrainConfig, Path, Sequence[int], Scope], object]
    folds: Sequence[int] | None = None
    scope: Scope = field(default_factory=Scope)
    options: EvalOptions = field(default_factory=EvalOptions)
    counts: DataCount | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rehearsal:
    """How a rehearsal ended.

    Attributes:
        checks: What was looked at, in order.
        costs: What every run will take; empty where too little could be measured.
        measured: What was measured, by network.
        seconds: What the rehearsal took.
    """

    checks: tuple[Check, ...]
    costs: tuple[RunCost, ...]
    measured: Mapping[str, Measured]
    seconds: float

    @property
    def stands(self) -> bool:
        """Whether nothing was found that would stop or spoil the real run."""
        return all(check.status in {Status.OK, Status.NOTE} for check in self.checks)


def rehearse(
    task: Task,
    *,
    tables: Callable[[Path, Path], object],
    minutes: float = 5.0,
    begin: Begin = lambda name: None,
    tell: Tell = lambda check: None,
    clock: Clock = time.perf_counter,
) -> Rehearsal:
    """Go the whole way of a cross-validation or an ablation on a small part of its data, and say what all will cost.

    Everything is written to a folder beside the runs' own, which is removed at the end; into the runs' folder goes
    `rehearsal.json` alone, so that the real command can say what it will cost.

    Args:
        task: What to rehearse.
        tables: Writes the tables of the runs of one folder into another.
        minutes: How long it may take, more or less.
        begin: Is told the name of every check before it begins.
        tell: Is told of every check when it has ended.
        clock: Tells seconds.
    """
    began = clock()
    rehearsing = _Rehearsing(task, Checklist(begin, tell), seconds=60 * minutes, clock=clock)
    with _scratch(task.out) as folder:
        costs = rehearsing.run(folder, tables)
    return Rehearsal(tuple(rehearsing.checks.checks), costs, rehearsing.measured, clock() - began)


class _Rehearsing:
    """The stages of a rehearsal, and what each leaves for the next."""

    def __init__(self, task: Task, checks: Checklist, *, seconds: float, clock: Clock) -> None:
        self.task, self.checks, self.clock, self.seconds = task, checks, clock, seconds
        self.end = clock() + seconds
        self.measured: dict[str, Measured] = {}

    def run(self, folder: Path, tables: Callable[[Path, Path], object]) -> tuple[RunCost, ...]:
        """Go through all stages, in a folder to write to, and return what the real runs cost."""
        task, checks = self.task, self.checks
        began = self.clock()
        manifest = checks.run("manifest", lambda: readable(task.config))
        read_s = self.clock() - began
        config = task.config
        if checks.run("stem weights", lambda: stem_weights(config)) is None:
            config = replace(config, stem=replace(config.stem, weights=None))  # The rest does not depend on them.
        if manifest is None:
            return self._stopped("the manifest cannot be read", "people", "folds", "pictures")
        counts = task.counts or DataCount.of(manifest)
        checks.run("people", lambda: unique_pictures(manifest, counts))
        folds = checks.run("folds", lambda: self._folds(manifest))
        sample = self._sample(manifest, folder / "sample.csv")
        if folds is not None:
            checks.run("active AUs", lambda: active_aus(counts, folds, str(manifest.path)))
        if folds is None or sample is None:
            return self._stopped("it needs folds and pictures")
        real = checks.run("settings", lambda: self._planned(folds))
        if real is None:
            return self._stopped("the runs cannot be planned")
        checks.run("output folder", lambda: output_folder(real, task.out, manifest_is_whole=task.counts is None))
        works = work_of(real, task.out, counts, task.scope)
        networks = {network_key(each.model): each for each in reversed(real)}
        for run in networks.values():
            small = self._small(run, config, sample)
            budget_s = MEASURING_SHARE * self.seconds / len(networks)
            self._measure(small, folder / "saved", budget_s=budget_s, picture_s=sample.seconds, read_s=read_s)
        rates = {key: each.rates for key, each in self.measured.items()}
        is_complete = {work.network for work in works} == rates.keys()
        if is_complete:
            lines = [each.memory for each in self.measured.values()]
            checks.run("memory", lambda: memory_found(config, lines, counts))
            checks.run("disk", lambda: disk(works, rates, task.out))
        else:
            self._skip("not everything could be measured", "memory", "disk")
        self._walk(manifest, folder, folds, config, tables)
        return self._costs(works, rates) if is_complete else ()

    def _folds(self, manifest: Manifest) -> Found[list[int]]:
        folds = choose_folds(manifest, self.task.folds)
        return Found(folds, f"{', '.join(map(str, folds))} are left out, one after the other")

    def _sample(self, manifest: Manifest, path: Path) -> "_Sample | None":
        """Write a manifest of a few frames whose pictures can be read; none may be left."""
        places, began = sample_places(manifest.frames, 0), self.clock()
        good = self.checks.run("pictures", lambda: pictures(self.task.config, manifest, places))
        seconds = (self.clock() - began) / len(places)
        if not good:
            return None
        write_sample(manifest, good, path)
        return _Sample(path, seconds)

    def _planned(self, folds: Sequence[int]) -> Found[Sequence[TrainConfig]]:
        real = self.task.plan(folds)
        return Found(real, f"{len(real)} runs of {real[0].run.max_epochs} epochs")

    def _small(self, run: TrainConfig, config: TrainConfig, sample: "_Sample") -> TrainConfig:
        """Return the configuration of a real run on the sample, with weights that can be loaded."""
        return replace(run, stem=config.stem, data=replace(run.data, manifest=sample.path))

    def _measure(self, config: TrainConfig, scratch: Path, *, budget_s: float, picture_s: float, read_s: float) -> None:
        """Measure one network."""
        task, key = self.task, network_key(config.model)
        measuring = Measuring(
            config,
            task.options,
            self.checks,
            label=f" {task.labels[key]}" if task.labels else "",
            budget_s=budget_s,
            describes=task.scope.describe,
            clock=self.clock,
        )

        def make_room(sizes: Sizes) -> Path:
            room_for(sizes, task.out)
            scratch.mkdir()
            return scratch

        measured = measuring.run(read_s=read_s, picture_s=picture_s, scratch=make_room)
        shutil.rmtree(scratch, ignore_errors=True)
        if measured is not None:
            self.measured[key] = measured

    def _walk(
        self,
        manifest: Manifest,
        folder: Path,
        folds: Sequence[int],
        config: TrainConfig,
        tables: Callable[[Path, Path], object],
    ) -> None:
        """Go the whole way on a few frames."""
        runs = folder / "runs"

        def train() -> Found[bool]:
            began, path = self.clock(), folder / "walk.csv"
            rates = {key: each.rates for key, each in self.measured.items()}
            repeats = 1 if self.task.labels else len(folds)  # An ablation goes the whole way on its first fold.
            frames = write_walk(manifest, path, rates, runs=repeats, seconds=(self.end - began) / 2)
            small = few_epochs(config, path, quick_batch(config, rates, self.seconds))
            described = min(DESCRIBED, self.task.scope.described_frames or DESCRIBED)
            self.task.walk(small, runs, folds, replace(self.task.scope, described_frames=described))
            says = f"trained, validated, evaluated and described on {frames} frames in {self.clock() - began:.0f} s"
            return Found(True, f"{says}, with batches of {small.run.batch_size}")

        def write() -> Found[bool]:
            tables(runs, folder / "report")
            return Found(True, "tables, figures and the page were written from these runs")

        if self.checks.run("whole way", train) is None:
            self._skip("the whole way was not gone", "tables")
        else:
            self.checks.run("tables", write)

    def _costs(self, works: Sequence[RunWork], rates: Mapping[str, Rates]) -> tuple[RunCost, ...]:
        """Return what the real runs cost, and keep the rates for the real command."""
        config, out = self.task.config, self.task.out
        workers = min(config.run.num_workers, os.cpu_count() or 1)
        costs = tuple(cost_of(work, rates[work.network], num_workers=workers) for work in works)

        def keep() -> Found[bool]:
            out.mkdir(parents=True, exist_ok=True)
            write_kept(out, Kept(rate_settings(config, self.task.options), dict(rates)))
            return Found(True, f"the rates are kept in {out / REHEARSAL_FILE}")

        self.checks.run("rates", keep)
        note = validations(config, costs)
        if note is not None:
            self.checks.add("validations", Status.NOTE, note)
        return costs

    def _stopped(self, why: str, *names: str) -> tuple[RunCost, ...]:
        self._skip(why, *names, "training", "words", "memory", "disk", "whole way", "tables")
        return ()

    def _skip(self, why: str, *names: str) -> None:
        for name in names:
            self.checks.add(name, Status.SKIPPED, why)


@dataclass(frozen=True)
class _Sample:
    """A manifest of a few frames, and the seconds in which one of its pictures was read for the first time."""

    path: Path
    seconds: float


@contextmanager
def _scratch(out: Path) -> Iterator[Path]:
    """Give a folder on the disk of the runs, without what a killed rehearsal left in it, and remove it at the end.

    Raises:
        InputError: It cannot be made, or holds something else.
    """
    folder = out.absolute().with_name(f".{out.absolute().name}-rehearsal")
    mark = folder / MARK
    if folder.exists() and not mark.is_file() and any(folder.iterdir()):
        raise InputError(f"{folder} is where a rehearsal would write, and holds something else; move it away")
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        mark.touch()
    except OSError as error:
        raise InputError(f"cannot write to {folder} ({error.strerror}); choose another --out") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
