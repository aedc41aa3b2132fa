"""The whole way on a few frames: training, validation, evaluation, words and scores, as the real command has them."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from vlfau.data import Frame, Manifest
from vlfau.evaluation.rehearsal.costs import Rates
from vlfau.training import TrainConfig

__all__ = ["DESCRIBED", "few_epochs", "quick_batch", "sample_places", "write_sample", "write_walk"]


def sample_places(frames: Sequence[Frame], count: int, *, people: int | None = None) -> list[int]:
    """Choose about `count` frames: equally many of every person, evenly spaced.

    Every chosen person keeps one at least, and every fold a frame of each AU that is active in it, whoever shows it.

    Args:
        frames: To choose from.
        count: How many.
        people: How many of every fold are chosen; None takes all.

    Returns:
        Their places, ascending.
    """
    by_subject: dict[tuple[int | None, str], list[int]] = {}
    for place, frame in enumerate(frames):
        by_subject.setdefault((frame.fold, frame.subject_id), []).append(place)
    met: Counter[int | None] = Counter()
    chosen: set[int] = set()
    each = max(1, count // len(by_subject))
    for (fold, _), places in by_subject.items():
        met[fold] += 1
        if people is not None and met[fold] > people:
            continue
        picks = np.linspace(0, len(places) - 1, min(each, len(places))).round().astype(int)
        chosen.update(places[pick] for pick in picks)
    shown: set[tuple[int | None, int]] = set()
    for place in sorted(chosen):
        shown |= _shown(frames[place])
    for place, frame in enumerate(frames):
        if not _shown(frame) <= shown:
            chosen.add(place)
            shown |= _shown(frame)
    return sorted(chosen)


def write_sample(manifest: Manifest, places: Sequence[int], path: Path) -> None:
    """Write the rows of some frames as a manifest of its own, with the pictures where they are.

    Args:
        manifest: Read from a file that is still there.
        places: Of the frames, ascending.
        path: The file to write.

    Raises:
        OSError: It cannot be written.
    """
    wanted = set(places)
    with manifest.path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        columns = list(reader.fieldnames or [])
        rows = [row for place, row in enumerate(reader) if place in wanted]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        for row in rows:
            writer.writerow(row | {"image": (manifest.path.parent / row["image"].strip()).absolute()})


def _shown(frame: Frame) -> set[tuple[int | None, int]]:
    """Return the active AUs of a frame, each with the frame's fold."""
    return {(frame.fold, state.au_id) for state in frame.states if state is not None and state.active}


SHARE: Final = 0.01
"""Of the frames, at most."""
DESCRIBED: Final = 2
"""Frames that a run describes."""
QUICK_SHARE: Final = 0.02
"""Of all the time, that a step may take."""
FEW: Final = 2


def write_walk(manifest: Manifest, path: Path, rates: Mapping[str, Rates], *, runs: int, seconds: float) -> int:
    """Write a manifest of as many frames as there is time for, a hundredth at most.

    One of every person is the least, or, where there is no time for that, of two people of every fold.

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
    everybody = len({frame.subject_id for frame in manifest.frames})
    places = sample_places(
        manifest.frames,
        int(min(SHARE * len(manifest.frames), allowed)),
        people=None if allowed >= everybody else FEW,
    )
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
