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
    """Train and evaluate a network once per fold, tested on people that it never saw.

    A run that was stopped resumes when the command is called again.

    Args:
        config: A YAML file as for `vlfau train`; its data.fold, data.validation and run.output are replaced.
        out: Folder for the runs and the mean scores.
        folds: The folds to leave out, such as 1,2,3; without it those of the manifest.
        changes: A setting to change, such as run.max_epochs=2; may be given often.
        name: What to call it in tables; the folder's name, if none is given.
        threshold: The probability from which an AU counts as active.
        describe: Describe the frames in words, and score the words.
        frames: Describe this many frames per fold, evenly spaced, instead of all.
        batch_size: Faces at once in the evaluation.
        prepare: Folder of the raw data set (BP4D or DISFA, as data.aus says), to be prepared first if there is no
            data.manifest yet.
        workers: Processes that prepare.
        report: Also write the tables and figures of this cross-validation to this folder, as `vlfau report` does.
        rehearse: Make no real run: try every part on a small part of the data, and say within minutes what
            the real run will cost and whether it will stand.
        minutes: How long the rehearsal may take, more or less.
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
