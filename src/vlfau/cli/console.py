"""Output of the command line: results go to standard output, everything else to standard error.

Failing standard streams (a closed pipe, a full disk, no stream at all) do not stop a run.
"""

import errno
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TextIO

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.text import Text

__all__ = [
    "SturdyStream",
    "error_console",
    "output_console",
    "output_failure",
    "print_error",
    "print_notice",
    "sturdy_streams",
]

_FILE_WIDTH: Final = 120
_STEERING: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters that a terminal would execute; line breaks and tabs are allowed."""


def output_console() -> Console:
    """Return the console for results; a file gets lines of a fixed width."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _FILE_WIDTH
    return _guarded(Console(width=width, highlight=False))


def error_console() -> Console:
    """Return the console for messages and progress."""
    return _guarded(Console(stderr=True, highlight=False))


def print_error(message: str) -> None:
    """Print an error message on one line."""
    print_notice(message, title="error", style="bold red")


def print_notice(message: str, *, title: str, style: str) -> None:
    """Print a line that is wrapped between words in a terminal but not in a file."""
    console = error_console()
    console.print(Text.assemble((f"{title}:", style), " ", message), soft_wrap=not console.is_terminal)


class _Shown:
    """A renderable without control characters, wherever its text came from."""

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


class SturdyStream:
    """Passes text on to a stream until that fails, then drops it.

    Args:
        stream: The stream; None, Python's value for a closed one, drops everything.

    Attributes:
        failure: The error, or None if there was none.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self.failure: OSError | None = None if stream is not None else OSError(errno.EBADF, os.strerror(errno.EBADF))
        self._is_own = stream is None
        self._stream = open(os.devnull, "w", encoding="utf-8") if stream is None else stream  # noqa: PTH123, SIM115

    def write(self, text: str) -> int:
        """Write a text, or drop it."""
        if self.failure is None:
            with self._noting():
                return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush the stream."""
        if self.failure is None:
            with self._noting():
                self._stream.flush()

    def end(self) -> None:
        """Flush the stream; one that stood for a closed one is closed again."""
        self.flush()
        if self._is_own:
            self._stream.close()

    def __getattr__(self, name: str) -> Any:
        """Delegate everything else to the stream."""
        return getattr(self._stream, name)

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except UnicodeError:
            raise
        except (OSError, ValueError) as error:  # ValueError: it was closed.
            self.failure = error if isinstance(error, OSError) else OSError(errno.EBADF, str(error))
            with suppress(OSError, ValueError), Path(os.devnull).open("wb") as nothing:
                # Python flushes its buffer at exit, which must not fail again.
                os.dup2(nothing.fileno(), self._stream.fileno())


@contextmanager
def sturdy_streams() -> Iterator[None]:
    """Keep failing standard streams from stopping the run."""
    _fill_closed_descriptors()
    before = sys.stdout, sys.stderr
    ours = SturdyStream(before[0]), SturdyStream(before[1])
    sys.stdout, sys.stderr = ours
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        for stream in ours:
            stream.end()


def _fill_closed_descriptors() -> None:
    """Keep files opened later from getting the descriptor of a closed standard stream, and with it its messages."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def output_failure() -> OSError | None:
    """Return the error that closed standard output; None while it works."""
    return sys.stdout.failure if isinstance(sys.stdout, SturdyStream) else None
