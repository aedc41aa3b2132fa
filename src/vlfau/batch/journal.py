"""The outcome of every file, as reported by workers, and the list that collects them."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from vlfau.errors import InputError
from vlfau.files.atomic import replacing
from vlfau.files.names import printable
from vlfau.files.records import RecordFile, csv_cells, csv_record, whole_records
from vlfau.tables.errors_file import COLUMNS as ERROR_COLUMNS

__all__ = ["COLUMNS", "Journal", "Outcome", "Status"]


class Status(StrEnum):
    """Outcome of a file."""

    DONE = "done"
    PARTIAL = "partial"
    """Its first frames were analysed; the rest is missing or damaged."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The outcome of one file.

    Attributes:
        file: Its name as given, in printable characters.
        status: Outcome.
        shard: Path of its rows, relative to the results folder; empty if it has none.
        frames: Pictures, or frames of a video, that were analysed.
        faces: Faces in them.
        kind: Class of the error; empty if done.
        message: Error message.
        id: Identifier that does not depend on valid characters in its name.
        notes: What was done to a video before it could be analysed, such as deinterlacing.
    """

    file: str
    status: Status
    shard: str = ""
    frames: int = 0
    faces: int = 0
    kind: str = ""
    message: str = ""
    id: str
    notes: str = ""

    def to_cells(self) -> dict[str, str]:
        """Return it as table cells by column, in the order of `COLUMNS`."""
        return {name: str(value) for name, value in asdict(self).items()}

    @classmethod
    def from_cells(cls, cells: dict[str, str]) -> Self:
        """Parse table cells by column.

        Raises:
            ValueError: A cell is invalid.
        """
        status, frames, faces = Status(cells["status"]), int(cells["frames"]), int(cells["faces"])
        return cls(**{**cells, "status": status, "frames": frames, "faces": faces})  # type: ignore[arg-type]


COLUMNS: Final = tuple(field.name for field in fields(Outcome))
_HEAD: Final = csv_record(COLUMNS)


class Journal:
    """Records the outcome of every file, as CSV.

    The outcomes of a unit are appended together; the last line about a file counts. `finish` writes one line per file,
    sorted by name.

    Args:
        path: The file; an existing one is continued.
        retry: Forget the files that failed or were truncated.

    Raises:
        InputError: It cannot be read or written, or is not such a list.
    """

    def __init__(self, path: Path, *, retry: bool = False) -> None:
        self.path = path
        self._records: dict[str, bytes] = {}
        try:
            for outcome in self._recovered():
                if outcome.status is Status.DONE or not retry:
                    self._keep(outcome)
            self._rewrite()
            self._file = RecordFile(path)
        except OSError as error:
            raise self._unwritable(error) from None

    def __enter__(self) -> Self:
        """Return the journal itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the file."""
        self._file.close()

    def __contains__(self, file: str) -> bool:
        """Return whether the file with this id was processed."""
        return file in self._records

    def __iter__(self) -> Iterator[Outcome]:
        """Yield all outcomes, sorted by file name."""
        yield from sorted(map(_outcome, self._records.values()), key=lambda outcome: (outcome.file, outcome.id))

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Append the outcomes of a unit's files.

        Raises:
            InputError: The file cannot be written.
        """
        for outcome in outcomes:
            self._keep(outcome)
            self._file.append(self._records[outcome.id])
        try:
            self._file.flush()
        except OSError as error:
            raise self._unwritable(error) from None

    def shards(self) -> set[str]:
        """Return every shard that belongs to the results."""
        return {shard for record in self._records.values() if (shard := _outcome(record).shard)}

    def finish(self, errors: Path) -> None:
        """Rewrite this list in order, and the list of errors if there are any.

        Raises:
            InputError: A file cannot be written.
        """
        self._rewrite()
        failed = [outcome for outcome in self if outcome.status is not Status.DONE]
        if not failed:
            errors.unlink(missing_ok=True)
            return
        with replacing(errors) as temporary:
            rows = ((outcome.file, outcome.kind, outcome.message) for outcome in failed)
            temporary.write_bytes(b"".join(map(csv_record, (ERROR_COLUMNS, *rows))))

    def _keep(self, outcome: Outcome) -> None:
        # As bytes: a million of them must fit into memory.
        self._records[outcome.id] = csv_record(outcome.to_cells().values())

    def _rewrite(self) -> None:
        with replacing(self.path) as temporary, temporary.open("wb") as stream:
            stream.write(_HEAD)
            stream.writelines(csv_record(outcome.to_cells().values()) for outcome in self)

    def _recovered(self) -> Iterator[Outcome]:
        if not self.path.exists():
            return
        with self.path.open("rb") as stream:
            records = whole_records(stream, quoted=True)
            _, head = next(records, (0, b""))
            if head and head != _HEAD:
                raise InputError(f"{printable(self.path)} is not a list of processed files; move it away")
            for _, record in records:
                try:
                    yield _outcome(record)
                except ValueError:  # Left by a power failure.
                    return

    def _unwritable(self, error: OSError) -> InputError:
        return InputError(
            f"cannot write {printable(self.path)} ({error.strerror or error}); free disk space, then resume"
        )


def _outcome(record: bytes) -> Outcome:
    return Outcome.from_cells(dict(zip(COLUMNS, csv_cells(record), strict=True)))
