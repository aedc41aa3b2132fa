"""Accuracy of event onsets, on synthetic clips whose AUs are known in every frame."""

from collections.abc import Iterator, Sequence

import numpy as np
from benchmarks.rows import Row
from numpy.typing import NDArray

from studies.acting import FRAMES_PER_SECOND, Performance, performances
from vlfau.facs import action_unit
from vlfau.inference.predictor import Predictor
from vlfau.video.events import find_events

__all__ = ["measure"]

CLIPS, FRAMES = 40, 48
SLOWNESSES = (1, 4)
"""A state of a face lasts three frames in the generator's clips, or twelve frames, half a second."""
MIN_PEAK, TOLERANCE = 3, 2
"""Intensity C, and a number of frames."""
ACTIVE, EVENTS = "first active frame", "event's onset"


def measure() -> Iterator[Row]:
    """Yield the share of true onsets that are found within two frames, and the share of found onsets that are true."""
    predictor = Predictor(describe="never")
    for slowness in SLOWNESSES:
        acted = list(performances(predictor, clips=CLIPS, frames=FRAMES, slowness=slowness))
        yield from _measure(predictor, acted, f"states of {3 * slowness} frames")


def _measure(predictor: Predictor, acted: Sequence[Performance], what: str) -> Iterator[Row]:
    thresholds = predictor.bundle.info.thresholds
    hits: dict[str, list[bool]] = {ACTIVE: [], EVENTS: []}
    alarms: dict[str, list[bool]] = {ACTIVE: [], EVENTS: []}
    hits_by_au: dict[int, list[bool]] = {}
    for each in acted:
        events = find_events(each.track, thresholds=thresholds)
        for column, au_id in enumerate(predictor.au_ids):
            played = each.intensities[:, column]
            onsets = _onsets(played, MIN_PEAK)
            in_events = [event.onset_s * FRAMES_PER_SECOND for event in events if event.au_id == au_id]
            in_frames = each.frames[_starts(each.track.states[:, column])]
            for name, found in ((ACTIVE, in_frames), (EVENTS, np.array(in_events))):
                hits[name] += [_is_near(onset, found) for onset in onsets]
                alarms[name] += [_is_near(onset, _onsets(played, 1)) for onset in found if onset > 0]
            hits_by_au.setdefault(au_id, []).extend(_is_near(onset, in_frames) for onset in onsets)
    yield Row(f"{what}: true events of intensity C or more that begin within a clip", str(len(hits[EVENTS])))
    for name in (ACTIVE, EVENTS):
        goal = " (goal: 80 %)" if name == ACTIVE else ""
        yield Row(f"{what}: {name} within {TOLERANCE} frames of the true onset{goal}", _percent(hits[name]))
        yield Row(f"{what}: share of {name}s near a true onset", _percent(alarms[name]))
    for au_id, found_by_au in sorted(hits_by_au.items()):
        if found_by_au:
            yield Row(f"{what}: {action_unit(au_id).label}", f"{_percent(found_by_au)} of {len(found_by_au)}")


def _is_near(onset: float, found: NDArray[np.floating] | NDArray[np.integer]) -> bool:
    return bool(len(found)) and float(np.abs(found - onset).min()) <= TOLERANCE


def _starts(active: NDArray[np.bool_]) -> NDArray[np.intp]:
    return np.flatnonzero(active & ~np.append(False, active[:-1]))


def _onsets(intensity: NDArray[np.floating], min_peak: float) -> NDArray[np.intp]:
    """Return the first frames of the events that reach a peak, without an event that is active in the first frame."""
    firsts, ends = _starts(intensity >= 1), _starts(intensity < 1)
    peaks = [intensity[first : min([*ends[ends > first], len(intensity)])].max() for first in firsts]
    return firsts[(np.array(peaks) >= min_peak) & (firsts > 0)]


def _percent(hits: Sequence[bool]) -> str:
    return f"{100 * float(np.mean(hits)):.0f} %"
