"""How well the onsets of events are found, on synthetic clips whose AUs are known in every frame."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.rows import Row
from vlfau.facs import action_unit
from vlfau.inference.predictor import Predictor
from vlfau.inference.results import PictureResult
from vlfau.synthetic import Renderer, Subject
from vlfau.synthetic.clips import Clip, shoot
from vlfau.synthetic.components import components
from vlfau.synthetic.sampler import sampler
from vlfau.video.events import find_all_events
from vlfau.video.tracks import tracks

__all__ = ["measure"]

PRESET, SEED, SIZE = "wide", 77, 256
CLIPS, FRAMES, FRAMES_PER_SECOND = 40, 48, 25
LEAST_PEAK, TOLERANCE = 3, 2
"""Intensity C, and frames."""


def measure() -> Iterator[Row]:
    """Yield the share of true events whose onset is found within two frames."""
    predictor = Predictor(describe="never")
    renderer, expressions = Renderer(SIZE), sampler(PRESET)
    offsets: list[float] = []
    missed_by_au: dict[int, list[bool]] = {}
    for number in range(CLIPS):
        played = expressions.clip(SEED, number, FRAMES)
        subject = Subject.sample(SEED, number, chances=components("everyday"))
        clip = Clip.sample(subject, played, components("everyday"), SEED, number)
        results = []
        for place, shot in enumerate(shoot(renderer, subject, clip)):
            faces = [replace(face, face_id=1).without_arrays() for face in predictor.predict(shot.image)[:1]]
            results.append(PictureResult("clip", tuple(faces), place, place / FRAMES_PER_SECOND))
        followed = tracks(results, predictor.au_ids)
        if not followed or len(followed[0].time_s) < FRAMES // 2:
            continue
        events = find_all_events(followed, predictor.bundle.info.thresholds)
        for au_id in predictor.au_ids:
            found = np.array([event.onset_s * FRAMES_PER_SECOND for event in events if event.au_id == au_id])
            for onset in _onsets(np.array([expression.intensity(au_id) for expression in played])):
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
