"""CSV and JSON Lines.

Rows are appended to `NAME.partial`. A kill may cut this file anywhere. On resume, everything after the last whole
record is dropped, and with it the last picture or frame, because some of its faces may be missing. A finished table is
first copied there, whole or not at all, and none of its rows is ever dropped.
"""

import json
import os
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from vlfau.files.atomic import copy_whole, move_whole
from vlfau.files.records import RecordFile, csv_cells, csv_record, parse_json, unescape_formula, whole_records
from vlfau.tables.columns import Cell, FrameId, recognise
from vlfau.tables.writer import TableWriter

__all__ = ["CsvWriter", "JsonLinesWriter", "side_file"]

_CHUNK: Final = 1 << 20


class _TextWriter(TableWriter):
    """What CSV and JSON Lines share."""

    _quoted: bool

    @property
    def _partial(self) -> Path:
        return self.path.with_name(f"{self.path.name}.partial")

    def _is_table(self) -> bool:
        with self.path.open("rb") as stream:
            return self._is_head(stream.readline(_CHUNK))

    def _has_partial(self) -> bool:
        return self._partial.exists()

    def _start(self, *, resume: bool) -> dict[str, int | None]:
        if resume and not self._partial.exists() and self.path.is_file():
            copy_whole(self.path, self._partial)
        done: dict[str, int | None] = {}
        size = 0
        if resume and self._partial.exists():
            done, size = self._scan(finished_size=self._finished_size())
            os.truncate(self._partial, size)
        else:
            self._partial.write_bytes(b"")
        if not size:
            self._begin()
        self._file = RecordFile(self._partial)
        if not size:
            self._file.append(self._head())
        return done

    def _finished_size(self) -> int:
        """Return how many bytes of the partial file are a copy of the finished table: all of its bytes, or 0."""
        if not self.path.is_file() or self.path.stat().st_size > self._partial.stat().st_size:
            return 0
        with self.path.open("rb") as finished, self._partial.open("rb") as partial:
            while chunk := finished.read(_CHUNK):
                if partial.read(len(chunk)) != chunk:
                    return 0
        return self.path.stat().st_size

    def _scan(self, *, finished_size: int) -> tuple[dict[str, int | None], int]:
        """Return what an earlier run wrote (see `done`), and how many bytes of the partial file hold it.

        The last picture or frame counts only if it is within the first `finished_size` bytes.
        """
        done: dict[str, int | None] = {}
        with self._partial.open("rb") as stream:
            records = whole_records(stream, quoted=self._quoted)
            size, head = next(records, (0, b""))
            if head:
                self._check_head(head)
            end, current = size, None
            for next_end, record in records:
                frame_id = self._frame_id(record)
                if frame_id is None:
                    break
                if frame_id != current:
                    if current is not None:
                        done.update([current])
                    size, current = end, frame_id
                end = next_end
        if current is not None and end <= finished_size:
            done.update([current])
            size = end
        return done, size

    def _append(self, rows: list[dict[str, Cell]]) -> None:
        for row in rows:
            self._file.append(self._record(row))

    def _flush(self) -> None:
        self._file.flush()

    def _finish(self) -> None:
        self._file.close()
        move_whole(self._partial, self.path)

    def _release(self) -> None:
        self._file.close()

    def _discard(self) -> None:
        self._partial.unlink(missing_ok=True)

    def _begin(self) -> None:
        """Prepare to write a new partial file."""

    def _check_head(self, head: bytes) -> None:
        """Make sure that the first record of an earlier run is the one that this run would write."""
        self._check_header(head)

    @abstractmethod
    def _is_head(self, line: bytes) -> bool:
        """Say whether this is the first line of a table that vlfau wrote."""

    @abstractmethod
    def _head(self) -> bytes:
        """Return the first record."""

    @abstractmethod
    def _record(self, row: Mapping[str, Cell]) -> bytes:
        """Return a row as a record."""

    @abstractmethod
    def _frame_id(self, record: bytes) -> FrameId | None:
        """Return the picture or frame that a record describes; None if vlfau did not write it."""


class JsonLinesWriter(_TextWriter):
    """One JSON object per line: first the header, whose `kind` is "header", then the rows."""

    _quoted = False

    def _is_head(self, line: bytes) -> bool:
        try:
            header = parse_json(line)
        except ValueError:
            return False
        return isinstance(header, dict) and header.get("kind") == "header" and "vlfau" in header

    def _head(self) -> bytes:
        return f"{self.table.header_json()}\n".encode()

    def _record(self, row: Mapping[str, Cell]) -> bytes:
        return f"{json.dumps(row, ensure_ascii=False, allow_nan=False)}\n".encode()

    def _frame_id(self, record: bytes) -> FrameId | None:
        try:
            return self.table.layout.frame_id(parse_json(record))
        except (ValueError, KeyError, TypeError):
            return None


class CsvWriter(_TextWriter):
    """Comma-separated values in UTF-8; the header is in a file beside them, `NAME.columns.json`."""

    _quoted = True

    def _is_head(self, line: bytes) -> bool:
        return recognise(csv_cells(line)) is not None

    def _begin(self) -> None:
        side = self._partial_side
        side.write_text(f"{json.dumps(self.table.header, ensure_ascii=False, indent=2)}\n", "utf-8")

    def _check_head(self, head: bytes) -> None:
        side = self._partial_side if self._partial_side.exists() else side_file(self.path)
        self._check_header(side.read_bytes() if side.exists() else None)
        if head != self._head():  # The rows are not of the run that wrote the header.
            self._check_header(None)

    def _finish(self) -> None:
        if self._partial_side.exists():
            move_whole(self._partial_side, side_file(self.path))
        super()._finish()

    def _discard(self) -> None:
        super()._discard()
        self._partial_side.unlink(missing_ok=True)

    @property
    def _partial_side(self) -> Path:
        side = side_file(self.path)
        return side.with_name(f"{side.name}.partial")

    def _head(self) -> bytes:
        return csv_record(column.name for column in self.table.columns)

    def _record(self, row: Mapping[str, Cell]) -> bytes:
        return csv_record(column.text(row[column.name]) for column in self.table.columns)

    def _frame_id(self, record: bytes) -> FrameId | None:
        cells = csv_cells(record)
        if len(cells) != len(self.table.columns):
            return None
        try:
            layout = self.table.layout
            return layout.frame_id(
                {
                    column.name: unescape_formula(cell)
                    for column, cell in zip(self.table.columns, cells, strict=True)
                    if column.name in {layout.file, layout.frame}
                }
            )
        except ValueError:
            return None


def side_file(path: Path) -> Path:
    """Return the file that explains the columns of a CSV file.

    >>> side_file(Path("out/results.csv")).name
    'results.columns.json'
    """
    return path.with_suffix(".columns.json")
