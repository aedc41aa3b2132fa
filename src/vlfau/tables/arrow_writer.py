"""Apache Arrow streams: what Arrow's readers in R, Julia, Rust and JavaScript read batch by batch."""

from pathlib import Path

import pyarrow as pa
from pyarrow import ipc, parquet

from vlfau.files.atomic import move_whole
from vlfau.tables.parquet_writer import ParquetWriter, row_groups
from vlfau.tables.table import HEADER_KEY

__all__ = ["ArrowWriter"]


class ArrowWriter(ParquetWriter):
    """An Arrow IPC stream, with schema and metadata as in Parquet; the parts of an unfinished run are Parquet files."""

    def _is_table(self) -> bool:
        try:
            with pa.OSFile(str(self.path)) as source, ipc.open_stream(source) as stream:
                return HEADER_KEY in (stream.schema.metadata or {})
        except pa.ArrowInvalid:
            return False

    def _write_finished(self, target: Path) -> None:
        with pa.OSFile(str(target), "wb") as sink, ipc.new_stream(sink, self._schema) as stream:
            for rows in row_groups(self._parts()):
                stream.write_table(rows.cast(self._schema))

    def _copy_finished(self, part: Path) -> None:
        unfinished = part.with_suffix(".tmp")
        with (
            pa.OSFile(str(self.path)) as source,
            ipc.open_stream(source) as stream,
            parquet.ParquetWriter(unfinished, stream.schema) as writer,
        ):
            for batch in stream:
                writer.write_batch(batch)
        move_whole(unfinished, part)
