"""What a user sees of a run: results on the standard output, progress and complaints on the error output."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from rich.console import RenderableType
from rich.progress import BarColumn, Progress, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from vlfau.cli.console import error_console, output_console, print_error, print_notice
from vlfau.errors import InputError

__all__ = ["Screen"]

_MAX_TITLE: Final = 20
_BAR_WIDTH: Final = 20
"""Within 80 columns there is room left for the ^C that a terminal shows: a full line would break and stay."""


class _Remaining(TimeRemainingColumn):
    """The remaining time, of tasks that can tell it."""

    def render(self, task: Task) -> Text:
        return super().render(task) if task.total and task.fields["is_timed"] else Text("")


class Screen:
    """Prints, with bars below for whoever watches.

    Args:
        quiet: Print no results.
    """

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self._output = output_console()
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(_BAR_WIDTH),
            TextColumn("{task.fields[detail]}", markup=False),
            _Remaining(compact=True),
        )
        self._bars = Progress(
            *columns, console=error_console(), transient=True, redirect_stdout=False, redirect_stderr=False
        )

    @property
    def is_terminal(self) -> bool:
        """Whether results go to a terminal."""
        return self._output.is_terminal

    @property
    def width(self) -> int:
        """Characters of a line of results."""
        return self._output.width

    def __enter__(self) -> Self:
        """Begin without a bar."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take the bars away."""
        self._hide()

    def inputs(self, files: Sequence[Path], *, is_timed: bool) -> Iterator[Path]:
        """Yield the files, with a bar if there are several.

        Args:
            files: The inputs.
            is_timed: Whether they take about the same time, so that the remaining time can be told.
        """
        if len(files) < 2:
            yield from files
            return
        with self._bar("Inputs", len(files), f"0 of {len(files):,}", is_timed=is_timed) as show:
            for number, file in enumerate(files):
                show(number, f"{number:,} of {len(files):,}")
                yield file

    @contextmanager
    def frames(self, title: str, total_s: float | None) -> Iterator[Callable[[float], None]]:
        """Show a bar for a video.

        Args:
            title: What is under way.
            total_s: Its length; None if nobody knows.

        Returns:
            Is to be called after each frame with the seconds that are done.
        """
        from vlfau.video.summary import clock

        def place(done_s: float) -> str:
            return clock(done_s) if total_s is None else f"{clock(done_s)} of {clock(total_s)}"

        frames, began = 0, time.monotonic()
        with self._bar(_shortened(title), total_s, place(0.0), is_timed=True) as show:

            def frame_done(done_s: float) -> None:
                nonlocal frames
                frames += 1
                if self._bars.live.is_started:
                    rate = frames / max(time.monotonic() - began, 1e-9)
                    show(done_s, f"{place(done_s)}  {rate:.0f} frames/s")

            yield frame_done

    def print(self, *parts: RenderableType) -> None:
        """Print results, each on lines of its own; text may be longer than a line of a file."""
        if self.quiet:
            return
        with self._undisturbed():
            for part in parts:
                self._output.print(part, markup=False, soft_wrap=isinstance(part, str) and not self.is_terminal)

    def complain(self, error: InputError) -> None:
        """Say what could not be used."""
        with self._undisturbed():
            print_error(str(error))

    def notice(self, message: str) -> None:
        """Say what a user should know."""
        with self._undisturbed():
            print_notice(message, title="note", style="yellow")

    @contextmanager
    def _bar(
        self, title: str, total: float | None, detail: str, *, is_timed: bool
    ) -> Iterator[Callable[[float, str], None]]:
        is_first = not self._bars.live.is_started
        task = self._bars.add_task(title, total=total, detail=detail, is_timed=is_timed)
        if is_first and self._bars.console.is_terminal:
            self._bars.start()
        try:
            yield lambda done, detail: self._bars.update(task, completed=done, detail=detail)
        finally:
            self._bars.remove_task(task)
            if is_first:
                self._hide()

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """Take the bars off the screen while something else is printed."""
        was_shown = self._bars.live.is_started
        self._hide()
        yield
        if was_shown:
            self._bars.start()

    def _hide(self) -> None:
        if self._bars.live.is_started:  # Else an empty line would be printed.
            self._bars.stop()


def _shortened(title: str) -> str:
    return title if len(title) <= _MAX_TITLE else f"{title[: _MAX_TITLE - 3]}..."
