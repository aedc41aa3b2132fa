"""Files that grow record by record, and their whole records after a crash; CSV and JSON that may be damaged."""

import csv
import errno
import io
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

__all__ = ["RecordFile", "csv_cells", "csv_record", "escape_formula", "parse_json", "unescape_formula", "whole_records"]

_FORMULA: Final = re.compile("'*[=+@-]")


def parse_json(text: str | bytes) -> Any:
    """Parse a JSON text.

    Raises:
        ValueError: It is not JSON, or too deeply nested.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is too deeply nested") from None


class RecordFile:
    """Collects records, and appends them to a file with each flush.

    The file is always the beginning of the file of an undisturbed run. After a failed or interrupted flush nothing
    more is written: the file may end in the middle of a record. `whole_records` recognises that, but no reader would
    find a record that follows it.

    Args:
        path: An existing file, to which records are appended, or a new one.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream = path.open("ab", buffering=0)
        self._buffer = bytearray()
        self._is_broken = False

    def append(self, record: bytes) -> None:
        """Add a record, to be written with the next flush."""
        self._buffer += record

    def flush(self) -> None:
        """Write all records that were added.

        Raises:
            OSError: It cannot be written, was deleted meanwhile, or an earlier flush failed.
        """
        if self._is_broken:
            raise OSError("an earlier write failed")
        self._is_broken = True
        if not self.path.exists():  # Otherwise all further records would be lost, and only the end would tell.
            raise OSError(errno.ENOENT, "it was deleted during the run")
        rest = bytes(self._buffer)
        while rest:
            rest = rest[self._stream.write(rest) :]
        self._buffer.clear()
        self._is_broken = False

    def close(self) -> None:
        """Close the file without a flush."""
        self._stream.close()


def whole_records(stream: BinaryIO, *, quoted: bool) -> Iterator[tuple[int, bytes]]:
    r"""Yield every whole record of a file, with the offset of its end in bytes.

    Args:
        stream: The file, at its start.
        quoted: Whether a record may contain line breaks between quotes, as in CSV.

    >>> list(whole_records(io.BytesIO(b'a,"1\n2"\nb,3'), quoted=True))
    [(8, b'a,"1\n2"\n')]
    """
    end = 0
    record = bytearray()
    is_open = False
    for line in stream:
        record += line
        is_open ^= quoted and line.count(b'"') % 2 == 1
        if line.endswith(b"\n") and not is_open:
            end += len(record)
            yield end, bytes(record)
            record.clear()


def csv_record(cells: Iterable[str]) -> bytes:
    r"""Return cells as one CSV record in UTF-8.

    >>> csv_record(["a", "b,c"])
    b'a,"b,c"\n'
    """
    # The csv module of some Python versions does not quote a carriage return, and its reader ends the line there.
    return (",".join(map(_quoted, cells)) + "\n").encode()


def csv_cells(record: bytes) -> list[str]:
    r"""Return the cells of a CSV record; an empty list if it is not CSV in UTF-8.

    >>> csv_cells(b'a,"b,c"\n')
    ['a', 'b,c']
    """
    try:
        rows = list(csv.reader(io.StringIO(record.decode(), newline=""), strict=True))
    except (csv.Error, UnicodeDecodeError):
        return []
    return rows[0] if len(rows) == 1 else []


def escape_formula(cell: str) -> str:
    """Return a text that no spreadsheet takes for a formula: an apostrophe is put before one that looks like it.

    >>> escape_formula("=1+1.png"), escape_formula("a=b.png"), unescape_formula(escape_formula("'=x"))
    ("'=1+1.png", 'a=b.png', "'=x")
    """
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unescape_formula(cell: str) -> str:
    """Undo `escape_formula`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(sign in cell for sign in ',"\r\n') else cell
