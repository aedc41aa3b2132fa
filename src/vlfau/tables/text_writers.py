"""CSV and JSON Lines. The header is in a file beside them: a table holds nothing but rows that any program reads.

Rows are appended to `NAME.partial`. A kill may cut this file anywhere. On resume, everything after the last whole
record is dropped, and with it the last picture or frame, because some of its faces may be missing. A finished table is
first copied there, whole or not at all, and none of its rows is ever dropped.
"""

import json
import os
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Final

from vlfau.files.atomic import copy_whole, move_whole, unfinished_copy
from vlfau.files.records import RecordFile, csv_cells, csv_record, parse_json, unescape_formula, whole_records
from vlfau.tables.columns import Cell, FrameId, recognise
from vlfau.tables.writer import TableWriter

__all__ = ["CsvWriter", "JsonLinesWriter", "side_file"]

_CHUNK: Final = 1 << 20


class _TextWriter(TableWriter):
    """What CSV and JSON Lines share."""

    _quoted: bool
    _whole_size = 0
    """Bytes of the partial file with the rows of an earlier run that are whole."""

    @property
    def _partial(self) -> Path:
        return self.path.with_name(f"{self.path.name}.partial")

    def _is_table(self) -> bool:
        with self.path.open("rb") as stream:
            return self._is_head(stream.readline(_CHUNK))

    def _has_partial(self) -> bool:
        return self._partial.exists()

    def _recover(self) -> dict[str, int | None]:
        if not self._partial.exists() and self.path.is_file():
            self._take_finished()
        done: dict[str, int | None] = {}
        if self._partial.exists():
            done, self._whole_size = self._scan(finished_size=self._finished_size())
        return done

    def _start(self) -> None:
        unfinished_copy(self._partial).unlink(missing_ok=True)
        if self._whole_size:
            os.truncate(self._partial, self._whole_size)
        else:
            self._partial.write_bytes(b"")
            header = f"{json.dumps(self.table.header, ensure_ascii=False, indent=2)}\n"
            self._partial_side.write_text(header, "utf-8")
        self._file = RecordFile(self._partial)
        if not self._whole_size:
            self._file.append(self._head())

    def _take_finished(self) -> None:
        """Copy the finished table to the partial file."""
        copy_whole(self.path, self._partial)

    def _finished_chunks(self) -> Iterator[bytes]:
        """Yield the finished table as the partial file holds it."""
        with self.path.open("rb") as finished:
            while chunk := finished.read(_CHUNK):
                yield chunk

    def _finished_size(self) -> int:
        """Return how many bytes of the partial file are a copy of the finished table: all of its bytes, or 0."""
        if not self.path.is_file():
            return 0
        size = 0
        with self._partial.open("rb") as partial:
            for chunk in self._finished_chunks():
                if partial.read(len(chunk)) != chunk:
                    return 0
                size += len(chunk)
        return size

    def _scan(self, *, finished_size: int) -> tuple[dict[str, int | None], int]:
        """Return what an earlier run wrote (see `done`), and how many bytes of the partial file hold it.

        The last picture or frame counts only if it is within the first `finished_size` bytes.
        """
        done: dict[str, int | None] = {}
        with self._partial.open("rb") as stream:
            size, records = self._read_head(whole_records(stream, quoted=self._quoted))
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
        if self._partial_side.exists():
            move_whole(self._partial_side, side_file(self.path))
        self._file.close()
        move_whole(self._partial, self.path)

    def _release(self) -> None:
        self._file.close()

    def _discard(self) -> None:
        self._partial.unlink(missing_ok=True)
        self._partial_side.unlink(missing_ok=True)

    @property
    def _partial_side(self) -> Path:
        side = side_file(self.path)
        return side.with_name(f"{side.name}.partial")

    def _check_side(self) -> None:
        """Make sure that the header beside the rows of an earlier run is the one that this run would write."""
        side = self._partial_side if self._partial_side.exists() else side_file(self.path)
        self._check_header(side.read_bytes() if side.exists() else None)

    @abstractmethod
    def _is_head(self, line: bytes) -> bool:
        """Say whether this is the first line of a table that vlfau wrote."""

    @abstractmethod
    def _head(self) -> bytes:
        """Return what precedes the rows."""

    @abstractmethod
    def _read_head(self, records: Iterator[tuple[int, bytes]]) -> tuple[int, Iterable[tuple[int, bytes]]]:
        """Check the header of an earlier run, and return the size of what precedes its rows, and the rows."""

    @abstractmethod
    def _record(self, row: Mapping[str, Cell]) -> bytes:
        """Return a row as a record."""

    @abstractmethod
    def _frame_id(self, record: bytes) -> FrameId | None:
        """Return the picture or frame that a record describes; None if vlfau did not write it."""


class JsonLinesWriter(_TextWriter):
    """One JSON object per line and row; the header is in `NAME.jsonl.columns.json`.

    Tables of earlier versions have the header in their first line. They are continued as they are.
    """

    _quoted = False

    def _is_table(self) -> bool:
        return super()._is_table() or (self.path.stat().st_size == 0 and side_file(self.path).exists())

    def _is_head(self, line: bytes) -> bool:
        try:
            first = parse_json(line)
        except ValueError:
            return False
        return isinstance(first, dict) and (_is_header(first) or recognise(list(first)) is not None)

    def _head(self) -> bytes:
        return b""

    def _read_head(self, records: Iterator[tuple[int, bytes]]) -> tuple[int, Iterable[tuple[int, bytes]]]:
        end, first = next(records, (0, b""))
        if not first:
            return 0, ()
        try:
            is_header = _is_header(parse_json(first))
        except ValueError:
            is_header = False
        if is_header:
            self._check_header(first)
            return end, records
        self._check_side()
        return 0, chain([(end, first)], records)

    def _record(self, row: Mapping[str, Cell]) -> bytes:
        return f"{json.dumps(row, ensure_ascii=False, allow_nan=False)}\n".encode()

    def _frame_id(self, record: bytes) -> FrameId | None:
        try:
            return self.table.layout.frame_id(parse_json(record))
        except (ValueError, KeyError, TypeError):
            return None


class CsvWriter(_TextWriter):
    """Comma-separated values in UTF-8; the header is in `NAME.columns.json`."""

    _quoted = True

    def _is_head(self, line: bytes) -> bool:
        return recognise(csv_cells(line)) is not None

    def _read_head(self, records: Iterator[tuple[int, bytes]]) -> tuple[int, Iterable[tuple[int, bytes]]]:
        size, head = next(records, (0, b""))
        if head:
            self._check_side()
            if head != self._head():  # The rows are not of the run that wrote the header.
                self._check_header(None)
        return size, records

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
    """Return the file that explains the columns of a CSV or JSON Lines file.

    >>> side_file(Path("out/results.csv")).name, side_file(Path("out/results.jsonl")).name
    ('results.columns.json', 'results.jsonl.columns.json')
    """
    return path.with_suffix(".columns.json") if path.suffix == ".csv" else path.with_name(f"{path.name}.columns.json")


def _is_header(line: object) -> bool:
    return isinstance(line, dict) and line.get("kind") == "header" and "vlfau" in line
