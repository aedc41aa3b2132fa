"""How well the onsets of events are found, on synthetic clips whose AUs are known in every frame."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.acting import FRAMES_PER_SECOND, performances
from benchmarks.rows import Row
from vlfau.facs import action_unit
from vlfau.inference.predictor import Predictor
from vlfau.video.events import find_events

__all__ = ["measure"]

CLIPS, FRAMES = 40, 48
LEAST_PEAK, TOLERANCE = 3, 2
"""Intensity C, and frames."""


def measure() -> Iterator[Row]:
    """Yield the share of true events whose onset is found within two frames."""
    predictor = Predictor(describe="never")
    offsets: list[float] = []
    missed_by_au: dict[int, list[bool]] = {}
    for acted in performances(predictor, clips=CLIPS, frames=FRAMES):
        events = find_events(acted.track, thresholds=predictor.bundle.info.thresholds)
        for column, au_id in enumerate(predictor.au_ids):
            found = np.array([event.onset_s * FRAMES_PER_SECOND for event in events if event.au_id == au_id])
            for onset in _onsets(acted.intensities[:, column]):
                nearest = found[np.abs(found - onset).argmin()] - onset if len(found) else np.inf
                offsets.append(float(nearest))
                missed_by_au.setdefault(au_id, []).append(abs(nearest) > TOLERANCE)
    distance = np.abs(offsets)
    yield Row("true events of intensity C or more that begin within a clip", str(len(offsets)))
    yield Row(
        f"onset found within {TOLERANCE} frames of {FRAMES_PER_SECOND} a second (goal 80 %)",
        _percent(distance <= TOLERANCE),
    )
    yield Row("within 5 frames", _percent(distance <= 5))
    for au_id, missed in sorted(missed_by_au.items()):
        share = _percent(~np.array(missed))
        yield Row(f"within {TOLERANCE} frames: {action_unit(au_id).label}", f"{share} of {len(missed)}")


def _onsets(intensity: NDArray[np.floating]) -> list[int]:
    """Return the first frames of the runs that reach the least peak, but not of one that is under way at the start."""
    active = np.concatenate([[False], intensity >= 1, [False]])
    edges = np.flatnonzero(active[1:] != active[:-1])
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [first for first, end in runs if first > 0 and intensity[first:end].max() >= LEAST_PEAK]


def _percent(hits: NDArray[np.bool_]) -> str:
    return f"{100 * float(np.mean(hits)):.0f} %"
