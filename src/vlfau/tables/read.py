"""Read a table that vlfau wrote, as a pandas frame."""

import csv
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vlfau.errors import InputError, MissingExtraError
from vlfau.files.names import printable
from vlfau.files.records import parse_json, unescape_formula
from vlfau.tables.columns import Column, Kind, recognise
from vlfau.tables.frames import DTYPES, frame_of, header_attrs
from vlfau.tables.table import FORMAT, HEADER_KEY, columns_json
from vlfau.tables.text_writers import side_file

if TYPE_CHECKING:
    import pandas

__all__ = ["read_results"]


def read_results(path: str | Path) -> "pandas.DataFrame":
    """Read a table that vlfau wrote.

    Args:
        path: A .csv, .jsonl, .parquet, .arrows or .xlsx file, in our own columns or those of OpenFace 2 or Py-Feat; or
            the output folder of `vlfau predict` or `vlfau batch`.

    Returns:
        One row per face. Texts, whole numbers and states have pandas' types with missing values (string, Int64,
        boolean); other numbers are float64, NaN where they are missing. `attrs` holds the header: `layout`, `vlfau`,
        `model` and `columns`; for a CSV file without its side file only `layout` and `columns`.

    Raises:
        InputError: The file cannot be read, or vlfau did not write it.
        MissingExtraError: pandas or pyarrow is not installed.
    """
    path = Path(path)
    if path.is_dir():
        return _read_folder(path)
    reader = _READERS.get(path.suffix.lower())
    try:
        if reader is None:
            raise ValueError(f"its name does not end in {_SUFFIXES}")
        return reader(path)
    except ModuleNotFoundError as error:
        raise MissingExtraError((error.name or "pandas").partition(".")[0], "tables") from None
    except OSError as error:
        raise InputError(f"{printable(path)} cannot be read ({error.strerror or error}); check the path") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{printable(path)} is not a table that vlfau wrote ({error}); expected a {_SUFFIXES} file "
            "with vlfau's own columns, or with those of its formats openface and pyfeat"
        ) from None


def _read_folder(folder: Path) -> "pandas.DataFrame":
    """Read the table of an output folder, or all shards of an archive."""
    for name in ("results.csv", "results.jsonl"):
        if (folder / name).is_file():
            return read_results(folder / name)
    shards = sorted((folder / "results" if (folder / "results").is_dir() else folder).rglob("*.parquet"))
    if not shards:
        raise InputError(
            f"folder {printable(folder)} holds no results of vlfau; name the folder that was given to --out, or one "
            "that vlfau batch wrote"
        )
    frames = [read_results(shard) for shard in shards]
    import pandas  # noqa: PLC0415 - the extra may be missing

    if any(list(frame.columns) != list(frames[0].columns) for frame in frames):
        raise InputError(f"the tables in {printable(folder)} have different columns; read them one by one")
    whole = pandas.concat(frames, ignore_index=True)
    whole.attrs.update(frames[0].attrs)
    return whole


def _read_csv(path: Path) -> "pandas.DataFrame":
    import pandas  # noqa: PLC0415 - the extra may be missing

    with path.open(encoding="utf-8", newline="") as stream:
        _, columns = _known(next(csv.reader(stream), []))
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
    return _with_header(frame, _side_header(path, list(frame.columns)))


def _read_json_lines(path: Path) -> "pandas.DataFrame":
    with path.open(encoding="utf-8", newline="\n") as stream:
        first = parse_json(stream.readline() or "null")
        is_header = isinstance(first, dict) and first.get("kind") == "header"  # As earlier versions wrote it.
        rows = [] if is_header or first is None else [first]
        rows += map(parse_json, stream)
    if is_header:
        header = first
    elif rows or side_file(path).exists():
        header = _side_header(path, list(first) if isinstance(first, dict) else None)
    else:
        raise ValueError("it is empty")
    _, columns = _known(_names(header))
    return _with_header(frame_of(columns, rows), header)


def _side_header(path: Path, names: Sequence[str] | None) -> dict[str, Any]:
    """Return the header beside a table; one that says less if it is missing or of another table.

    Args:
        path: The table.
        names: Its columns; None if it has no rows.
    """
    with suppress(OSError, ValueError, KeyError, TypeError):
        header: dict[str, Any] = parse_json(side_file(path).read_text("utf-8"))
        if names is None or _names(header) == list(names):
            return header
    layout, columns = _known(names or ())
    return {"kind": "header", "format": FORMAT, "layout": layout, "columns": columns_json(columns)}


def _read_parquet(path: Path) -> "pandas.DataFrame":
    from pyarrow import parquet  # noqa: PLC0415 - the extra may be missing

    with path.open("rb") as stream:
        return _from_arrow(parquet.read_table(stream))


def _from_arrow(table: Any) -> "pandas.DataFrame":
    import pandas  # noqa: PLC0415 - the extra may be missing
    import pyarrow as pa  # noqa: PLC0415

    header = parse_json((table.schema.metadata or {}).get(HEADER_KEY, b"null"))
    _known(_names(header))
    types = {pa.string(): pandas.StringDtype(), pa.int64(): pandas.Int64Dtype(), pa.bool_(): pandas.BooleanDtype()}
    return _with_header(table.to_pandas(types_mapper=types.get), header)


def _read_arrow(path: Path) -> "pandas.DataFrame":
    import pyarrow as pa  # noqa: PLC0415 - the extra may be missing
    from pyarrow import ipc  # noqa: PLC0415

    with pa.OSFile(str(path)) as source, ipc.open_stream(source) as stream:
        return _from_arrow(stream.read_all())


def _read_excel(path: Path) -> "pandas.DataFrame":
    from vlfau.tables.excel_writer import read_workbook, rows_of  # noqa: PLC0415 - the extra may be missing

    header, rows = read_workbook(path)
    _, columns = _known(_names(header))
    return _with_header(frame_of(columns, rows_of(columns, rows)), header)


_READERS: Final[Mapping[str, Callable[[Path], "pandas.DataFrame"]]] = {
    ".csv": _read_csv,
    ".jsonl": _read_json_lines,
    ".parquet": _read_parquet,
    ".arrows": _read_arrow,
    ".xlsx": _read_excel,
}
_SUFFIXES: Final = ".csv, .jsonl, .parquet, .arrows or .xlsx"


def _known(names: Sequence[str]) -> tuple[str, tuple[Column, ...]]:
    """Return the name of the format that has these columns, and the columns."""
    found = recognise(names)
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
