"""`vlfau crossval`: a configuration in, the scores of every fold and their mean out."""

from pathlib import Path

from vlfau.cli.protocol import ProtocolOptions

__all__ = ["crossval"]

_DEFAULTS = ProtocolOptions()


def crossval(config: Path, /, *, out: Path, options: ProtocolOptions = _DEFAULTS) -> int:
    """Train and evaluate one network per fold (subject-exclusive k-fold cross-validation).

    Resumes an interrupted run when called again.

    Args:
        config: YAML file as for `vlfau train`; data.fold, data.validation and run.output are overridden.
        out: Folder for the runs and the mean scores.
        options: How the runs are prepared, evaluated and reported.
    """
    from vlfau.cli.measuring import ProgressBar, announce, print_scores
    from vlfau.evaluation.crossval import crossval as run
    from vlfau.evaluation.crossval import fold_configs
    from vlfau.evaluation.prediction_runner import EvalOptions
    from vlfau.evaluation.rehearsal import Task
    from vlfau.training import read_config

    settings, folds, scope = read_config(config, options.changes), options.chosen_folds, options.scope
    evaluating = EvalOptions(options.batch_size)
    if options.rehearse:
        task = Task(
            settings,
            out,
            plan=lambda folds: fold_configs(settings, out, folds),
            train_and_evaluate=lambda config, out, folds, scope: run(
                config, out, folds=folds, scope=scope, options=evaluating
            ),
            folds=folds,
            scope=scope,
            options=evaluating,
        )
        return options.rehearse_task(task)
    options.begin(settings, out, lambda folds: fold_configs(settings, out, folds))
    with ProgressBar("Frames") as progress:
        scores = run(
            settings,
            out,
            folds=folds,
            name=options.name,
            scope=scope,
            options=EvalOptions(options.batch_size, progress=progress),
            announce=announce,
        )
    print_scores(scores, out)
    return options.end(out)
