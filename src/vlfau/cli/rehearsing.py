"""`--rehearse` of `vlfau crossval` and `vlfau ablate`, and the cost estimate that both print before they start."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from rich import box
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from vlfau.cli.console import error_console, output_console, print_notice
from vlfau.errors import VlfauError

if TYPE_CHECKING:
    from vlfau.data.manifest import Manifest
    from vlfau.evaluation.prediction_runner import EvalOptions
    from vlfau.evaluation.rehearsal import Check, Rehearsal, RunCost, Task
    from vlfau.evaluation.tested import Scope
    from vlfau.training import TrainConfig

__all__ = ["duration", "rehearse_command", "say_cost"]

STYLES: Final[Mapping[str, str]] = {"ok": "green", "note": "yellow", "problem": "bold red", "skipped": "dim"}
TRAINS_ITSELF: Final = "end-to-end run"
"""The check that shows its own progress."""
WORTH_A_FORECAST: Final = 200
"""Minimum number of frames for which captioning time is measured first, which takes some seconds."""


def rehearse_command(task: "Task", *, minutes: float, prepare: Path | None, workers: int) -> int:
    """Rehearse, print the checks and the estimated cost of the real run, and return the exit code.

    Args:
        task: The task to rehearse.
        minutes: Approximate length, in minutes.
        prepare: Folder of the raw data; a hundredth is prepared if there is no manifest yet.
        workers: Number of processes for preparing.
    """
    from vlfau.cli.preparing import prepared_sample
    from vlfau.evaluation.rehearsal import rehearse
    from vlfau.paper import write_report
    from vlfau.runs.interrupts import termination_as_interrupt

    data = task.config.data
    preparing = 0.0
    with ExitStack() as stack:
        stack.enter_context(termination_as_interrupt())
        if prepare is not None and not data.manifest.exists():
            sample = stack.enter_context(prepared_sample(task.config, prepare, workers))
            preparing = sample.seconds
            config = replace(task.config, data=replace(data, manifest=sample.manifest))
            task = replace(task, config=config, counts=sample.counts)
        shown = stack.enter_context(_Shown())
        rehearsal = rehearse(task, tables=write_report, minutes=minutes, on_start=shown.begin, on_end=shown.tell)
    _print_rehearsal(rehearsal, preparing=preparing)
    return 0 if rehearsal.passed else 2


class _Shown:
    """Shows the current check and the results of finished ones."""

    def __init__(self) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        self._bar = Progress(*columns, console=error_console(), transient=True)
        self._task = self._bar.add_task("")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def begin(self, name: str) -> None:
        self._bar.reset(self._task, description=name)
        if name != TRAINS_ITSELF:
            self._bar.start()

    def tell(self, check: "Check") -> None:
        self._bar.stop()
        console = output_console()
        style = STYLES[check.status]
        console.print(f"[{style}]{check.status:<8}[/] ", end="")
        console.print(f"{check.name}: {check.message}", markup=False, soft_wrap=not console.is_terminal)


def _print_rehearsal(rehearsal: "Rehearsal", *, preparing: float = 0.0) -> None:
    """Print the estimated cost of the real run, and whether it should succeed."""
    console = output_console()
    if rehearsal.costs:
        console.print(_cost_table(rehearsal.costs, preparing))
        says = {check.name: check.message for check in rehearsal.checks if check.name in {"memory", "disk"}}
        for text in (*(f"{name.capitalize()}: {text}." for name, text in says.items()), *_how_found(rehearsal)):
            console.print(text, markup=False, soft_wrap=not console.is_terminal)
    problems = [check for check in rehearsal.checks if check.status == "problem"]
    took = f"The rehearsal took {duration(rehearsal.seconds)}."
    if rehearsal.passed:
        console.print(f"The real run should succeed. {took}", style="bold green")
    else:
        names = ", ".join(dict.fromkeys(check.name for check in problems))
        console.print(f"The real run would fail; fix these first: {names}. {took}", style="bold red")


def _cost_table(costs: Sequence["RunCost"], preparing: float) -> Table:
    table = Table("Run", box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    table.title = "Estimated cost of the real run on this machine"
    for title in ("train frames", "steps", "captions", "training", "validation", "evaluation", "describing", "in all"):
        table.add_column(title, justify="right", no_wrap=True)
    if preparing:
        table.add_row("preparing", *[""] * 7, duration(preparing))
    for cost in costs:
        work = cost.workload
        parts = (cost.training, cost.validation, cost.evaluation, cost.describing, cost.total)
        table.add_row(
            work.name, f"{work.train_frames:,}", f"{work.steps:,}", f"{work.captions:,}", *map(duration, parts)
        )
    table.add_section()
    names = ("training", "validation", "evaluation", "describing")
    sums = [sum(getattr(cost, name) for cost in costs) for name in names]
    steps, captions = (sum(getattr(cost.workload, name) for cost in costs) for name in ("steps", "captions"))
    table.add_row("in all", "", f"{steps:,}", f"{captions:,}", *map(duration, (*sums, sum(sums) + preparing)))
    return table


def _how_found(rehearsal: "Rehearsal") -> Sequence[str]:
    """Print which figures were measured and which extrapolated."""
    timed: dict[str, list[str]] = {"Measured at full size": [], "Extrapolated": []}
    for measured in rehearsal.profiles.values():
        rates = measured.rates
        parts = {"training step": rates.step, "validation": rates.validate, "evaluation": rates.see}
        if rates.speak is not None:
            parts["captions"] = rates.speak
        for name, each in parts.items():
            kind = "Measured at full size" if each.is_measured else "Extrapolated"
            text = name if each.is_measured else f"{name} of {each.wanted} faces from {each.tries[-1].size}"
            timed[kind].append(text)
    lines = [f"{kind}: {', '.join(dict.fromkeys(names))}." for kind, names in timed.items() if names]
    lines.append("Hours are these times multiplied by frames, steps and epochs.")
    if any(measured.rates.speak is not None for measured in rehearsal.profiles.values()):
        lines.append("Captioning times are upper limits: captions of an untrained network have the maximum length.")
    return lines


def say_cost(
    configs: Sequence["TrainConfig"], manifest: "Manifest", out: Path, *, scope: "Scope", options: "EvalOptions"
) -> None:
    """Print the estimated cost of runs before they start, as far as it can be estimated in a few seconds.

    Args:
        configs: The runs; finished ones are left out.
        manifest: Their manifest.
        out: Output folder of all runs.
        scope: Extent of the evaluation.
        options: Options of the evaluation.
    """
    from vlfau.evaluation.crossval import finished_scores
    from vlfau.evaluation.rehearsal import (
        DataCount,
        estimate_cost,
        measure_captioning,
        rate_settings,
        read_rates,
        workloads,
    )

    todo = [config for config in configs if finished_scores(config.run.output, scope) is None]
    if not todo:
        return
    first = todo[0]
    works = workloads(todo, out, DataCount.of(manifest), scope)
    steps, tested, described, captions = (
        sum(getattr(work, name) for work in works) for name in ("steps", "tested", "described", "captions")
    )
    print_notice(
        f"{len(works)} runs to do: {steps:,} training steps, {tested:,} frames to evaluate, {described:,} to describe "
        f"with {captions:,} captions",
        title="cost",
        style="bold cyan",
    )
    kept = read_rates(out, rate_settings(first, options))
    if all(work.network in kept and (kept[work.network].speak or not work.described) for work in works):
        costs = [estimate_cost(work, kept[work.network], num_workers=first.run.num_workers) for work in works]
        hours, words = sum(cost.total for cost in costs), sum(cost.describing for cost in costs)
        text = f"by the rehearsal, {duration(hours)} in all, of which {duration(words)} for describing"
    else:
        text = "--rehearse estimates how long that takes"
        with suppress(VlfauError):  # The runs themselves report errors better.
            rates = measure_captioning(todo, manifest, options) if described >= WORTH_A_FORECAST else {}
            seconds = sum(work.described * rates.get(work.network, 0.0) for work in works)
            if rates:
                text = f"describing takes about {duration(seconds)}; --rehearse estimates the rest"
    if scope.described_frames is None and described >= WORTH_A_FORECAST:
        text += "; --frames 300 describes 300 frames per fold instead of all"
    print_notice(text, title="cost", style="bold cyan")


def duration(seconds: float) -> str:
    """Return a duration in readable units.

    >>> duration(31.2), duration(1500), duration(4.5e6)
    ('31 s', '25 min', '1,250 h')
    """
    minutes, hours = seconds / 60, seconds / 3600
    if minutes < 1.5:
        return f"{seconds:.0f} s"
    if hours < 1.5:
        return f"{minutes:.0f} min"
    return f"{hours:.1f} h" if hours < 100 else f"{hours:,.0f} h"
