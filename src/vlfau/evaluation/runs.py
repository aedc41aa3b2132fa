"""Runs that belong together: each is trained and evaluated once, however often the whole is stopped and restarted."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from vlfau.errors import ConfigError
from vlfau.evaluation.evaluate import Scope, evaluate
from vlfau.evaluation.prediction_runner import EvalOptions
from vlfau.evaluation.scores import SCORES_FILE, read_scores
from vlfau.training import TrainConfig, train
from vlfau.training.run_folder import CHECKPOINT_FOLDER, RESUME_FILE, check_same_run, content_of

__all__ = ["Announce", "finish_runs", "finished_scores"]

Announce = Callable[[str, int, int], None]
"""Is told a run's name, its number from 1, and how many there are, before it starts."""


def finish_runs(
    configs: Sequence[TrainConfig], *, root: Path, scope: Scope, options: EvalOptions, announce: Announce | None = None
) -> list[dict[str, Any]]:
    """Train every configuration in its run.output and evaluate it on its fold, as far as that is not done yet.

    Args:
        configs: What to train.
        root: The folder of the whole, from which the runs are named.
        scope: How much is measured.
        options: How to run the networks.
        announce: Is told of every run before it starts.

    Returns:
        The scores of every run, in order.

    Raises:
        InputError: A configuration or its data are wrong, or a folder holds a run of another configuration.
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


def _finish_run(config: TrainConfig, scope: Scope, options: EvalOptions) -> dict[str, Any]:
    folder = config.run.output
    finished = finished_scores(folder, scope)
    if finished is not None:
        return finished
    whole = replace(config, run=replace(config.run, stop_after_epochs=None))
    # A run that has ended returns at once when it is resumed.
    train(whole, resume=(folder / RESUME_FILE).is_file())
    return evaluate(folder / CHECKPOINT_FOLDER, config.data.manifest, folder, scope=scope, options=options)


def finished_scores(folder: Path, scope: Scope) -> dict[str, Any] | None:
    """Return the scores of a run that has been evaluated to this extent; None where that is still to be done."""
    scores = read_scores(folder) if (folder / SCORES_FILE).is_file() else None
    return scores if scores is not None and scores.get("evaluation") == asdict(scope) else None
