"""The summary of a video for a terminal."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

__all__ = ["video_text"]


def video_text(title: str, summary: str, *, max_lines: int) -> RenderableType:
    """Return a summary under a title, with what belongs together in columns.

    Args:
        title: Such as the name of the video.
        summary: As `vlfau.video.summary.summary` gives it: a head line, lines of faces, lines of events; what is in
            columns has two spaces between them.
        max_lines: Of events; the others are counted.
    """
    head, _, rest = summary.strip().partition("\n")
    faces, _, events = rest.partition("\n\n")
    lines = events.splitlines()
    parts: list[RenderableType] = [Text(f"{title}: {head}", "bold")]
    if faces:
        parts.append(_columns(faces.splitlines()))
    if lines:
        parts += ["", _columns(lines[:max_lines])]
    if len(lines) > max_lines:
        parts.append(Text(f"{len(lines) - max_lines:,} more", "bright_black"))
    return Group(*parts, "")


def _columns(lines: list[str]) -> Table:
    """Put lines in columns, so that what is too long for the terminal goes on below its beginning."""
    table = Table.grid(padding=(0, 2))
    for line in lines:
        table.add_row(*map(Text, line.split("  ")))
    return table
