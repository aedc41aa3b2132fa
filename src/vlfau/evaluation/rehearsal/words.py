"""How long it takes to describe a face, found out in some seconds before a long run."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vlfau.data import Manifest
from vlfau.evaluation.answering import Look
from vlfau.evaluation.rehearsal.ladder import time_sizes
from vlfau.evaluation.rehearsal.sampling import sample_places, write_sample
from vlfau.evaluation.rehearsal.trial import Trial
from vlfau.evaluation.rehearsal.work import network_key
from vlfau.training import TrainConfig

__all__ = ["describing_rates"]

BUDGET_S = 5.0


def describing_rates(
    configs: Sequence[TrainConfig], manifest: Manifest, look: Look, *, budget_s: float = BUDGET_S
) -> dict[str, float]:
    """Return the seconds in which a face is described and its words are scored, for every network that speaks.

    Args:
        configs: Runs; those of the same parts share a network.
        manifest: Their frames.
        look: How the evaluation runs networks.
        budget_s: Seconds to spend on each network, more or less, besides building it.

    Returns:
        Seconds by `network_key`, with random weights: an upper limit, since such words do not end by themselves.

    Raises:
        InputError: A configuration or a picture is wrong.
    """
    rates = {}
    with tempfile.TemporaryDirectory() as folder:
        sample = Path(folder) / "sample.csv"
        write_sample(manifest, sample_places(manifest.frames, 0), sample)
        for key, config in {network_key(config.model): config for config in configs}.items():
            if not (config.model.local_language or config.model.global_language):
                continue
            small = replace(
                config,
                data=replace(config.data, manifest=sample, keep_in_memory=False),
                stem=replace(config.stem, weights=None),
            )
            trial = Trial(small, look)
            timed = time_sizes(trial.speak, look.batch_size, budget_s=budget_s)
            rates[key] = timed.per_face + trial.score()
    return rates
