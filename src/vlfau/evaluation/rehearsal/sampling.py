"""Small manifests and configurations, on which a rehearsal trains and evaluates as the real command does."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from vlfau.data.manifest import Frame, Manifest
from vlfau.evaluation.rehearsal.costs import Rates
from vlfau.training import TrainConfig

__all__ = ["NUM_DESCRIBED", "sample_frames", "small_batch_size", "small_config", "write_sample", "write_small_manifest"]


def sample_frames(frames: Sequence[Frame], count: int, *, subjects_per_fold: int | None = None) -> list[int]:
    """Choose about `count` frames: the same number of every subject, evenly spaced.

    Every chosen subject has at least one frame. Every fold has a frame of each AU that is active in it, of a chosen
    subject or another.

    Args:
        frames: The frames to choose from.
        count: Approximate number of frames.
        subjects_per_fold: Number of subjects to choose in each fold; None chooses all.

    Returns:
        The indices of the chosen frames, ascending.
    """
    by_subject: dict[tuple[int | None, str], list[int]] = {}
    for index, frame in enumerate(frames):
        by_subject.setdefault((frame.fold, frame.subject_id), []).append(index)
    subjects: Counter[int | None] = Counter()
    chosen: set[int] = set()
    per_subject = max(1, count // len(by_subject))
    for (fold, _), indices in by_subject.items():
        subjects[fold] += 1
        if subjects_per_fold is not None and subjects[fold] > subjects_per_fold:
            continue
        picks = np.linspace(0, len(indices) - 1, min(per_subject, len(indices))).round().astype(int)
        chosen.update(indices[pick] for pick in picks)
    covered: set[tuple[int | None, int]] = set()
    for index in sorted(chosen):
        covered |= _active_aus(frames[index])
    for index, frame in enumerate(frames):
        if not _active_aus(frame) <= covered:
            chosen.add(index)
            covered |= _active_aus(frame)
    return sorted(chosen)


def write_sample(manifest: Manifest, indices: Sequence[int], path: Path) -> None:
    """Write the rows of some frames as a manifest that refers to the original pictures.

    Args:
        manifest: The manifest, whose file still exists.
        indices: Indices of the frames, ascending.
        path: The file to write.

    Raises:
        OSError: The file cannot be written.
    """
    wanted = set(indices)
    with manifest.path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        columns = list(reader.fieldnames or [])
        rows = [row for index, row in enumerate(reader) if index in wanted]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        for row in rows:
            writer.writerow(row | {"image": (manifest.path.parent / row["image"].strip()).absolute()})


def _active_aus(frame: Frame) -> set[tuple[int | None, int]]:
    """Return the active AUs of a frame, each with the frame's fold."""
    return {(frame.fold, state.au_id) for state in frame.states if state is not None and state.active}


MAX_SHARE: Final = 0.01
"""Largest share of the frames."""
NUM_DESCRIBED: Final = 2
"""Number of frames that a run describes."""
MAX_STEP_SHARE: Final = 0.02
"""Largest share of the time that one step may take."""
FEW: Final = 2
"""Number of subjects per fold, and of faces per batch, if there is no time for more."""


def write_small_manifest(
    manifest: Manifest, path: Path, rates: Mapping[str, Rates], *, runs: int, seconds: float
) -> int:
    """Write a manifest of as many frames as there is time for, at most one percent.

    It has at least one frame of every subject or, if there is no time for that, of two subjects per fold.

    Args:
        manifest: The whole data set.
        path: The file to write.
        rates: The rates of the networks to train, as far as they are known.
        runs: How often each network is trained.
        seconds: Time limit for all runs.

    Returns:
        The number of frames.
    """
    per_frame = runs * sum(each.step.per_face + each.validate.per_face + each.see.per_face for each in rates.values())
    allowed = max(0.0, seconds) / per_frame if per_frame else 0.0
    num_subjects = len({frame.subject_id for frame in manifest.frames})
    indices = sample_frames(
        manifest.frames,
        int(min(MAX_SHARE * len(manifest.frames), allowed)),
        subjects_per_fold=None if allowed >= num_subjects else FEW,
    )
    write_sample(manifest, indices, path)
    return len(indices)


def small_batch_size(config: TrainConfig, rates: Mapping[str, Rates], seconds: float) -> int:
    """Return the largest measured batch size whose step takes a small part of `seconds`."""
    measurements = [each for network in rates.values() for each in network.step.tries]
    fast = [each.size for each in measurements if each.seconds <= MAX_STEP_SHARE * seconds]
    return max(fast, default=min(FEW, config.run.batch_size))


def small_config(config: TrainConfig, manifest: Path, batch_size: int) -> TrainConfig:
    """Return the configuration for one epoch on another manifest."""
    run = replace(config.run, max_epochs=1, validate_every_epochs=1, stop_after_epochs=None, batch_size=batch_size)
    return replace(config, data=replace(config.data, manifest=manifest), run=run)
