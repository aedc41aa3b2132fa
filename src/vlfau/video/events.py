"""Events: when an AU begins, is strongest and ends.

The terms are those of the FACS manual (Ekman, Friesen and Hager, Facial Action Coding System, 2002), which codes an
event by three moments:

* **onset**: the first frame in which the AU is active;
* **apex**: the frame in which it is strongest, by intensity, or by probability where the model gives no intensity,
  after smoothing;
* **offset**: the first frame after it in which the AU is inactive again.

They are given in seconds on the clock of the file, from the frames' own timestamps, so they are correct at any frame
rate, constant or not.

An event is *open* if one of its ends was not seen. `open_start`: the AU was active in the first frame in which the face
was seen, at the start of the clip or after a loss, and may have begun earlier. `open_end`: it was still active in the
last such frame, which then counts as the offset.

`write_events_csv` writes UTF-8 with one row per event and these columns:

| column | meaning |
|---|---|
| face | the number of the face in the video |
| au, au_name | FACS number and FACS name |
| onset_s, apex_s, offset_s | the three moments, in seconds on the clock of the file |
| duration_s | from onset to offset, in seconds; a lower bound if an end is open |
| peak_prob | the AU's probability at the apex, 0 to 1 |
| peak_intensity | its intensity at the apex, 0 to 5 (empty for a model without intensities) |
| open_start, open_end | 1 if that end was not seen, else 0 |
| doubtful | 1 if the AU could not be seen well enough in half of the event's frames or more, else 0 |
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from vlfau.errors import ConfigError
from vlfau.facs import action_unit
from vlfau.files.atomic import replacing
from vlfau.video.tracks import Track

__all__ = ["EVENT_COLUMNS", "Event", "find_all_events", "find_events", "write_events_csv"]

EVENT_COLUMNS: Final = (
    *("face", "au", "au_name", "onset_s", "apex_s", "offset_s", "duration_s"),
    *("peak_prob", "peak_intensity", "open_start", "open_end", "doubtful"),
)
_HALF: Final = 0.5
_ROUNDING_S: Final = 1e-6
"""Timestamps are rounded; times that differ by less are equal."""

_Run: TypeAlias = tuple[int, int]
"""The first and the last active frame of an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One activation of one AU of one face.

    Attributes:
        face_id: The number of the face in its video.
        au_id: FACS number.
        onset_s: The first frame in which the AU is active, in seconds.
        apex_s: The frame in which it is strongest.
        offset_s: The first frame in which it is inactive again; for an open end, the last frame seen.
        peak_prob: The probability at the apex.
        peak_intensity: The intensity at the apex; None for a model without intensities.
        open_start: Whether the AU may have begun earlier, while the face was not seen.
        open_end: Whether the AU may have lasted longer.
        doubtful: Whether the AU could not be seen well enough in half of the frames or more.
    """

    face_id: int
    au_id: int
    onset_s: float
    apex_s: float
    offset_s: float
    peak_prob: float
    peak_intensity: float | None = None
    open_start: bool = False
    open_end: bool = False
    doubtful: bool = False

    @property
    def duration_s(self) -> float:
        """From onset to offset, in seconds."""
        return self.offset_s - self.onset_s


def find_events(
    track: Track,
    *,
    thresholds: Sequence[float] | None = None,
    smooth_s: float = 0.1,
    release: float = 0.8,
    bridge_s: float = 0.1,
    min_s: float = 0.1,
) -> list[Event]:
    """Find the events of every AU of a face.

    With `smooth_s`, `bridge_s` and `min_s` of 0 and a `release` of 1, the events are the runs of active frames.

    Args:
        track: The face.
        thresholds: (N,), the probability at which an event of each AU begins: the model's thresholds. None takes the
            lowest probability with which the AU is active in this track, which gives the same states.
        smooth_s: Length, in seconds, of the window of the running median over probabilities and intensities; 0 for no
            smoothing. The window is symmetric, so it does not shift rises and falls.
        release: Hysteresis: an event lasts until the probability falls below this share of the threshold, so that
            noise around the threshold does not split it; 1 for none.
        bridge_s: Two events of an AU are merged if they are less than this apart, whether the AU is inactive or the
            face is lost in between. A longer loss ends an event at the last frame seen.
        min_s: Shorter events are then dropped. The default drops flickers of one or two frames of a usual video;
            lower it for micro-expressions, which last 1/25 of a second or more.

    Returns:
        The events, by onset, then by FACS number.

    Raises:
        ConfigError: A parameter is out of range, or there is not one threshold per AU.
    """
    _check(track, thresholds, smooth_s=smooth_s, release=release, bridge_s=bridge_s, min_s=min_s)
    starts = track.starts
    goes_on = ~np.append(starts[1:], True)  # (T,), whether the face is seen in the frame after, too
    ends_s = np.where(goes_on, np.append(track.time_s[1:], np.nan), track.time_s)  # end of an event, by its last frame
    min_ends_s = track.time_s + track.frame_s  # an open event lasts at least to the end of its last frame
    halves = _half_windows(track.time_s, starts, smooth_s)
    onset_thresholds = _onset_thresholds(track, thresholds)
    events = []
    for column, au_id in enumerate(track.au_ids):
        probs = _running_median(track.probs[:, column], halves)
        strength = probs if track.intensities is None else _running_median(track.intensities[:, column], halves)
        active = probs >= onset_thresholds[column]
        above_release = probs >= np.float32(release) * onset_thresholds[column]
        for first, last in _bridged(_runs(active, above_release, starts), track.time_s, ends_s, bridge_s):
            if min_ends_s[last] - track.time_s[first] < min_s - _ROUNDING_S:
                continue
            apex = first + int(strength[first : last + 1].argmax())
            events.append(
                Event(
                    face_id=track.face_id,
                    au_id=au_id,
                    onset_s=float(track.time_s[first]),
                    apex_s=float(track.time_s[apex]),
                    offset_s=float(ends_s[last]),
                    peak_prob=float(track.probs[apex, column]),
                    peak_intensity=None if track.intensities is None else float(track.intensities[apex, column]),
                    open_start=bool(starts[first]),
                    open_end=not goes_on[last],
                    doubtful=track.doubtful is not None
                    and bool(track.doubtful[first : last + 1, column].mean() >= _HALF),
                )
            )
    return sorted(events, key=lambda event: (event.onset_s, event.au_id))


def find_all_events(tracks: Iterable[Track], thresholds: Sequence[float]) -> list[Event]:
    """Return the events of all faces of a video, face by face, with the defaults of `find_events`."""
    return [event for track in tracks for event in find_events(track, thresholds=thresholds)]


def write_events_csv(path: Path, events: Iterable[Event]) -> None:
    """Write one row per event, whole or not at all; see above for the columns.

    Raises:
        InputError: The file cannot be written.
    """
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(EVENT_COLUMNS)
        for event in events:
            times = (event.onset_s, event.apex_s, event.offset_s, event.duration_s)
            intensity = "" if event.peak_intensity is None else f"{event.peak_intensity:.2f}"
            writer.writerow(
                [
                    *(event.face_id, event.au_id, action_unit(event.au_id).name),
                    *(f"{time_s:.3f}" for time_s in times),
                    *(f"{event.peak_prob:.4f}", intensity),
                    *(int(event.open_start), int(event.open_end), int(event.doubtful)),
                ]
            )


def _check(track: Track, thresholds: Sequence[float] | None, release: float, **seconds: float) -> None:
    for name, value in seconds.items():
        if not 0 <= value < np.inf:
            raise ConfigError(f"{name} is {value}; give seconds, 0 or more")
    if not 0 < release <= 1:
        raise ConfigError(f"release is {release}; give a share of the threshold, above 0 and up to 1")
    if thresholds is not None and len(thresholds) != len(track.au_ids):
        raise ConfigError(f"{len(thresholds)} thresholds for {len(track.au_ids)} AUs; give one per AU")


def _onset_thresholds(track: Track, thresholds: Sequence[float] | None) -> NDArray[np.float32]:
    """Return the thresholds, (N,), in the precision of the probabilities, so that equal ones compare equal."""
    if thresholds is None:
        return np.asarray(track.probs.min(axis=0, where=track.states, initial=np.inf))
    return np.array(thresholds, np.float32)


def _half_windows(time_s: NDArray[np.float64], starts: NDArray[np.bool_], window_s: float) -> NDArray[np.intp]:
    """Return how many frames on either side of each frame are in its window and its stretch, (T,)."""
    index = np.arange(len(time_s))
    stretch = np.cumsum(starts)
    earliest = np.searchsorted(stretch, stretch)
    latest = np.searchsorted(stretch, stretch, side="right") - 1
    reach_s = window_s / 2 + _ROUNDING_S
    before = index - np.maximum(np.searchsorted(time_s, time_s - reach_s), earliest)
    after = np.minimum(np.searchsorted(time_s, time_s + reach_s, side="right") - 1, latest) - index
    return np.minimum(before, after)


def _running_median(values: NDArray[np.float32], halves: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return the median of each value and of `halves` values on either side, (T,)."""
    medians = values.copy()
    for half in np.unique(halves[halves > 0]):
        rows = np.flatnonzero(halves == half)
        medians[rows] = np.median(sliding_window_view(values, 2 * half + 1)[rows - half], axis=1)
    return medians


def _runs(active: NDArray[np.bool_], above_release: NDArray[np.bool_], starts: NDArray[np.bool_]) -> Iterator[_Run]:
    """Yield every run of frames above the release level without a loss, from its first active frame on."""
    joined = np.append(above_release[:-1] & above_release[1:] & ~starts[1:], False)  # with the frame after
    firsts = np.flatnonzero(above_release & ~np.roll(joined, 1))
    lasts = np.flatnonzero(above_release & ~joined)
    for first, last in zip(firsts, lasts, strict=True):
        if active[first : last + 1].any():
            yield int(first + active[first : last + 1].argmax()), int(last)


def _bridged(
    runs: Iterable[_Run], time_s: NDArray[np.float64], ends_s: NDArray[np.float64], bridge_s: float
) -> list[_Run]:
    """Merge the runs of one AU that are less than `bridge_s` apart."""
    joined: list[_Run] = []
    for first, last in runs:
        near = joined and time_s[first] - ends_s[joined[-1][1]] < bridge_s - _ROUNDING_S
        joined.append((joined.pop()[0] if near else first, last))
    return joined
