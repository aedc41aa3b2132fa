"""Results and models as tables and text for a terminal."""

from typing import Final

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from vlfau.drawing.theme import format_pose
from vlfau.facs import action_unit
from vlfau.inference.bundle import BundleInfo
from vlfau.inference.results import FaceResult
from vlfau.measures.measuring import NOT_MEASURED
from vlfau.measures.quality import FaceQuality

__all__ = ["au_table", "face_table", "video_text"]

_BAR_WIDTH: Final = 10
_MEASUREMENTS: Final = 3
_ROOM_FOR_WORDS: Final = 100
"""In narrower terminals the words stand below the table."""


class _Bar:
    """A probability as a number and a bar with a tick at the threshold; ASCII only if the terminal has no Unicode."""

    def __init__(self, prob: float, threshold: float | None) -> None:
        self.prob, self.threshold = prob, threshold

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        full, empty, tick = ("#", ".", "|") if options.ascii_only else ("━", "─", "╂")
        length = round(self.prob * _BAR_WIDTH)
        bar = Text.assemble((full * length, "cyan"), (empty * (_BAR_WIDTH - length), "bright_black"))
        if self.threshold is not None:
            at = min(int(self.threshold * _BAR_WIDTH), _BAR_WIDTH - 1)
            bar = Text.assemble(bar[:at], (tick, "cyan" if at < length else "bright_black"), bar[at + 1 :])
        yield Text.assemble(f"{self.prob:.2f} ", bar)


def face_table(face: FaceResult, *, title: str, width: int, measurements: bool = False, quality: bool = False) -> Group:
    """Return a face's AUs as a table, with the description of the whole face below.

    Args:
        face: The face.
        title: Title line.
        width: Line width in characters.
        measurements: Whether to list what was measured of the active AUs.
        quality: Whether to say how well the face can be read.
    """
    left, top, right, bottom = (round(value) for value in face.face_box_xyxy)
    pose = format_pose(face.pose, ", ")
    where = f"box ({left}, {top}) to ({right}, {bottom}), {pose}"
    has_intensities = any(au.intensity is not None for au in face.aus)
    has_words = any(au.local_caption for au in face.aus)
    in_table = has_words and width >= _ROOM_FOR_WORDS
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    table.add_column("AU", justify="right", no_wrap=True)
    table.add_column("Name", no_wrap=True)
    table.add_column("Probability", width=_BAR_WIDTH + 5, no_wrap=True)
    table.add_column("State", no_wrap=True)
    if has_intensities:
        table.add_column("Intensity\n(0 to 5)", justify="right", no_wrap=True)
    if in_table:
        table.add_column("Description")
    for au in face.aus:
        state = Text("active", "bold green") if au.state else Text("inactive", "bright_black")
        if au.doubtful:
            state = Text(f"{state.plain}?", "yellow")
        strength = ["" if au.intensity is None else f"{au.intensity:.1f}"] if has_intensities else []
        words = [au.local_caption or ""] if in_table else []
        table.add_row(
            str(au.au_id),
            au.name,
            _Bar(au.prob, au.threshold),
            state,
            *strength,
            *words,
            style="" if au.state else "dim",
        )
    parts: list[RenderableType] = [Text(title, "bold"), Text(where, "bright_black"), table]
    if quality and face.quality is not None:
        parts += [_quality_line(face.quality), *([] if face.doubt_text else [""])]
    if face.doubt_text:
        parts += [Text(face.doubt_text, "yellow"), ""]
    if has_words and not in_table:
        parts += [_words_below(face), ""]
    if measurements and (face.active_aus or not face.measurements):
        parts += [_measured_below(face), ""]
    if face.global_caption:
        parts.append(Text(f"{face.global_caption}\n"))
    return Group(*parts)


def _words_below(face: FaceResult) -> Table:
    """Return the captions of the AUs, one per line."""
    lines = Table.grid(padding=(0, 2))
    for au in face.aus:
        if au.local_caption:
            lines.add_row(Text(f"AU {au.au_id}"), Text(au.local_caption), style="" if au.state else "dim")
    return lines


def _quality_line(quality: FaceQuality) -> Text:
    seen = f"{quality.upper_visible:.0%} of brows and eyes, {quality.lower_visible:.0%} of the lower face visible"
    return Text(f"quality {quality.quality:.2f} ({seen})", "bright_black")


def _measured_below(face: FaceResult) -> RenderableType:
    """Return what was measured of the active AUs, one measurement per line."""
    if not face.measurements:
        return Text(NOT_MEASURED, "bright_black")
    lines = Table.grid(padding=(0, 2))
    for au in face.active_aus:
        for index, each in enumerate(() if au.doubtful else au.measurements[:_MEASUREMENTS]):
            lines.add_row(Text("" if index else f"AU {au.au_id}"), Text(each.text))
    return lines


def video_text(title: str, summary: str, *, max_lines: int) -> RenderableType:
    """Return a summary under a title, aligned in columns.

    Args:
        title: Title, such as the name of the video.
        summary: As `vlfau.video.summary.summary` gives it: a head line, lines of faces, lines of events, a note; what
            is in columns has two spaces between them.
        max_lines: Maximum number of events; the rest are only counted.
    """
    head, _, rest = summary.strip().partition("\n")
    faces, _, events = rest.partition("\n\n")
    events, _, note = events.partition("\n\n")
    lines = events.splitlines()
    parts: list[RenderableType] = [Text(f"{title}: {head}", "bold")]
    if faces:
        parts.append(_columns(faces.splitlines()))
    if lines:
        parts += ["", _columns(lines[:max_lines])]
    if len(lines) > max_lines:
        parts.append(Text(f"{len(lines) - max_lines:,} more", "bright_black"))
    if note:
        parts += ["", Text(note, "bright_black")]
    return Group(*parts, "")


def _columns(lines: list[str]) -> Table:
    """Arrange lines in columns, so that long cells wrap within their column."""
    table = Table.grid(padding=(0, 2))
    for line in lines:
        table.add_row(*map(Text, line.split("  ")))
    return table


def au_table(info: BundleInfo) -> Table:
    """Return the AUs of a model, with their muscles."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("AU", justify="right", no_wrap=True)
    table.add_column("Name", no_wrap=True)
    table.add_column("Region", no_wrap=True)
    table.add_column("Muscles")
    table.add_column("Coded by", no_wrap=True)
    table.add_column("Threshold", justify="right", no_wrap=True)
    for au_id, threshold in zip(info.au_ids, info.thresholds, strict=True):
        unit = action_unit(au_id)
        muscles, coded_by = ", ".join(unit.muscles), ", ".join(unit.coded_by)
        table.add_row(str(au_id), unit.name, unit.region, muscles, coded_by, f"{threshold:.2f}")
    return table
