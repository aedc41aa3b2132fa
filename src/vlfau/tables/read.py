"""Read a table that vlfau wrote, as a pandas frame."""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vlfau.errors import InputError, MissingExtraError
from vlfau.files.names import printable
from vlfau.files.records import parse_json, unescape_formula
from vlfau.tables.columns import Column, Kind, recognise
from vlfau.tables.face_columns import combinations_of_extras, extra_columns
from vlfau.tables.frames import DTYPES, frame_of, header_attrs
from vlfau.tables.table import FORMAT, HEADER_KEY, columns_json
from vlfau.tables.text_writers import side_file

if TYPE_CHECKING:
    import pandas

__all__ = ["read_results"]


def read_results(path: str | Path) -> "pandas.DataFrame":
    """Read a table that vlfau wrote.

    Args:
        path: A .csv, .jsonl or .parquet file, in our own columns or those of OpenFace 2 or Py-Feat.

    Returns:
        One row per face. Texts, whole numbers and states have pandas' types with missing values (string, Int64,
        boolean); other numbers are float64, NaN where they are missing. `attrs` holds the header: `layout`, `vlfau`,
        `model` and `columns`; for a CSV file without its side file only `layout` and `columns`.

    Raises:
        InputError: The file cannot be read, or vlfau did not write it.
        MissingExtraError: pandas or pyarrow is not installed.
    """
    path = Path(path)
    reader = _READERS.get(path.suffix.lower())
    try:
        if reader is None:
            raise ValueError("its name does not end in .csv, .jsonl or .parquet")
        return reader(path)
    except ModuleNotFoundError as error:
        raise MissingExtraError((error.name or "pandas").partition(".")[0], "tables") from None
    except OSError as error:
        raise InputError(f"{printable(path)} cannot be read ({error.strerror or error}); check the path") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{printable(path)} is not a table that vlfau wrote ({error}); expected a .csv, .jsonl or .parquet file "
            "with vlfau's own columns, or with those of its formats openface and pyfeat"
        ) from None


def _read_csv(path: Path) -> "pandas.DataFrame":
    import pandas  # noqa: PLC0415 - the extra may be missing

    with path.open(encoding="utf-8", newline="") as stream:
        layout, columns = _known(next(csv.reader(stream), []))
    states = [column.name for column in columns if column.kind is Kind.YES_NO]
    frame = pandas.read_csv(
        path,
        dtype={column.name: DTYPES[column.kind] for column in columns} | dict.fromkeys(states, "Int64"),
        keep_default_na=False,  # A file may be called NA: only an empty cell is missing.
        na_values=[""],
    ).astype(dict.fromkeys(states, "boolean"))
    for column in columns:
        if column.kind is Kind.TEXT:
            frame[column.name] = frame[column.name].map(unescape_formula, na_action="ignore").astype("string")
    # pandas may read a number that differs in its last bit from the one that was written.
    frame = frame.round({column.name: column.digits for column in columns if column.kind is Kind.NUMBER})
    try:
        header = parse_json(side_file(path).read_text("utf-8"))
        is_of_file = _names(header) == list(frame.columns)
    except (OSError, ValueError, KeyError, TypeError):
        is_of_file = False
    return _with_header(frame, header if is_of_file else {"layout": layout, "columns": columns_json(columns)})


def _read_json_lines(path: Path) -> "pandas.DataFrame":
    with path.open(encoding="utf-8", newline="\n") as stream:
        header = parse_json(stream.readline() or "null")
        _, columns = _known(_names(header))
        rows = [parse_json(line) for line in stream]
    return _with_header(frame_of(columns, rows), header)


def _read_parquet(path: Path) -> "pandas.DataFrame":
    import pandas  # noqa: PLC0415 - the extra may be missing
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    with path.open("rb") as stream:
        table = parquet.read_table(stream)
    header = parse_json((table.schema.metadata or {}).get(HEADER_KEY, b"null"))
    _known(_names(header))
    types = {pa.string(): pandas.StringDtype(), pa.int64(): pandas.Int64Dtype(), pa.bool_(): pandas.BooleanDtype()}
    return _with_header(table.to_pandas(types_mapper=types.get), header)


_READERS: Final[Mapping[str, Callable[[Path], "pandas.DataFrame"]]] = {
    ".csv": _read_csv,
    ".jsonl": _read_json_lines,
    ".parquet": _read_parquet,
}


def _known(names: Sequence[str]) -> tuple[str, tuple[Column, ...]]:
    """Return the name of the format that has these columns, and the columns."""
    found = recognise(names, map(extra_columns, combinations_of_extras()))
    if found is None:
        raise ValueError(f"its columns are {', '.join(names[:8])}, ..." if names else "it is empty")
    return found[0].name, found[1]


def _names(header: Any) -> list[str]:
    if not isinstance(header, dict) or header.get("kind") != "header":
        raise ValueError("it has no header")
    if header["format"] != FORMAT:
        raise ValueError(f"its header has format {header['format']!r}, this vlfau reads {FORMAT}")
    return [column["name"] for column in header["columns"]]


def _with_header(frame: "pandas.DataFrame", header: Mapping[str, Any]) -> "pandas.DataFrame":
    frame.attrs.update(header_attrs(header))
    return frame
