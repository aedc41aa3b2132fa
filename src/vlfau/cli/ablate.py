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
    """Run the ablation study of the paper's Table 4: train and evaluate five variants of the network.

    Resumes an interrupted run when called again.

    Args:
        config: YAML file as for `vlfau train`; data.fold, run.seed, run.output and the parts of the model are
            overridden.
        out: Folder for the runs.
        seeds: Random seeds, such as 1,2; every variant is trained once per seed.
        folds: Test folds, such as 1,2,3; all folds of the manifest if omitted, as in the paper.
        variants: Which of the five variants, such as 1,2,5; all if omitted.
        changes: A setting to change, such as run.max_epochs=2; may be repeated.
        name: Name in tables; the folder's name if omitted.
        threshold: Probability from which an AU counts as active.
        describe: Generate captions and score them.
        frames: Caption this many evenly spaced frames per run instead of all.
        batch_size: Batch size of the evaluation.
        prepare: Folder of the raw data set (BP4D or DISFA, matching data.aus); it is prepared first if data.manifest
            does not exist.
        workers: Number of processes for preparing.
        report: Also write the tables and figures of this ablation to this folder, as `vlfau report` does.
        rehearse: Dry run: try every step on a small part of the data, and estimate within minutes whether the real run
            will succeed and what it will cost.
        minutes: Approximate length of the rehearsal, in minutes.
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
