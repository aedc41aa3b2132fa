"""Open a table for writing results; its suffix selects the type."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal

from vlfau.errors import InputError
from vlfau.files.names import printable
from vlfau.inference.bundle import BundleInfo
from vlfau.tables.table import Table
from vlfau.tables.text_writers import CsvWriter, JsonLinesWriter
from vlfau.tables.writer import TableWriter

__all__ = ["FormatName", "TableWriter", "open_sink"]

FormatName = Literal["native", "openface", "pyfeat", "pyfeat2"]


def open_sink(
    path: str | Path,
    *,
    model: BundleInfo,
    format: FormatName = "native",  # noqa: A002 - the word of the command line
    groups: Collection[str] = (),
    keep_doubtful: bool = True,
    options: Mapping[str, Any] | None = None,
    resume: bool = False,
    flush_rows: int = 500,
    flush_s: float = 10.0,
    overwrite: bool = False,
) -> TableWriter:
    """Open a table for writing results.

    Args:
        path: A file whose name ends in .csv, .jsonl, .parquet, .arrows (an Apache Arrow stream) or .xlsx (Excel). Its
            folder is created.
        model: The model whose results it will hold.
        format: Its columns: our own, OpenFace 2's, Py-Feat 0.6's or Py-Feat 2's.
        groups: Groups of further columns, such as measurements, quality, gaze, head, landmarks (68) or mesh (468).
        keep_doubtful: Whether cells of AUs that cannot be seen well enough are filled.
        options: Options of the run, by name, as JSON can hold them: the table records them. None records none.
        resume: Whether to continue an interrupted run or a finished file, if there is one.
        flush_rows: Number of rows after which they are written to the disk.
        flush_s: Seconds after which they are written to the disk, at the next result.
        overwrite: Whether to replace a file that vlfau did not write.

    Returns:
        The writer, a context manager.

    Raises:
        OutputError: The file cannot be written, another run is writing it, or vlfau did not write what is there.
        InputError: The suffix is unknown, or the earlier run had other columns or another model.
        ConfigError: There is no such format or group of columns.
        MissingExtraError: pyarrow (Parquet, Arrow) or openpyxl (Excel) is not installed.
    """
    path = Path(path)
    kind: type[TableWriter]
    match path.suffix.lower():
        case ".csv":
            kind = CsvWriter
        case ".jsonl":
            kind = JsonLinesWriter
        case ".parquet":
            from vlfau.tables.parquet_writer import ParquetWriter  # noqa: PLC0415 - only Parquet needs pyarrow

            kind = ParquetWriter
        case ".arrows":
            from vlfau.tables.arrow_writer import ArrowWriter  # noqa: PLC0415 - only Arrow needs pyarrow

            kind = ArrowWriter
        case ".xlsx":
            from vlfau.tables.excel_writer import ExcelWriter  # noqa: PLC0415 - only Excel needs openpyxl

            kind = ExcelWriter
        case _:
            raise InputError(
                f"cannot tell the kind of table from the name {printable(path)}; use a name that ends in .csv, .jsonl, "
                ".parquet, .arrows or .xlsx"
            )
    table = Table(format, model, groups=groups, keep_doubtful=keep_doubtful, options=options)
    return kind(path, table, resume=resume, flush_rows=flush_rows, flush_s=flush_s, overwrite=overwrite)
