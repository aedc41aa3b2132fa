"""errors.csv: the inputs that could not be used, listed as a run finds them; skipped.csv: the files not read at all."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from vlfau.errors import OutputError
from vlfau.files.atomic import real_target, replacing
from vlfau.files.lock import lock_output
from vlfau.files.names import printable
from vlfau.files.records import RecordFile, csv_cells, csv_record, escape_formula, unescape_formula, whole_records

__all__ = ["COLUMNS", "SKIPPED_COLUMNS", "ErrorsFile", "SkippedList"]

COLUMNS: Final = ("file", "kind", "message")
_HEAD: Final = csv_record(COLUMNS)
SKIPPED_COLUMNS: Final = ("file", "reason")
_SKIPPED_HEAD: Final = csv_record(SKIPPED_COLUMNS)


class SkippedList:
    """The files that a run does not read, and why; without any there is no file.

    Args:
        path: The file, such as skipped.csv.
        skipped: The files and the reasons.
        overwrite: Whether to replace a file that vlfau did not write.

    Raises:
        OutputError: Vlfau did not write what is there, or it cannot be read.
    """

    def __init__(self, path: Path, skipped: Mapping[Path, str], *, overwrite: bool = False) -> None:
        self._path, self._skipped = path, skipped
        try:
            self._is_foreign = path.exists() and not overwrite and not self._is_list()
        except OSError as error:
            raise OutputError(f"cannot read {printable(path)} ({error.strerror or error}); move it away") from None
        if self._is_foreign and skipped:
            raise OutputError(
                f"{printable(path)} exists and is not a list of files with the columns {', '.join(SKIPPED_COLUMNS)}; "
                "move it away"
            )

    def _is_list(self) -> bool:
        with self._path.open("rb") as stream:
            return stream.read(len(_SKIPPED_HEAD)) == _SKIPPED_HEAD

    def write(self) -> None:
        """Write the file, or remove that of an earlier run.

        Raises:
            OutputError: It cannot be written.
        """
        if self._skipped:
            with replacing(self._path) as temporary, temporary.open("wb") as stream:
                stream.write(_SKIPPED_HEAD)
                for file, why in self._skipped.items():
                    stream.write(csv_record((escape_formula(printable(file)), why)))
        elif not self._is_foreign:
            self._path.unlink(missing_ok=True)


class ErrorsFile:
    """Writes each error to a CSV file at once; without errors there is no file.

    Args:
        path: The file, such as errors.csv.
        resume: Whether to keep the errors of an earlier run; the same error is not listed twice.
        overwrite: Whether to replace a file that vlfau did not write.

    Attributes:
        path: The file.
        files: The inputs that are listed.

    Raises:
        OutputError: Another run is writing the file, it cannot be written, or vlfau did not write what is there.
    """

    def __init__(self, path: str | Path, *, resume: bool = False, overwrite: bool = False) -> None:
        self.path = real_target(Path(path))
        self._listed: set[tuple[str, ...]] = set()
        self._file: RecordFile | None = None
        self._lock = lock_output(self.path)
        try:
            if resume and self.path.exists():
                self._recover()
            elif self.path.exists() and not overwrite and not self._is_list():
                raise self._foreign()
            else:
                self.path.unlink(missing_ok=True)
        except OSError as error:
            self._lock.release()
            raise self._unwritable(error) from None
        except BaseException:
            self._lock.release()
            raise

    @property
    def files(self) -> frozenset[str]:
        """The inputs that are listed."""
        return frozenset(file for file, *_ in self._listed)

    def __len__(self) -> int:
        """Return how many errors are listed."""
        return len(self._listed)

    def __enter__(self) -> Self:
        """Return the file itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def add(self, file: str | Path, error: Exception) -> None:
        """List an error.

        Args:
            file: The input that could not be used.
            error: Why; its class becomes the kind.

        Raises:
            OutputError: The file cannot be written.
        """
        cells = (printable(file), type(error).__name__, str(error).encode("utf-8", "replace").decode())
        if cells in self._listed:
            return
        try:
            if self._file is None:
                is_new = not self.path.exists()
                self._file = RecordFile(self.path)
                if is_new:
                    self._file.append(_HEAD)
            self._file.append(csv_record(map(escape_formula, cells)))
            self._file.flush()
        except OSError as problem:
            raise self._unwritable(problem) from None
        self._listed.add(cells)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._file is not None:
            self._file.close()
        self._lock.release()

    def _recover(self) -> None:
        with self.path.open("rb") as stream:
            records = whole_records(stream, quoted=True)
            size, head = next(records, (0, b""))
            if head != _HEAD and not self._is_torn_head():
                raise self._foreign()
            for end, record in records:
                cells = csv_cells(record)
                if len(cells) != len(COLUMNS):
                    break
                self._listed.add(tuple(map(unescape_formula, cells)))
                size = end
        if size:
            with self.path.open("r+b") as stream:
                stream.truncate(size)
        else:
            self.path.unlink()

    def _is_list(self) -> bool:
        with self.path.open("rb") as stream:
            return stream.read(len(_HEAD)) == _HEAD or self._is_torn_head()

    def _is_torn_head(self) -> bool:
        """Say whether the file is empty, or ends within the first line of a list."""
        with self.path.open("rb") as stream:
            return _HEAD.startswith(stream.read(len(_HEAD) + 1))

    def _foreign(self) -> OutputError:
        return OutputError(
            f"{printable(self.path)} exists and is not a list of errors with the columns {', '.join(COLUMNS)}; move it "
            "away"
        )

    def _unwritable(self, error: OSError) -> OutputError:
        return OutputError(f"cannot write {printable(self.path)} ({error.strerror or error}); choose another path")
