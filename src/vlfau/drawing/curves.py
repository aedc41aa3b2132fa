"""The part of a track that a timeline shows: AUs that moved, with no more points than a screen has."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vlfau.video.events import Event
from vlfau.video.summary import clock
from vlfau.video.tracks import Track

__all__ = [
    "SHOWN_FROM",
    "LongestSeen",
    "longest_seen",
    "moving_columns",
    "seconds_between_ticks",
    "stretches",
    "thinned",
    "tick_text",
]

SHOWN_FROM: Final = 0.3
"""By default, an AU gets a row in a timeline if its probability ever reaches this."""
_SECONDS_BETWEEN_TICKS: Final = (
    *(0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 36000, 86400),
)


class LongestSeen(NamedTuple):
    """The faces of a video that are drawn.

    Attributes:
        tracks: Those seen in the most frames, in their original order.
        left_out: Number of the others.
    """

    tracks: tuple[Track, ...]
    left_out: int


def longest_seen(tracks: Sequence[Track], count: int) -> LongestSeen:
    """Return the faces seen in the most frames, in their original order, and the number of those left out."""
    ranked = sorted(tracks, key=lambda track: len(track.time_s), reverse=True)[:count]
    kept = {track.face_id for track in ranked}
    return LongestSeen(tuple(track for track in tracks if track.face_id in kept), len(tracks) - len(ranked))


def moving_columns(track: Track, events: Iterable[Event], level: float | None) -> tuple[int, ...]:
    """Return the columns of the AUs that get a row, in the track's order.

    Args:
        track: A face.
        events: Of any faces; an AU with an event of this face always gets a row.
        level: An AU gets a row if its probability ever reaches this; None takes every AU.
    """
    acted: Collection[int] = {event.au_id for event in events if event.face_id == track.face_id}
    highest = track.probs.max(axis=0)
    return tuple(
        column
        for column, au_id in enumerate(track.au_ids)
        if level is None or au_id in acted or highest[column] >= level
    )


def thinned(track: Track, points: int) -> Track:
    """Reduce a track to about so many points without losing a peak.

    Neighbouring frames become one point in the middle of their time, with the highest of their values. Frames
    before and after a loss of the face are not joined.

    Args:
        track: A face.
        points: Number of points; a track with no more frames stays as it is.
    """
    frames = len(track.time_s)
    if frames <= points:
        return track
    group = np.arange(frames) * points // frames
    firsts = np.flatnonzero(track.starts | (np.diff(group, prepend=-1) > 0))
    lasts = np.append(firsts[1:], frames) - 1
    return Track(
        face_id=track.face_id,
        time_s=(track.time_s[firsts] + track.time_s[lasts]) / 2,
        probs=np.maximum.reduceat(track.probs, firsts),
        states=np.logical_or.reduceat(track.states, firsts),
        intensities=None if track.intensities is None else np.maximum.reduceat(track.intensities, firsts),
        au_ids=track.au_ids,
        lost=None if track.lost is None else track.lost[firsts],
    )


def seconds_between_ticks(span_s: float, ticks: int) -> float:
    """Return a round number of seconds that divides a span into at most `ticks` parts.

    >>> seconds_between_ticks(12, 8), seconds_between_ticks(600, 8)
    (2, 120)
    """
    return next((step for step in _SECONDS_BETWEEN_TICKS if span_s / step <= ticks), span_s / ticks)


def tick_text(time_s: float, step_s: float) -> str:
    """Return a time on an axis whose ticks lie `step_s` apart; tenths of seconds only where they are needed.

    >>> tick_text(62.0, 2.0), tick_text(62.0, 0.5)
    ('1:02', '1:02.0')
    """
    text = clock(time_s)
    return text if step_s < 1 else text.rpartition(".")[0]


def stretches(starts: NDArray[np.bool_]) -> Sequence[slice]:
    """Return the parts of a track between which its face was lost.

    >>> stretches(np.array([True, False, True]))
    [slice(0, 2, None), slice(2, 3, None)]
    """
    firsts = np.flatnonzero(starts).tolist()
    return [slice(first, last) for first, last in zip(firsts, [*firsts[1:], len(starts)], strict=True)]
