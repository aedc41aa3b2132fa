"""A timeline as SVG shapes: paths and bars in a box of 1000 by 100, which the page stretches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from vlfau.drawing.curves import SHOWN_FROM, moving_columns, seconds_between_ticks, stretches, thinned, tick_text
from vlfau.facs import ActionUnit, action_unit
from vlfau.inference.bundle import BundleInfo
from vlfau.video.events import Event
from vlfau.video.tracks import Track

__all__ = ["AURow", "Bar", "FacePlot", "Tick", "face_plot", "ticks"]

_MAX_POINTS: Final = 800
_TICKS: Final = 6
_WIDTH: Final = 1000
_TOP, _BASE = 4, 82  # Heights of the probabilities 1 and 0; the bars are below.
_MIN_BAR: Final = 1.5

Span = tuple[float, float]


@dataclass(frozen=True)
class Bar:
    """An event.

    Attributes:
        event: The event.
        left: Its onset.
        width: Its duration.
        apex_x: Its apex.
        apex_y: The probability at the apex.
    """

    event: Event
    left: float
    width: float
    apex_x: float
    apex_y: float


@dataclass(frozen=True)
class AURow:
    """An AU of a face.

    Attributes:
        unit: The AU.
        line: The probability over time, as the `d` of an SVG path.
        area: The same, filled down to 0.
        percents: (P,), the same probabilities in percent.
        threshold_y: The height from which the AU counts as active.
        highest: The highest probability.
        highest_s: When it was reached, in seconds.
        bars: Its events.
    """

    unit: ActionUnit
    line: str
    area: str
    percents: tuple[int, ...]
    threshold_y: float
    highest: float
    highest_s: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class FacePlot:
    """A face.

    Attributes:
        track: The face.
        centiseconds: (P,), the times of the points of every row.
        rows: The AUs that moved.
        resting: The AUs that did not.
    """

    track: Track
    centiseconds: tuple[int, ...]
    rows: tuple[AURow, ...]
    resting: tuple[ActionUnit, ...]


@dataclass(frozen=True)
class Tick:
    """A time on the axis, with its distance from the left end in percent of the width."""

    text: str
    percent: float


def face_plot(track: Track, events: Sequence[Event], model: BundleInfo, span_s: Span) -> FacePlot:
    """Return the shapes that the page draws for a face.

    Args:
        track: The face, with the AUs of the model.
        events: Of any faces.
        model: The model, for its thresholds.
        span_s: Times at the left and right end, in seconds.
    """
    columns = moving_columns(track, events, SHOWN_FROM)
    points = thinned(track, _MAX_POINTS)
    own = [event for event in events if event.face_id == track.face_id]
    return FacePlot(
        track=track,
        centiseconds=tuple(np.rint(100 * points.time_s).astype(int).tolist()),
        rows=tuple(
            _row(track, points, column, events=own, threshold=model.thresholds[column], span_s=span_s)
            for column in columns
        ),
        resting=tuple(action_unit(au_id) for column, au_id in enumerate(track.au_ids) if column not in columns),
    )


def ticks(span_s: Span) -> list[Tick]:
    """Return round times from one end to the other.

    >>> [(tick.text, tick.percent) for tick in ticks((0.0, 10.0))][:2]
    [('0:00', 0.0), ('0:02', 20.0)]
    """
    step = seconds_between_ticks(span_s[1] - span_s[0], _TICKS)
    times = np.arange(np.ceil(span_s[0] / step), np.floor(span_s[1] / step) + 1) * step
    return [Tick(tick_text(time_s, step), round(_x(time_s, span_s) / 10, 3)) for time_s in times.tolist()]


def _row(track: Track, points: Track, column: int, *, events: Sequence[Event], threshold: float, span_s: Span) -> AURow:
    au_id = track.au_ids[column]
    highest = int(track.probs[:, column].argmax())
    parts = [
        [
            (_x(time_s, span_s), _y(prob))
            for time_s, prob in zip(points.time_s[part].tolist(), points.probs[part, column].tolist(), strict=True)
        ]
        for part in stretches(points.starts)
    ]
    return AURow(
        unit=action_unit(au_id),
        line="".join(_path(part) for part in parts),
        area="".join(f"{_path(part)}V{_BASE}H{part[0][0]:g}Z" for part in parts),
        percents=tuple(np.rint(100 * points.probs[:, column]).astype(int).tolist()),
        threshold_y=_y(threshold),
        highest=float(track.probs[highest, column]),
        highest_s=float(track.time_s[highest]),
        bars=tuple(_bar(event, span_s) for event in events if event.au_id == au_id),
    )


def _bar(event: Event, span_s: Span) -> Bar:
    left, right = _x(event.onset_s, span_s), _x(event.offset_s, span_s)
    return Bar(
        event=event,
        left=left,
        width=round(max(right - left, _MIN_BAR), 1),
        apex_x=_x(event.apex_s, span_s),
        apex_y=_y(event.peak_prob),
    )


def _path(points: Sequence[tuple[float, float]]) -> str:
    """Return a line; a single point becomes a line of one pixel, so that it can be seen."""
    if len(points) == 1:
        points = [points[0], (round(points[0][0] + 1, 1), points[0][1])]
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def _x(time_s: float, span_s: Span) -> float:
    return round(_WIDTH * (time_s - span_s[0]) / (span_s[1] - span_s[0]), 1)


def _y(prob: float) -> float:
    return round(_BASE - (_BASE - _TOP) * prob, 1)
