"""Open a file for results, in the kind that its suffix names."""

from pathlib import Path
from typing import Literal

from vlfau.errors import InputError
from vlfau.files.names import printable
from vlfau.inference.bundle import BundleInfo
from vlfau.tables.sink import Sink
from vlfau.tables.table import Table
from vlfau.tables.text_sinks import CsvSink, JsonLinesSink

__all__ = ["FormatName", "Sink", "open_sink"]

FormatName = Literal["native", "openface", "pyfeat"]


def open_sink(
    path: str | Path,
    *,
    model: BundleInfo,
    format: FormatName = "native",  # noqa: A002 - the word of the command line
    resume: bool = False,
    flush_rows: int = 500,
    flush_s: float = 10.0,
    overwrite: bool = False,
) -> Sink:
    """Open a table for results.

    Args:
        path: A file whose name ends in .csv, .jsonl or .parquet.
        model: The model whose results it will hold.
        format: Whose columns it has: our own, OpenFace 2's or Py-Feat's.
        resume: Whether to go on with an interrupted run, or with a finished file, if there is one.
        flush_rows: After how many rows they are written.
        flush_s: After how many seconds they are written, at the next result.
        overwrite: Whether to begin anew in place of a file that vlfau did not write.

    Returns:
        The sink, a context manager.

    Raises:
        OutputError: The file cannot be written, another run writes to it, or vlfau did not write what is there.
        InputError: The suffix is another, or the earlier run had other columns or another model.
        ConfigError: There is no such format.
        MissingExtraError: Parquet needs pyarrow, which is not installed.
    """
    path = Path(path)
    kind: type[Sink]
    match path.suffix.lower():
        case ".csv":
            kind = CsvSink
        case ".jsonl":
            kind = JsonLinesSink
        case ".parquet":
            from vlfau.tables.parquet_sink import ParquetSink  # noqa: PLC0415 - only Parquet needs pyarrow

            kind = ParquetSink
        case _:
            raise InputError(
                f"cannot tell the kind of table from the name {printable(path)}; let it end in .csv, .jsonl or .parquet"
            )
    return kind(path, Table(format, model), resume=resume, flush_rows=flush_rows, flush_s=flush_s, overwrite=overwrite)
