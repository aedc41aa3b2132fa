"""A small part of a manifest that still has every person, every fold and, in every fold, every AU."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vlfau.data import Frame, Manifest

__all__ = ["sample_places", "write_sample"]


def sample_places(frames: Sequence[Frame], count: int) -> list[int]:
    """Choose about `count` frames: equally many of every person, evenly spaced.

    Every person keeps one at least, and every fold a frame of each AU that is active in it.

    Returns:
        Their places, ascending.
    """
    by_subject: dict[str, list[int]] = {}
    for place, frame in enumerate(frames):
        by_subject.setdefault(frame.subject_id, []).append(place)
    each = max(1, count // len(by_subject))
    chosen: set[int] = set()
    for places in by_subject.values():
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
