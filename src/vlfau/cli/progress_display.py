"""Terminal output of a run: results on standard output, progress and warnings on standard error."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from rich.console import RenderableType
from rich.progress import BarColumn, Progress, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from vlfau.cli.console import error_console, output_console, output_failure, print_error, print_notice
from vlfau.cli.formatting import face_table, video_text
from vlfau.errors import InputError
from vlfau.files.names import printable
from vlfau.inference.results import FaceResult
from vlfau.media.analysed import is_video
from vlfau.runs.observer import RunObserver, count
from vlfau.video.summary import clock

__all__ = ["ProgressDisplay"]

_MAX_EVENTS_SHOWN: Final = 30
_MAX_TITLE: Final = 20
_MAX_NAMES: Final = 3
"""Names of skipped files that are printed for each reason."""
_BAR_WIDTH: Final = 20
"""Leaves room within 80 columns for the ^C that a terminal echoes: a full line would wrap and remain."""


class _Remaining(TimeRemainingColumn):
    """The remaining time, for tasks that can estimate it."""

    def render(self, task: Task) -> Text:
        return super().render(task) if task.total and task.fields["is_timed"] else Text("")


class ProgressDisplay(RunObserver):
    """Prints the results of a run, with progress bars below.

    Args:
        quiet: Print no results.
        measurements: Print what was measured of the active AUs.
        quality: Print how well each face can be read.
    """

    def __init__(self, *, quiet: bool, measurements: bool = False, quality: bool = False) -> None:
        self.quiet, self._measurements, self._quality = quiet, measurements, quality
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
        self._inputs_bar, self._video_bar = ExitStack(), ExitStack()
        self._show_input: Callable[[], None] = lambda: None
        self._show_frame: Callable[[float], None] = lambda done_s: None

    def __enter__(self) -> Self:
        """Start without a bar."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Remove the bars."""
        self._hide()

    @property
    def wants_more(self) -> bool:
        """Whether standard output still accepts results."""
        return output_failure() is None

    def notice(self, message: str) -> None:
        """Print a notice."""
        with self._undisturbed():
            print_notice(message, title="note", style="yellow")

    def failed(self, file: Path, error: InputError) -> None:
        """Print an error about an input."""
        with self._undisturbed():
            print_error(str(error))

    def skipped(self, folder: Path, files: Mapping[Path, str]) -> None:
        """Print how many files of a folder are not read, and why."""
        by_reason: dict[str, list[str]] = {}
        for file, reason in files.items():
            by_reason.setdefault(reason, []).append(printable(file.relative_to(folder)))
        reasons = (
            f"{', '.join(names[:_MAX_NAMES])}{f' and {len(names) - _MAX_NAMES:,} more' if names[_MAX_NAMES:] else ''} "
            f"({reason})"
            for reason, names in by_reason.items()
        )
        self.notice(f"{printable(folder)}: {count(len(files), 'file')} skipped: {'; '.join(reasons)}")

    def run_started(self, files: Sequence[Path]) -> None:
        """Show a bar for the inputs if there are several; only pictures get a remaining time."""
        total = len(files)
        if total < 2:
            return
        is_timed = not any(map(is_video, files))
        show = self._inputs_bar.enter_context(self._bar("Inputs", total, f"0 of {total:,}", is_timed=is_timed))
        numbers = iter(range(total))

        def show_next() -> None:
            number = next(numbers)
            show(number, f"{number:,} of {total:,}")

        self._show_input = show_next

    def input_started(self, file: Path) -> None:
        """Advance the bar of the inputs."""
        self._show_input()

    def run_ended(self) -> None:
        """Remove the bar of the inputs."""
        self._inputs_bar.close()

    def picture_done(self, file: str, faces: Sequence[FaceResult]) -> None:
        """Print a table for each face."""
        for number, face in enumerate(faces, start=1):
            title, width = f"{file}: face {number} of {len(faces)}", self._output.width
            extras = {"measurements": self._measurements, "quality": self._quality}
            self.print(face_table(face, title=title, width=width, **extras))

    def video_started(self, title: str, length_s: float | None) -> None:
        """Show a bar for a video."""

        def position(done_s: float) -> str:
            return clock(done_s) if length_s is None else f"{clock(done_s)} of {clock(length_s)}"

        frames, began = 0, time.monotonic()
        show = self._video_bar.enter_context(self._bar(_shortened(title), length_s, position(0.0), is_timed=True))

        def show_frame(done_s: float) -> None:
            nonlocal frames
            frames += 1
            if self._bars.live.is_started:
                rate = frames / max(time.monotonic() - began, 1e-9)
                show(done_s, f"{position(done_s)}  {rate:.0f} frames/s")

        self._show_frame = show_frame

    def frame_done(self, done_s: float) -> None:
        """Advance the bar of the video."""
        self._show_frame(done_s)

    def video_ended(self) -> None:
        """Remove the bar of the video."""
        self._video_bar.close()

    def video_done(self, file: str, summary: str) -> None:
        """Print the summary of a video: in columns in a terminal, unchanged to a file."""
        if self._output.is_terminal:
            self.print(video_text(file, summary, max_lines=_MAX_EVENTS_SHOWN))
        else:
            self.print(f"{file}: {summary}")

    def print(self, *parts: RenderableType) -> None:
        """Print results on separate lines; text is not wrapped in a file."""
        if self.quiet:
            return
        with self._undisturbed():
            for part in parts:
                soft_wrap = isinstance(part, str) and not self._output.is_terminal
                self._output.print(part, markup=False, soft_wrap=soft_wrap)

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
        """Hide the bars while something else is printed."""
        was_shown = self._bars.live.is_started
        self._hide()
        yield
        if was_shown:
            self._bars.start()

    def _hide(self) -> None:
        if self._bars.live.is_started:  # Otherwise an empty line would be printed.
            self._bars.stop()


def _shortened(title: str) -> str:
    return title if len(title) <= _MAX_TITLE else f"{title[: _MAX_TITLE - 3]}..."
