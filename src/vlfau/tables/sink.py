"""A file that takes results one by one, at constant memory, and can be gone on with after its writer died."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from vlfau.errors import InputError, OutputError
from vlfau.files.atomic import real_target
from vlfau.files.lock import lock_output
from vlfau.files.names import printable
from vlfau.files.same_settings import START_OVER, SettingsRecord, check_same_settings
from vlfau.inference.results import PictureResult
from vlfau.tables.columns import Cell
from vlfau.tables.table import Table

__all__ = ["Sink"]

SETTINGS: Final = ("layout", "format", "vlfau", "model")
"""What a header says of a run; the columns follow from it."""


class Sink(ABC):
    """Takes results and writes them to a file, whose name appears when it is closed.

    Until then the rows lie beside it, and a sink that is opened with `resume` finds what of them is whole. Results
    that it found are not written twice: a run may begin again where it likes. Frames of a video must come in order.
    As a context manager it is closed if all went well, and suspended otherwise.

    Args:
        path: The file.
        table: Its columns.
        resume: Whether to go on with an earlier run, or with a finished file, if there is one; otherwise it begins
            anew, and an existing file stays until the end.
        flush_rows: After how many rows they are written.
        flush_s: After how many seconds they are written, at the next result.
        overwrite: Whether to begin anew in place of a file that vlfau did not write.

    Attributes:
        path: The file.
        done: What an earlier run wrote: by file the last frame, None for a picture. A picture without a face leaves
            no row, so it is not listed.

    Raises:
        OutputError: Another run writes to the file, it cannot be written, or vlfau did not write what is there.
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
        self._flush_rows, self._flush_s = flush_rows, flush_s
        self._rows_to_flush, self._last_flush = 0, time.monotonic()
        self._is_open = True
        self._lock = lock_output(path)
        try:
            if not resume and not overwrite and path.exists() and not self._is_table():
                raise OutputError(
                    f"{printable(path)} exists and is not a table that vlfau wrote; move it away, choose another name, "
                    "or replace it with --overwrite"
                )
            with self._writing():
                self.done = self._start(resume=resume)
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> Self:
        """Return the sink itself."""
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

    def is_done(self, file: str | Path, frame: int | None = None) -> bool:
        """Say whether an earlier run wrote this picture, or this frame of a video."""
        if (name := printable(file)) not in self.done:
            return False
        last = self.done[name]
        return frame is None if last is None else frame is not None and frame <= last

    def write(self, result: PictureResult) -> None:
        """Take the faces of a picture or frame; one that an earlier run wrote is left out.

        Raises:
            OutputError: The file cannot be written; what was written is kept for another run.
            ValueError: The sink is closed, or the result is not of the sink's model.
        """
        if not self._is_open:
            raise ValueError(f"{self.path} is closed")
        if self.is_done(result.file, result.frame):
            return
        rows = self.table.rows(result)
        self._append(rows)
        self._rows_to_flush += len(rows)
        is_time = time.monotonic() - self._last_flush >= self._flush_s
        if self._rows_to_flush and (is_time or self._rows_to_flush >= self._flush_rows):
            self.flush()

    def flush(self) -> None:
        """Write what was taken.

        Raises:
            OutputError: The file cannot be written.
        """
        with self._writing():
            self._flush()
        self._rows_to_flush, self._last_flush = 0, time.monotonic()

    def close(self) -> None:
        """Write what was taken and give the file its name; a second call does nothing.

        Raises:
            OutputError: The file cannot be written; what was written is kept for another run.
        """
        self._end(finish=True)

    def suspend(self) -> None:
        """Write what was taken, but leave the file for another run to go on with.

        Raises:
            OutputError: The file cannot be written; what was written is kept for another run.
        """
        self._end(finish=False)

    def abandon(self) -> None:
        """Keep nothing of this run; an existing file stays as it was. A second call does nothing.

        Raises:
            OutputError: What lies beside the file cannot be removed.
        """
        if not self._is_open:
            return
        self._is_open = False
        try:
            self._release()
            with self._writing():
                self._forget()
        finally:
            self._lock.release()

    def _end(self, *, finish: bool) -> None:
        if not self._is_open:
            return
        self._is_open = False
        try:
            self.flush()
            if finish:
                with self._writing():
                    self._finish()
        finally:
            self._release()
            self._lock.release()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(
                f"cannot write {printable(self.path)} ({error.strerror or error}); what was written so far is kept: "
                "make room or mend its folder, then resume"
            ) from None

    def _check_header(self, text: bytes | None) -> None:
        """Make sure that the earlier run had the same format, model, version and columns.

        Args:
            text: The header that it wrote, as JSON; None if there is none.

        Raises:
            InputError: It had others; what differs is named as far as its header can be read.
        """
        record = SettingsRecord(self.path, what=printable(self.path), ways_out=START_OVER)
        if text is None:
            raise record.damaged("it has no header")
        earlier, ours = record.parse(text), self.table.header
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
        """Say whether the file at `path` is a table of vlfau's, of any model and format."""

    @abstractmethod
    def _start(self, *, resume: bool) -> dict[str, int | None]:
        """Open what lies beside the file, and return what of it is done."""

    @abstractmethod
    def _append(self, rows: list[dict[str, Cell]]) -> None:
        """Take the rows of one picture or frame."""

    @abstractmethod
    def _flush(self) -> None:
        """Write what was taken."""

    @abstractmethod
    def _finish(self) -> None:
        """Give the file its name."""

    @abstractmethod
    def _release(self) -> None:
        """Let go of what is open."""

    @abstractmethod
    def _forget(self) -> None:
        """Remove what lies beside the file."""
