"""`vlfau crossval`: a configuration in, the scores of every fold and their mean out."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["crossval"]


def crossval(
    config: Path,
    /,
    *,
    out: Path,
    folds: str | None = None,
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
    """Train and evaluate one network per fold (subject-exclusive k-fold cross-validation).

    Resumes an interrupted run when called again.

    Args:
        config: YAML file as for `vlfau train`; data.fold, data.validation and run.output are overridden.
        out: Folder for the runs and the mean scores.
        folds: Test folds, such as 1,2,3; all folds of the manifest if omitted.
        changes: A setting to change, such as run.max_epochs=2; may be repeated.
        name: Name in tables; the folder's name if omitted.
        threshold: Probability from which an AU counts as active.
        describe: Generate captions and score them.
        frames: Caption this many evenly spaced frames per fold instead of all.
        batch_size: Batch size of the evaluation.
        prepare: Folder of the raw data set (BP4D or DISFA, matching data.aus); it is prepared first if data.manifest
            does not exist.
        workers: Number of processes for preparing.
        report: Also write the tables and figures of this cross-validation to this folder, as `vlfau report` does.
        rehearse: Dry run: try every step on a small part of the data, and estimate within minutes whether the real run
            will succeed and what it will cost.
        minutes: Approximate length of the rehearsal, in minutes.
    """
    from vlfau.cli.measuring import ProgressBar, announce, numbers, print_scores
    from vlfau.cli.preparing import prepare_manifest
    from vlfau.cli.rehearsing import rehearse_command, say_cost
    from vlfau.cli.report import report as write_report
    from vlfau.data import read_manifest
    from vlfau.evaluation import EvalOptions, Scope
    from vlfau.evaluation import crossval as run
    from vlfau.evaluation.crossval import choose_folds, fold_configs
    from vlfau.evaluation.rehearsal import Task
    from vlfau.training import read_config

    settings = read_config(config, changes)
    chosen = None if folds is None else numbers(folds, "--folds")
    scope = Scope(threshold, describe, frames)
    if rehearse:
        task = Task(
            settings,
            out,
            plan=lambda folds: fold_configs(settings, out, folds),
            train_and_evaluate=lambda config, out, folds, scope: run(
                config, out, folds=folds, scope=scope, options=EvalOptions(batch_size)
            ),
            folds=chosen,
            scope=scope,
            options=EvalOptions(batch_size),
        )
        return rehearse_command(task, minutes=minutes, prepare=prepare, workers=workers)
    if prepare is not None:
        prepare_manifest(settings, prepare, workers)
    manifest = read_manifest(settings.data.manifest, settings.data.au_ids(), pictures=False)
    runs = fold_configs(settings, out, choose_folds(manifest, chosen))
    say_cost(runs, manifest, out, scope=scope, options=EvalOptions(batch_size))
    with ProgressBar("Frames") as progress:
        scores = run(
            settings,
            out,
            folds=chosen,
            name=name,
            scope=scope,
            options=EvalOptions(batch_size, progress=progress),
            announce=announce,
        )
    print_scores(scores, out)
    return 0 if report is None else write_report(out, report)
