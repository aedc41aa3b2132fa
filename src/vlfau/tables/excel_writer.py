"""Excel workbooks: the rows on the sheet `results`, the header and every column's meaning on the sheet `columns`.

A workbook cannot grow row by row. Until the end the rows are JSON Lines in the partial file, so that a run can be
resumed like any other.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

from vlfau.errors import MissingExtraError, OutputError
from vlfau.files.atomic import move_whole, replacing, unfinished_copy
from vlfau.files.names import printable
from vlfau.files.records import parse_json
from vlfau.tables.columns import Cell, Column, Kind
from vlfau.tables.table import Table
from vlfau.tables.text_writers import JsonLinesWriter

try:
    import openpyxl
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.utils.exceptions import InvalidFileException
except ModuleNotFoundError:
    raise MissingExtraError("openpyxl", "excel") from None

__all__ = ["MAX_ROWS", "ExcelWriter", "read_workbook", "rows_of"]

MAX_ROWS: Final = 1_048_575
"""Of a sheet, without its first row."""
_RESULTS, _COLUMNS = "results", "columns"


class ExcelWriter(JsonLinesWriter):
    """An Excel workbook."""

    def __init__(self, path: Path, table: Table, **options: Any) -> None:
        self._count = 0
        super().__init__(path, table, **options)

    def _is_table(self) -> bool:
        try:
            read_workbook(self.path, max_rows=0)
        except ValueError:
            return False
        return True

    def _finished_chunks(self) -> Iterator[bytes]:
        _, rows = read_workbook(self.path)
        for row in rows:
            cells = zip(self.table.columns, row, strict=True)
            yield self._record({column.name: _from_excel(column, cell) for column, cell in cells})

    def _take_finished(self) -> None:
        header, _ = read_workbook(self.path, max_rows=0)
        self._check_header(json.dumps(header).encode())  # Otherwise the rows would have other columns.
        self._partial_side.write_text(json.dumps(header, ensure_ascii=False), "utf-8")
        unfinished = unfinished_copy(self._partial)
        try:
            with unfinished.open("wb") as stream:
                stream.writelines(self._finished_chunks())
            move_whole(unfinished, self._partial)
        finally:
            unfinished.unlink(missing_ok=True)

    def _append(self, rows: list[dict[str, Cell]]) -> None:
        self._count += len(rows)
        if self._count > MAX_ROWS:
            raise OutputError(
                f"{printable(self.path)} would have more than {MAX_ROWS:,} rows, which Excel cannot hold; use a .csv "
                "or .parquet file, or --every for fewer frames"
            )
        super()._append(rows)

    def _finish(self) -> None:
        self._file.close()
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet(_RESULTS)
        sheet.freeze_panes = "B2"
        sheet.append([column.name for column in self.table.columns])
        with self._partial.open("rb") as stream:
            for line in stream:
                row = parse_json(line)
                sheet.append([_to_excel(sheet, column, row[column.name]) for column in self.table.columns])
        explained = book.create_sheet(_COLUMNS)
        explained.append(["name", "meaning", "unit", "type"])
        for column in self.table.header["columns"]:
            explained.append([_text(explained, column[name]) for name in ("name", "meaning", "unit", "type")])
        book.properties.description = self.table.header_json()
        with replacing(self.path) as temporary:
            book.save(temporary)
        self._discard()


def read_workbook(path: Path, *, max_rows: int | None = None) -> tuple[dict[str, Any], list[tuple[Any, ...]]]:
    """Return the header of a workbook, and the cells of its rows.

    Args:
        path: The workbook.
        max_rows: Number of rows to read; None reads all.

    Raises:
        ValueError: It is not a workbook, or vlfau did not write it.
    """
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, BadZipFile, KeyError) as error:
        raise ValueError(f"it is not an Excel workbook ({error})") from None
    try:
        header = parse_json(book.properties.description or "null")
        if not isinstance(header, dict) or header.get("kind") != "header" or _RESULTS not in book.sheetnames:
            raise ValueError("it has no header")
        last = None if max_rows is None else max_rows + 1
        rows = list(book[_RESULTS].iter_rows(min_row=1, max_row=last, values_only=True))
        names = [column["name"] for column in header["columns"]]
        if not rows or [*rows[0]] != names:
            raise ValueError("its sheet does not have the columns of its header")
        # A row ends with its last cell that is not empty.
        return header, [(*row, *[None] * (len(names) - len(row))) for row in rows[1:]]
    finally:
        book.close()


def _to_excel(sheet: Any, column: Column, cell: Cell) -> Any:
    if cell is None:
        return None
    match column.kind:
        case Kind.TEXT:
            return _text(sheet, str(cell))
        case Kind.YES_NO:
            return int(cell)
    return cell


def _text(sheet: Any, text: str) -> Any:
    """Return a text as a cell that Excel does not take for a formula."""
    if not text.startswith("="):
        return text
    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    return cell


def _from_excel(column: Column, cell: Any) -> Cell:
    if cell is None:
        return None
    match column.kind:
        case Kind.TEXT:
            return str(cell)
        case Kind.YES_NO:
            return bool(cell)
        case Kind.WHOLE:
            return int(cell)
    return float(cell)


def rows_of(columns: tuple[Column, ...], rows: list[tuple[Any, ...]]) -> list[dict[str, Cell]]:
    """Return the rows of a workbook as cells of our types."""
    return [{column.name: _from_excel(column, cell) for column, cell in zip(columns, row, strict=True)} for row in rows]
