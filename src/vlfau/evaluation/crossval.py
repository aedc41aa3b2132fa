"""Subject-exclusive k-fold cross-validation: every fold is the test fold once (section 4.2).

Each run is trained and evaluated once, however often the cross-validation is interrupted and resumed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from vlfau.data.manifest import Manifest, read_manifest
from vlfau.errors import ConfigError
from vlfau.evaluation.au_metrics import f1_draws
from vlfau.evaluation.consistency import consistency
from vlfau.evaluation.evaluate import evaluate
from vlfau.evaluation.figures import figures, intervals, mean_figures
from vlfau.evaluation.prediction_runner import EvalOptions
from vlfau.evaluation.predictions import Predictions
from vlfau.evaluation.scores import SCORES_FILE, Scores, read_scores, write_json
from vlfau.evaluation.tested import Scope
from vlfau.files.atomic import remove_leftovers
from vlfau.training import PROTOCOL_THRESHOLD, TrainConfig, train
from vlfau.training.run_folder import CHECKPOINT_FOLDER, RESUME_FILE, check_same_run, content_of

__all__ = [
    "CROSSVAL_FILE",
    "Announce",
    "check_folds",
    "choose_folds",
    "crossval",
    "finish_runs",
    "finished_scores",
    "fold_configs",
    "fold_folder",
    "write_mean_scores",
]

CROSSVAL_FILE = "crossval.json"
OF_ALL_FOLDS = ("data", "network", "evaluation", "au_ids", "threshold")
"""Keys of the scores that are equal in all folds."""
FIGURES = ("words", "truth", "counterfactuals", "lost_frames")
Announce = Callable[[str, int, int], None]
"""Called before each run with its name, its number from 1, and the total number of runs."""


def crossval(
    config: TrainConfig,
    out: Path,
    *,
    folds: Sequence[int] | None = None,
    name: str | None = None,
    scope: Scope | None = None,
    options: EvalOptions | None = None,
    announce: Announce | None = None,
) -> Scores:
    """Train and evaluate a configuration on every fold, and average the scores.

    Resumes an interrupted run when called again. Writes `fold1/` and so on, and finally `scores.json` and
    `crossval.json`.

    Args:
        config: Training configuration; data.fold, data.validation and run.output are overridden.
        out: Output folder of all runs.
        folds: Test folds; None takes all folds of the manifest.
        name: Name in tables; None takes the folder's name.
        scope: Extent of the evaluation.
        options: How to run the networks.
        announce: Called before each fold.

    Returns:
        The content of `scores.json`, see `write_mean_scores`.

    Raises:
        InputError: The configuration or its data are invalid, or the folder contains other runs.
    """
    scope, options = scope or Scope(), options or EvalOptions()
    folds = check_folds(config, folds)
    remove_leftovers(out)
    configs = fold_configs(config, out, folds)
    scores = finish_runs(configs, root=out, scope=scope, options=options, announce=announce)
    mean = write_mean_scores(out, folds, scores, scope)
    write_json(out / CROSSVAL_FILE, {"kind": "crossval", "name": name or out.resolve().name, "folds": folds})
    return mean


def fold_folder(out: Path, fold: int) -> Path:
    """Return the folder of a fold's run."""
    return out / f"fold{fold}"


def fold_configs(config: TrainConfig, out: Path, folds: Sequence[int]) -> list[TrainConfig]:
    """Return the configuration of every fold's run."""
    return [
        replace(
            config,
            data=replace(config.data, fold=fold, validation=None),
            run=replace(config.run, output=fold_folder(out, fold)),
        )
        for fold in folds
    ]


def check_folds(config: TrainConfig, folds: Sequence[int] | None) -> list[int]:
    """Return the test folds: those requested, or all folds of the manifest.

    Raises:
        InputError: The manifest is invalid or lacks one of them, or one is given twice.
    """
    return choose_folds(read_manifest(config.data.manifest, config.data.au_ids()), folds)


def choose_folds(manifest: Manifest, folds: Sequence[int] | None) -> list[int]:
    """Return the test folds: those requested, or all folds of the manifest.

    Raises:
        ConfigError: The manifest lacks one of them, or one is given twice.
    """
    there = sorted({frame.fold for frame in manifest.frames if frame.fold is not None})
    wanted = there if folds is None else list(folds)
    if not wanted or len(there) < 2 or len(set(wanted)) < len(wanted) or not set(wanted) <= set(there):
        raise ConfigError(
            f"the folds {wanted} can't be left out of {manifest.path}, whose 'fold' column holds "
            f"{there or 'nothing'}; it needs two folds at least, and each can be named once"
        )
    return wanted


def finish_runs(
    configs: Sequence[TrainConfig], *, root: Path, scope: Scope, options: EvalOptions, announce: Announce | None = None
) -> list[Scores]:
    """Train every configuration in its run.output and evaluate it on its fold, unless already done.

    Args:
        configs: The configurations to train.
        root: Output folder of all runs; runs are named relative to it.
        scope: Extent of the evaluation.
        options: How to run the networks.
        announce: Called before each run.

    Returns:
        The scores of every run, in order.

    Raises:
        InputError: A configuration or its data are invalid, or a folder contains a run of another configuration.
    """
    for config in configs:
        if config.run.devices != 1 or config.run.num_nodes != 1:
            raise ConfigError(
                f"runs that belong together are trained on one device each, not on {config.run.devices} of "
                f"{config.run.num_nodes} machine(s); set run.devices=1 and start folds or variants side by "
                "side, or use `vlfau train` and `vlfau evaluate`"
            )
        check_same_run(config, content_of(config) if config.run.output.exists() else None)
    scores = []
    for number, config in enumerate(configs, start=1):
        if announce is not None:
            announce(config.run.output.relative_to(root).as_posix(), number, len(configs))
        scores.append(_finish_run(config, scope, options))
    return scores


def _finish_run(config: TrainConfig, scope: Scope, options: EvalOptions) -> Scores:
    folder = config.run.output
    finished = finished_scores(folder, scope)
    if finished is not None:
        return finished
    whole = replace(config, run=replace(config.run, stop_after_epochs=None))
    # Resuming a finished run returns at once.
    train(whole, resume=(folder / RESUME_FILE).is_file())
    return evaluate(folder / CHECKPOINT_FOLDER, config.data.manifest, folder, scope=scope, options=options)


def finished_scores(folder: Path, scope: Scope) -> Scores | None:
    """Return the scores of a run that was evaluated to this extent; None if it was not."""
    scores = read_scores(folder) if (folder / SCORES_FILE).is_file() else None
    return scores if scores is not None and scores.evaluation == asdict(scope) else None


def write_mean_scores(out: Path, folds: Sequence[int], scores: Sequence[Scores], scope: Scope) -> Scores:
    """Average the scores of folds, and write `scores.json`.

    Args:
        out: Folder that contains the folders of the folds.
        folds: Fold numbers.
        scores: Scores of each fold, in that order.
        scope: Extent of the evaluation.

    Returns:
        The content of `scores.json`: means over the folds, with intervals from a bootstrap over the people within each
        fold; under `per_fold` the scores of each fold; under `pooled` those of all frames together.

    Raises:
        InputError: The predictions of a fold are missing or damaged, or the file cannot be written.
    """
    predictions = [_slim(Predictions.load(fold_folder(out, fold))) for fold in folds]
    threshold = PROTOCOL_THRESHOLD if scope.threshold is None else scope.threshold
    draws = [f1_draws(each, threshold, seed=fold) for fold, each in zip(folds, predictions, strict=True)]
    together = Predictions.joined(predictions)
    pooled = figures(together, threshold)
    pooled["intervals"] = intervals(together.au_ids, [f1_draws(together, threshold, seed=0)])
    pooled["truth"] = consistency(together, threshold)
    contents = [fold.to_dict() for fold in scores]
    averaged = [{key: fold[key] for key in (*pooled, *FIGURES) if key in fold} for fold in contents]
    content = {
        **{key: contents[0][key] for key in OF_ALL_FOLDS},
        "fold": None,
        "frames": len(together),
        "subjects": len(set(together.subject_ids)),
        **mean_figures(averaged),
        "intervals": intervals(together.au_ids, draws),
        "per_fold": {key: [fold.get(key) for fold in contents] for key in pooled if _is_single(contents, key)},
        "pooled": pooled,
    }
    write_json(out / SCORES_FILE, content)
    return read_scores(out)


def _slim(predictions: Predictions) -> Predictions:
    """Return predictions without the large arrays, which scores do not need."""
    return replace(
        predictions,
        au_features=predictions.au_features[..., :0],
        attention_maps=predictions.attention_maps[..., :0, :0],
    )


def _is_single(scores: Sequence[Mapping[str, Any]], key: str) -> bool:
    return all(not isinstance(fold.get(key, {}), Mapping) for fold in scores)
