"""Runs that belong together: each is trained and evaluated once, however often the whole is stopped and restarted."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from vlfau.errors import ConfigError
from vlfau.evaluation.answering import Look
from vlfau.evaluation.evaluate import Scope, evaluate
from vlfau.evaluation.scores import SCORES_FILE, read_scores
from vlfau.json_text import parse_json
from vlfau.training import TrainConfig, train
from vlfau.training.train import BEST_FOLDER, CONFIG_FILE, RESUME_FILE

__all__ = ["Announce", "finish_runs", "finished_scores"]

Announce = Callable[[str, int, int], None]
"""Is told a run's name, its number from 1, and how many there are, before it starts."""

HOW_NOT_WHAT = (
    "output",
    "stop_after_epochs",
    "num_workers",
    "devices",
    "num_nodes",
    "strategy",
    "accelerator",
    "threads",
)
"""Settings of a run that may differ when it goes on."""


def finish_runs(
    configs: Sequence[TrainConfig], *, root: Path, scope: Scope, look: Look, announce: Announce | None = None
) -> list[dict[str, Any]]:
    """Train every configuration in its run.output and evaluate it on its fold, as far as that is not done yet.

    Args:
        configs: What to train.
        root: The folder of the whole, from which the runs are named.
        scope: How much is measured.
        look: How to run the networks.
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
        _check_same_run(config)
    scores = []
    for number, config in enumerate(configs, start=1):
        if announce is not None:
            announce(config.run.output.relative_to(root).as_posix(), number, len(configs))
        scores.append(_finish_run(config, scope, look))
    return scores


def _finish_run(config: TrainConfig, scope: Scope, look: Look) -> dict[str, Any]:
    folder = config.run.output
    finished = finished_scores(folder, scope)
    if finished is not None:
        return finished
    whole = replace(config, run=replace(config.run, stop_after_epochs=None))
    # A run that has ended returns at once when it is resumed.
    train(whole, resume=(folder / RESUME_FILE).is_file())
    return evaluate(folder / BEST_FOLDER, config.data.manifest, folder, scope=scope, look=look)


def finished_scores(folder: Path, scope: Scope) -> dict[str, Any] | None:
    """Return the scores of a run that has been evaluated to this extent; None where that is still to be done."""
    scores = read_scores(folder) if (folder / SCORES_FILE).is_file() else None
    return scores if scores is not None and scores.get("evaluation") == asdict(scope) else None


def _check_same_run(config: TrainConfig) -> None:
    path = config.run.output / CONFIG_FILE
    if not path.is_file():
        return
    try:
        earlier = parse_json(path.read_text(encoding="utf-8"))
        settings = json.loads(json.dumps(asdict(config), default=str))
        for each in (earlier, settings):
            for name in HOW_NOT_WHAT:
                each["run"].pop(name, None)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path} is damaged ({error}); remove its folder to start the run anew") from error
    changed = [
        f"{section}.{name}"
        for section, values in settings.items()
        for name, value in values.items()
        if earlier.get(section, {}).get(name) != value
    ]
    if changed:
        raise ConfigError(
            f"{config.run.output} holds a run with another {', '.join(changed)}; restore the configuration, or give "
            "another folder"
        )
