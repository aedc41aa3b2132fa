"""Parquet.

Rows are kept in memory until they are written as one part: a whole Parquet file in the hidden folder `.NAME.parts`.
Closing the writer merges the parts. A part appears by a rename, with all faces of its pictures or frames, so that a
kill leaves only whole parts.
"""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from vlfau.errors import MissingExtraError
from vlfau.files.atomic import copy_whole, move_whole
from vlfau.tables.columns import Cell, Kind
from vlfau.tables.table import HEADER_KEY, Table
from vlfau.tables.writer import TableWriter

try:
    import pyarrow as pa
    from pyarrow import parquet
except ModuleNotFoundError:
    raise MissingExtraError("pyarrow", "tables") from None

__all__ = ["ParquetWriter", "row_groups"]

ROWS_AT_ONCE: Final = 20_000
"""Rows per row group, and rows in memory while parts are merged."""

_TYPES: Final = {
    Kind.TEXT: pa.string(),
    Kind.WHOLE: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.YES_NO: pa.bool_(),
}


def _schema_of(table: Table) -> Any:
    """Return the schema of a table; every field has its meaning and unit as metadata, the schema has the header."""
    fields = [
        pa.field(column.name, _TYPES[column.kind], metadata={"meaning": column.meaning, "unit": column.unit})
        for column in table.columns
    ]
    return pa.schema(fields, metadata={HEADER_KEY: table.header_json().encode()})


class ParquetWriter(TableWriter):
    """A Parquet file, with the header and every column's meaning and unit in its metadata."""

    _next = 0
    """Number of the next part."""

    def _is_table(self) -> bool:
        try:
            return HEADER_KEY in (parquet.read_schema(self.path).metadata or {})
        except pa.ArrowInvalid:
            return False

    def _has_partial(self) -> bool:
        return self._folder.exists()

    def _recover(self) -> dict[str, int | None]:
        self._remove(self._outdated)
        if not self._folder.exists() and self.path.is_file():
            self._take_finished()
        done: dict[str, int | None] = {}
        for part in self._parts():
            try:
                done |= self._read_done(part)
                self._next = int(part.stem) + 1
            except pa.ArrowInvalid:  # A power failure can leave the name without the content.
                break
        return done

    def _start(self) -> None:
        self._schema = _schema_of(self.table)
        self._rows: list[dict[str, Cell]] = []
        self._is_broken = False
        if not self._resume:
            self._remove(self._outdated)
            self._discard()
        self._folder.mkdir(exist_ok=True)
        for later in self._parts():
            if int(later.stem) >= self._next:
                later.unlink()

    def _read_done(self, part: Path) -> dict[str, int | None]:
        """Return what a part holds: see `done`."""
        layout = self.table.layout
        done: dict[str, int | None] = {}
        with parquet.ParquetFile(part) as file:
            self._check_header((file.schema_arrow.metadata or {}).get(HEADER_KEY))
            for batch in file.iter_batches(ROWS_AT_ONCE, columns=[layout.file, layout.frame]):
                done.update(map(layout.frame_id, batch.to_pylist()))
        return done

    def _append(self, rows: list[dict[str, Cell]]) -> None:
        self._rows += rows

    def _flush(self) -> None:
        if self._is_broken:
            raise OSError("an earlier write failed")
        if not self._rows:
            return
        self._is_broken = True  # If an interrupt came between here and the end, a retry could write the rows twice.
        unfinished = self._folder / "part.tmp"
        parquet.write_table(pa.Table.from_pylist(self._rows, self._schema), unfinished)
        move_whole(unfinished, self._folder / f"{self._next:06d}.parquet")
        self._next += 1
        self._rows.clear()
        self._is_broken = False

    def _finish(self) -> None:
        merged = self._folder / "merged.tmp"
        self._write_finished(merged)
        move_whole(merged, self.path)
        self._discard()

    def _write_finished(self, target: Path) -> None:
        """Merge the parts."""
        with parquet.ParquetWriter(target, self._schema) as writer:
            for rows in row_groups(self._parts()):
                writer.write_table(rows.cast(self._schema))

    def _release(self) -> None:
        self._rows.clear()

    @property
    def _folder(self) -> Path:
        return self.path.with_name(f".{self.path.name}.parts")

    @property
    def _outdated(self) -> Path:
        return self.path.with_name(f".{self.path.name}.parts.old")

    def _parts(self) -> list[Path]:
        return sorted(self._folder.glob("*.parquet"))

    def _discard(self) -> None:
        """Remove all parts in one step: some of them alone would look like an interrupted run."""
        if self._folder.exists():
            self._folder.replace(self._outdated)
            self._remove(self._outdated)

    def _take_finished(self) -> None:
        """Make the finished file the first part."""
        self._outdated.mkdir()
        self._copy_finished(self._outdated / "000000.parquet")
        self._outdated.replace(self._folder)

    def _copy_finished(self, part: Path) -> None:
        """Copy the finished file to a part."""
        copy_whole(self.path, part)

    @staticmethod
    def _remove(folder: Path) -> None:
        if folder.exists():
            shutil.rmtree(folder)


def row_groups(parts: Iterable[Path]) -> Iterator[Any]:
    """Yield the rows of all parts in groups that are large enough to be read fast, and small enough for the memory."""
    waiting: list[Any] = []
    for part in parts:
        with parquet.ParquetFile(part) as file:
            for batch in file.iter_batches(ROWS_AT_ONCE):
                waiting.append(batch)
                if sum(map(len, waiting)) >= ROWS_AT_ONCE:
                    yield pa.Table.from_batches(waiting)
                    waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting)
