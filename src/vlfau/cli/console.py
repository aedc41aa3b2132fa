"""Where the command line writes: results to the standard output, everything else to the error output."""

import os
import re
import sys
from collections.abc import Iterator
from typing import Final

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.text import Text

__all__ = ["error_console", "output_console", "print_error", "print_notice"]

_FILE_WIDTH: Final = 120
_STEERING: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that a terminal obeys instead of showing them; line breaks and tabs are our own."""


def output_console() -> Console:
    """Return the console for results; a file gets lines of a fixed width."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _FILE_WIDTH
    return _guarded(Console(width=width, highlight=False))


def error_console() -> Console:
    """Return the console for messages and progress."""
    return _guarded(Console(stderr=True, highlight=False))


def print_error(message: str) -> None:
    """Say in a line what went wrong."""
    print_notice(message, title="error", style="bold red")


def print_notice(message: str, *, title: str, style: str) -> None:
    """Say something in a line that a terminal breaks between words but a file gets whole."""
    console = error_console()
    console.print(Text.assemble((f"{title}:", style), " ", message), soft_wrap=not console.is_terminal)


class _Shown:
    """A renderable whose text cannot steer the terminal, wherever that text came from."""

    def __init__(self, renderable: ConsoleRenderable) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from self._segments(console, options)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self._renderable)

    def _segments(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for segment in console.render(self._renderable, options):
            if segment.is_control:
                yield segment
            else:
                yield Segment(_STEERING.sub("\ufffd", segment.text), segment.style)


class _ShowAll(RenderHook):
    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Shown(renderable) for renderable in renderables]


def _guarded(console: Console) -> Console:
    console.push_render_hook(_ShowAll())
    return console
