"""The AUs of a video over time as a plot: one row per AU, one section per face."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from vlfau.drawing.curves import (
    SHOWN_FROM,
    longest_seen,
    moving_columns,
    seconds_between_ticks,
    stretches,
    thinned,
    tick_text,
)
from vlfau.drawing.theme import CHART_SIZES, DARK, LIGHT, THRESHOLD_DASHES, Palette, chart_style, row_label
from vlfau.errors import ConfigError, InputError, MissingExtraError
from vlfau.facs import action_unit
from vlfau.files.atomic import replacing
from vlfau.files.names import printable
from vlfau.video.events import Event
from vlfau.video.tracks import Track

try:
    import matplotlib as mpl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.ticker import FuncFormatter, MultipleLocator
except ModuleNotFoundError as _error:
    raise MissingExtraError(_error.name or "matplotlib", "plots") from None

__all__ = ["draw_timeline", "write_timeline"]

_WIDTH, _ROW, _FACE_HEAD, _HEAD, _FOOT = 11.0, 0.38, 0.72, 0.15, 0.65  # inches
_LEFT, _RIGHT = 2.3, 0.35
_CURVE: Final = 0.74  # Height of the probability 1, in rows; the event bar lies below 0.
_BAR: Final = (-0.17, 0.1)
_MAX_POINTS: Final = 1200
_MAX_FACES: Final = 8
_DENSE_EVENTS: Final = 20
_TICKS: Final = 10


def draw_timeline(
    tracks: Sequence[Track],
    events: Iterable[Event],
    *,
    thresholds: Sequence[float] | None = None,
    level: float | None = SHOWN_FROM,
    title: str = "",
    note: str = "",
    dark: bool = False,
) -> Figure:
    """Draw the probability of each AU of each face and its events; of more than eight faces, those seen longest.

    Args:
        tracks: The faces.
        events: Their events, as `find_events` returns them.
        thresholds: (N,), the probability from which each AU counts as active; None draws none.
        level: Show AUs whose probability ever reaches this and AUs with events; None shows all.
        title: A heading, such as the name of the file.
        note: A line at the bottom, such as a warning.
        dark: Whether to draw on a dark background.

    Returns:
        The figure.

    Raises:
        InputError: There is no face.
    """
    if not tracks:
        raise InputError("no face was found, so there is no timeline to draw; check the video")
    palette, events = DARK if dark else LIGHT, tuple(events)
    tracks, left_out = longest_seen(tracks, _MAX_FACES)
    if left_out:
        note = f"{note}  {left_out} more faces, seen in fewer frames, are left out.".strip()
    columns = [moving_columns(track, events, level) for track in tracks]
    rows = [max(1, len(each)) for each in columns]
    height = _HEAD + sum(_FACE_HEAD + _ROW * count for count in rows) + _FOOT
    with mpl.rc_context(_style(palette)):
        figure = Figure(figsize=(_WIDTH, height))
        top = height - _HEAD
        start_s = min(float(track.time_s[0]) for track in tracks)
        end_s = max(float(track.time_s[-1] + track.frame_s[-1]) for track in tracks)
        for track, shown, count in zip(tracks, columns, rows, strict=True):
            bottom = top - _FACE_HEAD - _ROW * count + 0.35
            box = (_LEFT / _WIDTH, bottom / height, 1 - (_LEFT + _RIGHT) / _WIDTH, _ROW * count / height)
            axes = figure.add_axes(box)
            _draw_face(axes, thinned(track, _MAX_POINTS), shown, thresholds, palette)
            _draw_events(axes, track, shown, [event for event in events if event.face_id == track.face_id], palette)
            _lay_out(axes, track, shown, (start_s, max(end_s, start_s + 0.1)))
            top -= _FACE_HEAD + _ROW * count
        margin = 0.15 / _WIDTH
        text: dict[str, Any] = {"parse_math": False}
        figure.text(margin, 1 - 0.12 / height, title, va="top", fontsize=CHART_SIZES.title, fontweight="bold", **text)
        figure.text(margin, 0.38 / height, note, va="bottom", fontsize=CHART_SIZES.small, color=palette.muted, **text)
        _draw_legend(figure, palette, with_thresholds=thresholds is not None, height=height)
    return figure


def write_timeline(path: Path, figure: Figure) -> None:
    """Write a timeline as SVG or PNG, by the file's ending, whole or not at all.

    Raises:
        ConfigError: The ending is another one.
        InputError: The file cannot be written.
    """
    kind = path.suffix.lower().removeprefix(".")
    if kind not in {"svg", "png"}:
        raise ConfigError(f"a timeline is written as .svg or .png, not as {printable(path.name)}; rename it")
    # Without a date and with a fixed salt the same timeline gives the same file.
    metadata = {"Date": None} if kind == "svg" else None
    with (
        mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "vlfau", "font.family": "sans-serif"}),
        replacing(path) as temporary,
    ):
        figure.savefig(temporary, format=kind, dpi=150, metadata=metadata)


def _style(palette: Palette) -> dict[Any, Any]:
    return chart_style(palette) | {"xtick.color": palette.grid, "xtick.labelcolor": palette.muted}


def _draw_face(
    axes: Axes, track: Track, columns: Sequence[int], thresholds: Sequence[float] | None, palette: Palette
) -> None:
    for row, column in enumerate(columns):
        base = float(len(columns) - 1 - row)
        if thresholds is not None:
            height = base + _CURVE * thresholds[column]
            axes.axhline(height, color=palette.muted, linewidth=0.7, linestyle=THRESHOLD_DASHES, alpha=0.8, zorder=1.5)
        for part in stretches(track.starts):
            heights = base + _CURVE * track.probs[part, column]
            time_s = track.time_s[part]
            if len(time_s) == 1:  # A line needs two points.
                time_s, heights = np.repeat(time_s, 2), np.repeat(heights, 2)
            axes.fill_between(time_s, base, heights, color=palette.curve, alpha=0.3, linewidth=0)
            axes.plot(time_s, heights, color=palette.curve, linewidth=0.9, solid_joinstyle="round")


def _draw_events(axes: Axes, track: Track, columns: Sequence[int], events: Sequence[Event], palette: Palette) -> None:
    bases = {track.au_ids[column]: len(columns) - 1 - row for row, column in enumerate(columns)}
    for au_id, base in bases.items():
        own = [event for event in events if event.au_id == au_id]
        bars = [(event.onset_s, event.duration_s) for event in own]
        axes.broken_barh(
            bars, (base + _BAR[0], _BAR[1]), facecolor=palette.event, edgecolor=palette.event, linewidth=0.6
        )
        axes.plot(
            [event.apex_s for event in own],
            [base + _CURVE * event.peak_prob for event in own],
            linestyle="none",
            marker="D",
            markersize=3.6 if len(own) <= _DENSE_EVENTS else 2.4,
            markerfacecolor=palette.event,
            markeredgecolor=palette.chart,
            markeredgewidth=0.6,
            zorder=3,
        )


def _lay_out(axes: Axes, track: Track, columns: Sequence[int], span_s: tuple[float, float]) -> None:
    axes.set_title(f"Face {track.face_id}", loc="left", fontsize=CHART_SIZES.heading, fontweight="bold", pad=4)
    axes.set_xlim(*span_s)
    axes.set_ylim(-0.25, max(1, len(columns)) - 0.15)
    step = seconds_between_ticks(span_s[1] - span_s[0], _TICKS)
    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda time_s, _: tick_text(time_s, step)))
    axes.grid(axis="x")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    units = [action_unit(track.au_ids[column]) for column in columns]
    axes.set_yticks(
        [len(columns) - 1 - row + _CURVE / 2 for row in range(len(columns))],
        [row_label(unit) for unit in units],
    )
    axes.tick_params(axis="y", length=0)
    if not columns:
        axes.text(0.5, 0.5, "no AU moved", transform=axes.transAxes, ha="center", va="center")


def _draw_legend(figure: Figure, palette: Palette, *, with_thresholds: bool, height: float) -> None:
    dashes = Line2D([], [], color=palette.muted, linewidth=0.8, linestyle=THRESHOLD_DASHES, label="threshold")
    apex = Line2D([], [], linestyle="none", marker="D", markersize=4, color=palette.event, label="apex")
    figure.legend(
        handles=[
            Patch(facecolor=palette.curve, alpha=0.45, label="probability, 0 to 1 in every row"),
            *([dashes] if with_thresholds else []),
            Patch(facecolor=palette.event, label="event, from onset to offset"),
            apex,
        ],
        loc="lower right",
        bbox_to_anchor=(1 - _RIGHT / _WIDTH, 0.03 / height),
        ncols=4,
        fontsize=CHART_SIZES.small,
        handlelength=1.4,
        borderaxespad=0.2,
    )
