"""Open a table for writing results; its suffix selects CSV, JSON Lines or Parquet."""

from collections.abc import Collection
from pathlib import Path
from typing import Literal

from vlfau.errors import InputError
from vlfau.files.names import printable
from vlfau.inference.bundle import BundleInfo
from vlfau.tables.table import Table
from vlfau.tables.text_writers import CsvWriter, JsonLinesWriter
from vlfau.tables.writer import TableWriter

__all__ = ["FormatName", "TableWriter", "open_sink"]

FormatName = Literal["native", "openface", "pyfeat"]


def open_sink(
    path: str | Path,
    *,
    model: BundleInfo,
    format: FormatName = "native",  # noqa: A002 - the word of the command line
    extras: Collection[str] = (),
    keep_doubtful: bool = True,
    resume: bool = False,
    flush_rows: int = 500,
    flush_s: float = 10.0,
    overwrite: bool = False,
) -> TableWriter:
    """Open a table for writing results.

    Args:
        path: A file whose name ends in .csv, .jsonl or .parquet.
        model: The model whose results it will hold.
        format: Its columns: our own, OpenFace 2's or Py-Feat's.
        extras: Groups of further columns: quality, measurements.
        keep_doubtful: Whether cells of AUs that cannot be seen well enough are filled.
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
        MissingExtraError: Parquet needs pyarrow, which is not installed.
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
        case _:
            raise InputError(
                f"cannot tell the kind of table from the name {printable(path)}; use a name that ends in .csv, .jsonl "
                "or .parquet"
            )
    table = Table(format, model, extras=extras, keep_doubtful=keep_doubtful)
    return kind(path, table, resume=resume, flush_rows=flush_rows, flush_s=flush_s, overwrite=overwrite)
