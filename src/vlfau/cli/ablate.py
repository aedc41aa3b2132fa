"""`vlfau ablate`: a configuration in, the five variants of the paper's Table 4 out."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["ablate"]


def ablate(
    config: Path,
    /,
    *,
    out: Path,
    seeds: str = "1",
    folds: str | None = None,
    variants: str | None = None,
    changes: Annotated[tuple[str, ...], Parameter(name="--set", negative=())] = (),
    name: str | None = None,
    threshold: float = 0.5,
    describe: bool = True,
    frames: int | None = None,
    batch_size: int = 32,
    prepare: Path | None = None,
    workers: int = 1,
    report: Path | None = None,
    rehearse: Annotated[bool, Parameter(negative=())] = False,
    minutes: float = 5.0,
) -> int:
    """Train and evaluate the network built up part by part: the ablation of the paper's Table 4.

    A run that was stopped goes on where it was when the command is called again.

    Args:
        config: A YAML file as for `vlfau train`; its data.fold, run.seed, run.output and the
            model's parts are replaced.
        out: Folder for the runs.
        seeds: Every variant is trained once per seed, such as 1,2.
        folds: The folds to leave out, such as 1,2,3; without it those of the manifest, as the paper's table has it.
        variants: Which of the five, such as 1,2,5; without it all.
        changes: A setting to change, such as run.max_epochs=2; may be given often.
        name: What to call it in tables; the folder's name, if none is given.
        threshold: The probability from which an AU counts as active.
        describe: Describe the frames in words, and score the words.
        frames: Describe this many frames per run, evenly spaced, instead of all.
        batch_size: Faces at once in the evaluation.
        prepare: Folder of the raw data set (BP4D or DISFA, as data.aus says), to be prepared first if there is no
            data.manifest yet.
        workers: Processes that prepare.
        report: Also write the tables and figures of this ablation to this folder, as `vlfau report` does.
        rehearse: Make no real run: try every part on a small part of the data, and say within minutes what
            the real run will cost and whether it will stand.
        minutes: How long the rehearsal may take, more or less.
    """
    from vlfau.cli.console import output_console
    from vlfau.cli.measuring import ProgressBar, announce, numbers, variant_table
    from vlfau.cli.preparing import prepare_manifest
    from vlfau.cli.rehearsing import rehearse_command, say_cost
    from vlfau.cli.report import report as write_report
    from vlfau.data import read_manifest
    from vlfau.evaluation import EvalOptions, Scope
    from vlfau.evaluation import ablate as run
    from vlfau.evaluation.ablation import VARIANTS, plan_ablation
    from vlfau.evaluation.crossval import choose_folds
    from vlfau.evaluation.rehearsal import Task, network_key
    from vlfau.training import TrainConfig, read_config

    settings = read_config(config, changes)
    chosen = None if variants is None else numbers(variants, "--variants")
    seed_numbers = numbers(seeds, "--seeds")
    fold_numbers = None if folds is None else numbers(folds, "--folds")
    scope = Scope(threshold, describe, frames)

    def planned(folds: Sequence[int]) -> list[TrainConfig]:
        runs = plan_ablation(settings, out, seeds=seed_numbers, folds=folds, numbers=chosen)
        return [each.config for each in runs]

    def train_and_evaluate(config: TrainConfig, out: Path, folds: Sequence[int], scope: Scope) -> None:
        run(
            config,
            out,
            seeds=seed_numbers[:1],
            folds=folds[:1],
            numbers=chosen,
            scope=scope,
            options=EvalOptions(batch_size),
        )

    if rehearse:
        labels = {network_key(replace(settings.model, **each.switches)): f"({each.number})" for each in VARIANTS}
        task = Task(
            settings, out, planned, train_and_evaluate, fold_numbers, scope, EvalOptions(batch_size), labels=labels
        )
        return rehearse_command(task, minutes=minutes, prepare=prepare, workers=workers)
    if prepare is not None:
        prepare_manifest(settings, prepare, workers)
    manifest = read_manifest(settings.data.manifest, settings.data.au_ids(), pictures=False)
    runs = planned(choose_folds(manifest, fold_numbers))
    say_cost(runs, manifest, out, scope=scope, options=EvalOptions(batch_size))
    with ProgressBar("Frames") as progress:
        scores = run(
            settings,
            out,
            seeds=seed_numbers,
            folds=fold_numbers,
            numbers=chosen,
            name=name,
            scope=scope,
            options=EvalOptions(batch_size, progress=progress),
            announce=announce,
        )
    console = output_console()
    console.print(variant_table(scores))
    console.print(f"runs: {out / 'ablation.json'}", markup=False)
    return 0 if report is None else write_report(out, report)
