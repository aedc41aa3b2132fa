"""`vlfau batch`: archives of videos and pictures, on all cores of a machine or a cluster."""

import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Final, Self

from cyclopts import Parameter
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from vlfau.cli.console import error_console, output_console, print_error, print_notice
from vlfau.runs.options import ArchiveOptions

if TYPE_CHECKING:
    from vlfau.batch.archive import ArchiveProgress

__all__ = ["batch"]

_SECONDS_BETWEEN_LINES: Final = 60.0
_SECONDS_OF_SPEED: Final = 3600.0
"""Window for estimating the remaining time; long, because one video can take a while."""
_DEFAULTS = ArchiveOptions()


def batch(
    source: str,
    out: Path,
    /,
    *,
    workers: int | None = None,
    address: str | None = None,
    options: ArchiveOptions = _DEFAULTS,
    retry: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Analyse an archive of videos and pictures, and write the results as Parquet.

    Resumes an interrupted run when called again. Files that cannot be read are listed in errors.csv, and the others are
    processed; the exit code is then 2. Files of other kinds in a folder are listed in skipped.csv.

    Args:
        source: A list of files (.txt, or .csv with a column "file"), a folder, or a pattern in quotes.
        out: Folder for results/ and the lists; new, or from an earlier run.
        workers: Number of processes, each of which uses one core; one per core if omitted.
        address: Ray cluster, such as ray://head:10001; this machine only if omitted.
        options: How the files are analysed.
        retry: Retry files that failed or were truncated in an earlier run.
    """
    from vlfau.batch.archive import process_archive
    from vlfau.inference.bundle import load_bundle
    from vlfau.video.summary import clock

    options.check_analysis()  # A wrong time is an error before the model is loaded.
    known = load_bundle(options.model).info
    for warning in (known.warning, known.words_warning if options.consistent and options.wants_words else ""):
        if warning:
            print_notice(warning, title="note", style="yellow")
    with _ArchiveBar() as bar:
        done = process_archive(source, out, options, workers=workers, address=address, retry=retry, progress=bar.show)
    console = output_console()
    before = f", {done.done_before:,} done before" if done.done_before else ""
    console.print(
        f"{done.processed:,} of {done.files:,} files{before}: {done.frames:,} frames, {done.faces:,} faces "
        f"in {clock(bar.elapsed_s)}, {bar.rate(done):.1f} frames/s",
        soft_wrap=True,
    )
    if (out / "skipped.csv").exists():
        print_notice(f"some files were skipped: see {out / 'skipped.csv'}", title="note", style="yellow")
    console.print(f"results: {out / 'results'}", markup=False, soft_wrap=True)
    if (out / "errors.csv").exists():
        print_error(f"some files failed or were truncated: see {out / 'errors.csv'}; use --retry to try them again")
        return 2
    return 0


class _ArchiveBar:
    """Shows the progress of a run: a bar in a terminal, otherwise one line per minute.

    Attributes:
        elapsed_s: Seconds since the run began.
    """

    def __init__(self) -> None:
        columns = (
            TextColumn("Files"),
            BarColumn(),
            TextColumn("{task.fields[detail]}", markup=False),
            TimeRemainingColumn(),
        )
        self._console = error_console()
        self._bar = Progress(*columns, console=self._console, transient=True, speed_estimate_period=_SECONDS_OF_SPEED)
        self._task = self._bar.add_task("", total=None, detail="Ray starts")
        self._began = self._last_line = time.monotonic()

    def __enter__(self) -> Self:
        """Start without a bar."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Remove the bar."""
        if self._bar.live.is_started:  # Otherwise an empty line would be printed.
            self._bar.stop()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._began

    def rate(self, progress: "ArchiveProgress") -> float:
        """Return the speed in frames per second."""
        return progress.frames / max(self.elapsed_s, 1e-9)

    def show(self, progress: "ArchiveProgress") -> None:
        """Show the progress of the run."""
        if not progress.processed:
            self._show_start(progress)
            return
        failed = f", {progress.failed:,} failed" if progress.failed else ""
        done, total = progress.done_before + progress.processed, progress.files
        detail = f"{done:,} of {total:,}{failed}, {self.rate(progress):.1f} frames/s"
        # Files differ in length, so the remaining time is estimated from their sizes.
        self._bar.update(self._task, total=progress.size, completed=progress.processed_size, detail=detail)
        if not self._console.is_terminal and time.monotonic() - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            print_notice(f"{detail}, {self._remaining()} left", title="files", style="cyan")

    def _show_start(self, progress: "ArchiveProgress") -> None:
        if self._console.is_terminal and progress.done_before < progress.files:
            self._bar.start()

    def _remaining(self) -> str:
        from vlfau.video.summary import clock

        left_s = self._bar.tasks[0].time_remaining
        return "unknown time" if left_s is None else clock(left_s)
