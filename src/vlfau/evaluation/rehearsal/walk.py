"""The whole way on a few frames: training, validation, evaluation, words and scores, as the real command has them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from vlfau.data import Manifest
from vlfau.evaluation.rehearsal.rates import Rates
from vlfau.evaluation.rehearsal.sampling import sample_places, write_sample
from vlfau.training import TrainConfig

__all__ = ["DESCRIBED", "few_epochs", "quick_batch", "write_walk"]

SHARE: Final = 0.01
"""Of the frames, at most."""
DESCRIBED: Final = 2
"""Frames that a run describes."""
QUICK_SHARE: Final = 0.02
"""Of all the time, that a step may take."""
FEW: Final = 2


def write_walk(manifest: Manifest, path: Path, rates: Mapping[str, Rates], *, runs: int, seconds: float) -> int:
    """Write a manifest of as many frames as there is time for: a hundredth at most, one of every person at least.

    Args:
        manifest: The whole data.
        path: The file to write.
        rates: Of the networks that will be trained, as far as they are known.
        runs: How often each of them is trained.
        seconds: In which all of it should end.

    Returns:
        The number of frames.
    """
    per_frame = runs * sum(each.step.per_face + each.validate.per_face + each.see.per_face for each in rates.values())
    allowed = max(0.0, seconds) / per_frame if per_frame else 0.0
    places = sample_places(manifest.frames, int(min(SHARE * len(manifest.frames), allowed)))
    write_sample(manifest, places, path)
    return len(places)


def quick_batch(config: TrainConfig, rates: Mapping[str, Rates], seconds: float) -> int:
    """Return the largest batch that was tried and of which a step takes little of some seconds."""
    tries = [each for network in rates.values() for each in network.step.tries]
    quick = [each.size for each in tries if each.seconds <= QUICK_SHARE * seconds]
    return max(quick, default=min(FEW, config.run.batch_size))


def few_epochs(config: TrainConfig, manifest: Path, batch_size: int) -> TrainConfig:
    """Return a configuration for one epoch on another manifest."""
    run = replace(config.run, max_epochs=1, validate_every_epochs=1, stop_after_epochs=None, batch_size=batch_size)
    return replace(config, data=replace(config.data, manifest=manifest), run=run)
