"""Columns for how well a face can be read, and for its measurements."""

from collections.abc import Iterator
from functools import cache
from typing import Final

from vlfau.inference.results import FaceResult
from vlfau.measures.definitions import Definition, definitions
from vlfau.tables.column import Cell, Column, Kind

__all__ = [
    "DOUBTFUL_AUS",
    "doubtful_cell",
    "measurement_cells",
    "measurement_columns",
    "own_quality_columns",
    "quality_cells",
    "quality_columns",
]

MORE_DIGITS: Final = 2
"""Tables keep more decimal places of a measurement than sentences, for those who compute with it."""


@cache
def measurement_columns() -> tuple[Column, ...]:
    """Return a column for each measurement, and two more for those with sides."""
    return tuple(column for each in definitions() for column in _columns_of(each))


def _columns_of(definition: Definition) -> Iterator[Column]:
    empty = "empty where the head is turned too far"
    if definition.form.is_fold:
        empty += " or the face is small"
    kind, digits = Kind.NUMBER, definition.digits + MORE_DIGITS
    sides = "; mean of both sides" if definition.sided else ""
    yield Column(definition.name, kind, f"{definition.meaning}{sides}; {empty}", definition.unit, digits)
    for side in ("left", "right") if definition.sided else ():
        meaning = f"`{definition.name}` on the subject's own {side}"
        yield Column(f"{definition.name}_{side}", kind, meaning, definition.unit, digits)


def measurement_cells(face: FaceResult) -> dict[str, Cell]:
    """Return the measurements of a face; none if its head is turned too far."""
    cells: dict[str, Cell] = {}
    for each in face.measurements:
        cells[each.name] = each.value
        if each.definition.sided:
            cells |= {f"{each.name}_left": each.left, f"{each.name}_right": each.right}
    return cells


DOUBTFUL_AUS: Final = Column(
    "doubtful_aus",
    Kind.TEXT,
    "AUs that cannot be seen well enough (hidden, blurred, dark, small, turned); with spaces between",
)
_QUALITY: Final = (
    Column("quality", Kind.NUMBER, "how well the face can be read: the weakest of the following", "0 to 1", 3),
    Column("upper_visible", Kind.NUMBER, "visible share of the brows and eyes", "0 to 1", 3),
    Column("lower_visible", Kind.NUMBER, "visible share of the face below them", "0 to 1", 3),
    Column("sharpness", Kind.NUMBER, "contrast of fine detail, as a share of the brightness", "", 4),
    Column("brightness", Kind.NUMBER, "brightness of the face, from black to white", "0 to 1", 3),
    Column("eye_distance_px", Kind.NUMBER, "distance between the eyes", "pixels", 1),
    DOUBTFUL_AUS,
)


def quality_columns() -> tuple[Column, ...]:
    """Return the columns for how well a face can be read."""
    return _QUALITY


def own_quality_columns() -> tuple[Column, ...]:
    """Return the same for the native format, which lists the doubtful AUs in any case."""
    return _QUALITY[:-1]


def quality_cells(face: FaceResult) -> dict[str, Cell]:
    """Return how well a face can be read; nothing without a crop."""
    if face.quality is None:
        return {}
    return {**face.quality.to_dict(face.au_ids), "doubtful_aus": doubtful_cell(face)}


def doubtful_cell(face: FaceResult) -> str | None:
    """Return the numbers of the AUs that cannot be seen well enough; None if all can."""
    return " ".join(str(au.au_id) for au in face.doubtful_aus) or None
