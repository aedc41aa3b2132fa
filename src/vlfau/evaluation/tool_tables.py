"""Read what a tool wrote about faces in its own CSV columns: one row per face.

The columns were taken from the tools themselves: OpenFace 2.2 (`RecorderCSV.cpp`; older versions have a space
after each comma), Py-Feat 0.6 to 2.1 (`Fex` tables of `Detector` and `Detectorv2`) and LibreFace 0.1 to 0.2
(`save_facial_attributes_image`).

Dimensions: R rows, N AUs.
"""

import csv
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import InputError
from vlfau.files.records import unescape_formula

__all__ = ["FORMATS", "ToolFormat", "ToolTable", "read_tool_table"]

FILE_COLUMNS: Final = ("file", "input", "image", "input_image_path")
"""Columns that may name the picture, the first one found counts."""
MISSING: Final = {"", "nan", "na", "none"}
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ToolFormat:
    """The columns of one tool.

    Attributes:
        title: The tool.
        patterns: By what a column holds (`probability` 0 to 1, `state` 0 or 1, `intensity`), the pattern of its name.
        size: Columns whose product tells which of several faces in a picture counts: the largest.
        choice: The same in words.
        needs: Kinds of which at least one column must be there for the format to be recognised.
        without_file: What to do about a file that does not name its pictures.
    """

    title: str
    patterns: Mapping[str, re.Pattern[str]]
    size: tuple[str, ...]
    choice: str
    needs: frozenset[str]
    without_file: str

    def columns(self, names: Sequence[str]) -> dict[str, dict[int, int]]:
        """Return by kind and AU at which place a column stands.

        Raises:
            ValueError: Two columns of a kind name one AU.
        """
        found: dict[str, dict[int, int]] = {kind: {} for kind in self.patterns}
        for place, name in enumerate(names):
            for kind, pattern in self.patterns.items():
                if match := pattern.fullmatch(name):
                    if int(match[1]) in found[kind]:
                        raise ValueError(f"two columns hold the {kind} of AU {int(match[1])}")
                    found[kind][int(match[1])] = place
        return found


_ADD_A_COLUMN: Final = "add a column 'file' with the picture of each row"
FORMATS: Final = (
    ToolFormat(
        "vlfau",
        {
            "probability": re.compile(r"AU(\d{1,2})_prob"),
            "state": re.compile(r"AU(\d{1,2})_state"),
            "intensity": re.compile(r"AU(\d{1,2})_intensity"),
        },
        ("box_x2 - box_x1", "box_y2 - box_y1"),
        "the largest face",
        frozenset({"probability", "state"}),
        _ADD_A_COLUMN,
    ),
    ToolFormat(
        "OpenFace 2",
        {"state": re.compile(r"AU(\d\d)_c"), "intensity": re.compile(r"AU(\d\d)_r")},
        ("confidence",),
        "the face with the highest confidence",
        frozenset({"state", "intensity"}),
        f"give the folder in which FaceLandmarkImg wrote one CSV file per picture, or {_ADD_A_COLUMN}",
    ),
    ToolFormat(
        "LibreFace",
        {"state": re.compile(r"au_(\d{1,2})"), "intensity": re.compile(r"au_(\d{1,2})_intensity")},
        (),
        "LibreFace reports one face per picture",
        frozenset({"state", "intensity"}),
        f"give a folder with one CSV file per picture, named like the picture, or {_ADD_A_COLUMN}",
    ),
    ToolFormat(
        "Py-Feat",
        {"probability": re.compile(r"AU(\d{1,2})")},
        ("FaceRectWidth", "FaceRectHeight"),
        "the largest face",
        frozenset({"probability"}),
        "add a column 'input' with the picture of each row",
    ),
)
"""The tools whose columns are known, in the order in which they are tried."""


@dataclass(frozen=True, eq=False)
class ToolTable:
    """What a tool said of faces.

    Attributes:
        path: The file, or the folder with a file per picture.
        format: The tool's columns.
        au_ids: (N,), ascending.
        names: (R,), the picture of each row, as the tool named it; without its suffix where the name is that of a
            file in a folder.
        places: (R,), file and line, for messages.
        sizes: (R,), the largest counts where a picture has several faces; NaN where nothing tells.
        found: (R,), whether the row speaks of a face.
        values: By kind (`probability`, `state`, `intensity`), (R, N), NaN where there is no value; only the kinds
            that the tool has.
    """

    path: Path
    format: ToolFormat
    au_ids: tuple[int, ...]
    names: tuple[str, ...]
    places: tuple[str, ...]
    sizes: FloatArray
    found: NDArray[np.bool_]
    values: Mapping[str, FloatArray]


def read_tool_table(path: Path) -> ToolTable:
    """Read the table of one tool.

    Args:
        path: A CSV file, or a folder of CSV files that are named like their pictures (`S005_001.csv` speaks of
            `S005_001.png`).

    Raises:
        InputError: The file cannot be read, has the columns of no tool that is known, does not name its pictures, or
            holds a cell that is not what its column should hold.
    """
    if path.is_dir():
        files = sorted(path.rglob("*.csv"))
        if not files:
            raise InputError(f"{path} holds no CSV file; give the folder in which the tool wrote one per picture")
        parts = [_read_file(file, file.relative_to(path).with_suffix("").as_posix()) for file in files]
    else:
        parts = [_read_file(path, None)]
    first = parts[0]
    for part in parts[1:]:
        if (part.format, part.au_ids) != (first.format, first.au_ids):
            raise InputError(
                f"{part.path} has other columns than {first.path}; a folder must hold the files of one tool alone"
            )
    table = ToolTable(
        path,
        first.format,
        first.au_ids,
        tuple(name for part in parts for name in part.names),
        tuple(place for part in parts for place in part.places),
        np.concatenate([part.sizes for part in parts]),
        np.concatenate([part.found for part in parts]),
        {kind: np.concatenate([part.values[kind] for part in parts]) for kind in first.values},
    )
    if not table.names:
        raise InputError(f"{path} has no row about a face; run the tool on the pictures of the manifest")
    return table


def _read_file(path: Path, picture: str | None) -> ToolTable:
    """Read one file; `picture` is what a file in a folder speaks of where no column says so."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return _read_rows(path, csv.reader(file), picture)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}); check the path") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not a UTF-8 CSV file ({error}); give the table that the tool wrote") from None


def _read_rows(path: Path, reader: Any, picture: str | None) -> ToolTable:
    header = _Header(path, [name.strip() for name in next(reader, [])])
    form, columns = _recognise(path, header.names)
    file_column = next((header.places[name] for name in FILE_COLUMNS if name in header.places), None)
    if file_column is None and picture is None:
        raise InputError(
            f"{path} has the columns of {form.title} but none that names the picture of a row "
            f"({', '.join(FILE_COLUMNS)}); {form.without_file}"
        )
    au_ids = tuple(sorted({au_id for of_aus in columns.values() for au_id in of_aus}))
    kinds = [kind for kind, of_aus in columns.items() if of_aus]
    names, places, sizes, found = [], [], [], []
    values: dict[str, list[list[float]]] = {kind: [] for kind in kinds}
    for cells in reader:
        if not cells:
            continue
        line = _Line(header, reader.line_num, cells)
        success = line.number("success", 1.0) != 0
        of_line = {
            kind: [line.value(columns[kind].get(au_id), kind) if success else math.nan for au_id in au_ids]
            for kind in kinds
        }
        for kind in kinds:
            values[kind].append(of_line[kind])
        names.append(str(picture) if file_column is None else unescape_formula(cells[file_column].strip()))
        places.append(f"{path}, line {reader.line_num}")
        sizes.append(line.size(form.size))
        found.append(not all(map(math.isnan, chain.from_iterable(of_line.values()))))
    return ToolTable(
        path,
        form,
        au_ids,
        tuple(names),
        tuple(places),
        np.array(sizes, float),
        np.array(found, bool),
        {kind: np.array(rows, float).reshape(-1, len(au_ids)) for kind, rows in values.items()},
    )


def _recognise(path: Path, names: Sequence[str]) -> tuple[ToolFormat, dict[str, dict[int, int]]]:
    if {"image", "subject"} <= set(names):
        raise InputError(f"{path} has the columns of a manifest; name the manifest first, and then the tools' tables")
    for form in FORMATS:
        try:
            columns = form.columns(names)
        except ValueError as error:
            raise InputError(f"{path} is ambiguous: {error}; rename one of them") from None
        if any(columns[kind] for kind in form.needs):
            return form, columns
    shown = ", ".join(names[:12]) + (f" and {len(names) - 12} others" if len(names) > 12 else "")
    raise InputError(
        f"{path} has the columns {shown or '(none)'}, which belong to no tool that is known; known are "
        f"{'; '.join(_examples())}"
    )


def _examples() -> Iterator[str]:
    examples = {"vlfau": "AU12_prob", "OpenFace 2": "AU12_r, AU12_c", "LibreFace": "au_12, au_12_intensity"}
    for form in FORMATS:
        yield f"{form.title} ({examples.get(form.title, 'AU12')})"


class _Header:
    """The columns of a file, and where each stands."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self.path, self.names = path, names
        self.places = {name: place for place, name in reversed(list(enumerate(names)))}


@dataclass(frozen=True, slots=True)
class _Line:
    """One row of a file, with the means to say what is wrong with it."""

    header: _Header
    line: int
    cells: Sequence[str]

    def __post_init__(self) -> None:
        if len(self.cells) != len(self.header.names):
            raise InputError(
                f"{self.header.path}, line {self.line}: expected {len(self.header.names)} cells as in the header, "
                f"found {len(self.cells)}; the file may be cut off, run the tool again"
            )

    def value(self, column: int | None, kind: str) -> float:
        """Return what a tool says of an AU; NaN where it says nothing."""
        if column is None:
            return math.nan
        value = self._number(column)
        if kind == "probability" and not (math.isnan(value) or 0 <= value <= 1):
            raise self._error(column, "a probability from 0 to 1")
        if kind == "state" and not (math.isnan(value) or value in {0, 1}):
            raise self._error(column, "a state, 1 or 0")
        return value

    def number(self, name: str, default: float) -> float:
        """Return the number in a column; the default where the file has no such column, or the cell is empty."""
        column = self.header.places.get(name)
        value = math.nan if column is None else self._number(column)
        return default if math.isnan(value) else value

    def size(self, terms: Sequence[str]) -> float:
        """Return the product of columns, or of differences of columns; NaN where one is missing."""
        numbers = [[self.number(name, math.nan) for name in term.split(" - ")] for term in terms]
        return math.prod(each[0] - sum(each[1:]) for each in numbers) if numbers else math.nan

    def _number(self, column: int) -> float:
        cell = self.cells[column].strip()
        if cell.lower() in MISSING:
            return math.nan
        if cell in {"True", "False"}:
            return float(cell == "True")
        try:
            value = float(cell)
        except ValueError:
            value = math.inf
        if math.isinf(value):
            raise self._error(column, "a number")
        return value

    def _error(self, column: int, expected: str) -> InputError:
        return InputError(
            f"{self.header.path}, line {self.line}, column '{self.header.names[column]}': expected {expected}, or "
            f"nothing, found '{self.cells[column].strip()}'; correct the cell, or run the tool again"
        )
