"""Results as pandas frames, without a file in between."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from vlfau.errors import MissingExtraError
from vlfau.inference.results import FaceResult, PictureResult
from vlfau.tables.columns import LAYOUTS, Cell, Column, Kind
from vlfau.tables.table import Table, native_rows

if TYPE_CHECKING:
    import pandas

__all__ = ["DTYPES", "face_series", "frame_of", "header_attrs", "result_frame"]

DTYPES: Final = {Kind.TEXT: "string", Kind.WHOLE: "Int64", Kind.NUMBER: "float64", Kind.YES_NO: "boolean"}
"""The types of pandas; all know a missing value."""
_OF_THE_PICTURE: Final = ["file", "frame", "time_s", "since_first_s", "face", "person"]


def frame_of(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> "pandas.DataFrame":
    """Return clean rows as a frame.

    Args:
        columns: All columns, in order.
        rows: Each with a cell for every column, None where it is empty.

    Raises:
        MissingExtraError: pandas is not installed.
    """
    try:
        import pandas  # noqa: PLC0415 - only those who want frames need it
    except ModuleNotFoundError:
        raise MissingExtraError("pandas", "tables") from None
    rows = list(rows)
    return pandas.DataFrame(
        {column.name: pandas.array([row[column.name] for row in rows], dtype=DTYPES[column.kind]) for column in columns}
    )


def header_attrs(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a table's header a frame carries in its `attrs`."""
    return {name: header[name] for name in ("layout", "vlfau", "model", "options", "columns") if name in header}


def result_frame(result: PictureResult) -> "pandas.DataFrame":
    """Return the native table of one picture or frame; see `PictureResult.to_pandas`."""
    if result.model is not None:
        table = Table("native", result.model)
        frame = frame_of(table.columns, table.rows(result))
        frame.attrs.update(header_attrs(table.header))
        return frame
    columns = LAYOUTS["native"].columns(result.au_ids)
    return frame_of(columns, (_clean(columns, row) for row in native_rows(result)))


def face_series(face: FaceResult) -> "pandas.Series[Any]":
    """Return the native columns of one face as a Series; see `FaceResult.to_pandas`."""
    series = result_frame(PictureResult("", (face,))).iloc[0].drop(_OF_THE_PICTURE)
    return series.rename(face.face_id)


def _clean(columns: Sequence[Column], row: Mapping[str, Cell]) -> dict[str, Cell]:
    return {column.name: column.clean(row.get(column.name)) for column in columns}
