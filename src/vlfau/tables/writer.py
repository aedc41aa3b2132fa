"""Writes results to a table one by one: constant memory, resumable after a crash."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from vlfau.errors import InputError, OutputError
from vlfau.files.atomic import real_target
from vlfau.files.lock import lock_output
from vlfau.files.names import printable
from vlfau.files.same_settings import START_OVER, SettingsRecord, check_same_settings
from vlfau.inference.results import PictureResult
from vlfau.tables.columns import Cell
from vlfau.tables.table import Table

__all__ = ["TableWriter"]

SETTINGS: Final = ("layout", "format", "vlfau", "model")
"""What a header says about a run; the columns follow from it."""


class TableWriter(ABC):
    """Writes results to a file, which appears when the writer is closed.

    Until then the rows are in a partial file beside it. A writer that is opened with `resume` finds the rows that are
    whole there, and skips their results: a run may start again anywhere. Without `resume`, the first result discards
    them, and nothing before it: a run that is refused leaves them. Frames of a video must come in order. As a context
    manager the writer is closed if all went well, and suspended otherwise.

    Args:
        path: The file.
        table: Its columns.
        resume: Whether to continue an interrupted run or a finished file, if there is one. Otherwise the writer starts
            over, and a finished file stays until the end.
        flush_rows: Number of rows after which they are written to the disk.
        flush_s: Seconds after which they are written to the disk, at the next result.
        overwrite: Whether to replace a file that vlfau did not write.

    Attributes:
        path: The file.
        done: What an earlier run wrote: the last frame of each video by its file, None for a picture. A picture
            without a face leaves no row, so it is not listed.
        earlier_options: The options that an earlier run recorded; None if there are none.

    Raises:
        OutputError: Another run is writing the file, it cannot be written, or vlfau did not write what is there.
        InputError: The earlier run had other columns or another model.
    """

    def __init__(
        self,
        path: Path,
        table: Table,
        *,
        resume: bool,
        flush_rows: int,
        flush_s: float,
        overwrite: bool = False,
    ) -> None:
        self.path, self.table = real_target(path), table
        path = self.path
        self.done: dict[str, int | None] = {}
        self.earlier_options: dict[str, Any] | None = None
        self._flush_rows, self._flush_s = flush_rows, flush_s
        self._rows_to_flush, self._last_flush = 0, time.monotonic()
        self._is_open, self._is_started, self._resume = True, False, resume
        self._make_folder()
        self._lock = lock_output(path)
        try:
            if not overwrite and self._is_foreign(resume=resume):
                raise OutputError(
                    f"{printable(path)} exists, and vlfau did not write it; move it away, choose another name, or "
                    "replace it with --overwrite"
                )
            self._continues = resume and self._has_partial()
            if resume:
                with self._undoing(), self._writing():
                    self.done = self._recover()
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> Self:
        """Return the writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Finish the file, or keep it for another run if an error passes."""
        if error is None:
            self.close()
        else:
            with suppress(InputError):
                self.suspend()

    def start(self) -> None:
        """Discard what an interrupted run left, unless it is continued; the first result does so, too.

        Raises:
            OutputError: The file cannot be written.
        """
        if self._is_started:
            return
        with self._undoing(), self._writing():
            self._start()
        self._is_started = True

    def is_done(self, file: str | Path, frame: int | None = None) -> bool:
        """Say whether an earlier run wrote this picture, or this frame of a video."""
        if (name := printable(file)) not in self.done:
            return False
        last = self.done[name]
        return frame is None if last is None else frame is not None and frame <= last

    def write(self, result: PictureResult) -> None:
        """Add the rows of a picture or frame, unless an earlier run wrote them.

        Raises:
            OutputError: The file cannot be written; what was written is kept for another run.
            ValueError: The writer is closed, or the result is not of its model.
        """
        if not self._is_open:
            raise ValueError(f"{self.path} is closed")
        if self.is_done(result.file, result.frame):
            return
        rows = self.table.rows(result)
        self.start()
        self._append(rows)
        self._rows_to_flush += len(rows)
        is_time = time.monotonic() - self._last_flush >= self._flush_s
        if self._rows_to_flush and (is_time or self._rows_to_flush >= self._flush_rows):
            self.flush()

    def flush(self) -> None:
        """Write all rows that were added to the disk.

        Raises:
            OutputError: The file cannot be written.
        """
        self.start()
        with self._writing():
            self._flush()
        self._rows_to_flush, self._last_flush = 0, time.monotonic()

    def close(self) -> None:
        """Write all rows and finish the file; a second call does nothing.

        Raises:
            OutputError: The file cannot be written; what was written is kept for another run.
        """
        self._end(finish=True)

    def suspend(self) -> None:
        """Write all rows, and leave the file unfinished for another run to resume.

        Raises:
            OutputError: The file cannot be written; what was written is kept for another run.
        """
        self._end(finish=False)

    def abandon(self) -> None:
        """Discard this run's rows; an existing file stays as it was. A second call does nothing.

        Raises:
            OutputError: The partial file cannot be removed.
        """
        if not self._is_open:
            return
        self._is_open = False
        try:
            if self._is_started:
                self._release()
            if self._is_started or self._resume:
                with self._writing():
                    self._discard()
        finally:
            self._lock.release()

    def retract(self) -> None:
        """Close the file as if it had not been opened: only what an interrupted run wrote stays."""
        with suppress(InputError):
            if self._continues:
                self.suspend()
            else:
                self.abandon()

    def _end(self, *, finish: bool) -> None:
        if not self._is_open:
            return
        self._is_open = False
        try:
            if finish or self._is_started:
                self.flush()
            if finish:
                with self._writing():
                    self._finish()
        finally:
            if self._is_started:
                self._release()
            self._lock.release()

    def _make_folder(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot make the folder {printable(self.path.parent)} ({error.strerror or error}); choose another path"
            ) from None

    def _is_foreign(self, *, resume: bool) -> bool:
        """Say whether something is there that vlfau did not write."""
        try:
            # To resume, an empty file is as good as none.
            if not self.path.exists():
                return False
            if not (self.path.is_file() or self.path.is_dir()):
                return True  # Reading a pipe could wait forever.
            return not (resume and self.path.stat().st_size == 0) and not self._is_table()
        except OSError as error:
            raise OutputError(
                f"cannot read {printable(self.path)} ({error.strerror or error}); move it away, or choose another name"
            ) from None

    @contextmanager
    def _undoing(self) -> Iterator[None]:
        """Remove the partial file if the block fails, unless an interrupted run left it."""
        try:
            yield
        except BaseException:
            if not self._continues:
                with suppress(OSError):
                    self._discard()
            raise

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(
                f"cannot write {printable(self.path)} ({error.strerror or error}); what was written so far is kept: "
                "free disk space or check its folder, then resume"
            ) from None

    def _check_header(self, text: bytes | None) -> None:
        """Make sure that the earlier run had the same format, model, version and columns.

        Args:
            text: The header of the earlier run, as JSON; None if there is none.

        Raises:
            InputError: They differ, or the header is missing or damaged.
        """
        record = SettingsRecord(self.path, what=printable(self.path), ways_out=START_OVER)
        if text is None:
            raise record.damaged("it has no header")
        header = record.parse(text)
        options = header.get("options")
        self.earlier_options = options if isinstance(options, dict) else None
        earlier, ours = _compared(header), _compared(self.table.header)
        if earlier == ours:
            return
        check_same_settings(
            {name: value for name, value in earlier.items() if name in SETTINGS},
            {name: value for name, value in ours.items() if name in SETTINGS},
            what=record.what,
            ways_out=record.ways_out,
        )
        raise record.damaged("its columns are not those of its model and format")

    @abstractmethod
    def _is_table(self) -> bool:
        """Say whether vlfau wrote the file at `path`, for any model and in any format."""

    @abstractmethod
    def _has_partial(self) -> bool:
        """Say whether an interrupted run left a partial file."""

    @abstractmethod
    def _recover(self) -> dict[str, int | None]:
        """Return what an earlier run wrote: see `done`. Nothing of it is changed; a finished file is copied."""

    @abstractmethod
    def _start(self) -> None:
        """Open the partial file: a new one, or, after `_recover`, behind the rows that are whole."""

    @abstractmethod
    def _append(self, rows: list[dict[str, Cell]]) -> None:
        """Add the rows of one picture or frame."""

    @abstractmethod
    def _flush(self) -> None:
        """Write all rows that were added."""

    @abstractmethod
    def _finish(self) -> None:
        """Turn the partial file into the finished one."""

    @abstractmethod
    def _release(self) -> None:
        """Close what is open."""

    @abstractmethod
    def _discard(self) -> None:
        """Remove the partial file."""


def _compared(header: dict[str, Any]) -> dict[str, Any]:
    """Return a header without the options, and the texts that explain its columns: later versions may reword them."""
    header = {name: value for name, value in header.items() if name != "options"}
    try:
        columns = [{name: value for name, value in column.items() if name != "meaning"} for column in header["columns"]]
    except (KeyError, TypeError, AttributeError):  # It is damaged, so it differs from every header.
        return header
    return header | {"columns": columns}
