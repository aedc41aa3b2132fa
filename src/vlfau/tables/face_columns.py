"""Columns of a face beyond its AUs, added when they are asked for."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import combinations
from types import MappingProxyType
from typing import Final

from vlfau.inference.results import FaceResult
from vlfau.measures.definitions import Definition, definitions
from vlfau.tables.columns import Cell, Column, Kind

__all__ = ["EXTRAS", "combinations_of_extras", "extra_cells", "extra_columns"]

MORE_DIGITS: Final = 2
"""Tables keep more decimal places of a measurement than sentences, for those who compute with it."""


@cache
def _measurement_columns() -> tuple[Column, ...]:
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


def _measurement_cells(face: FaceResult) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    for each in face.measurements:
        cells[each.name] = each.value
        if each.definition.sided:
            cells |= {f"{each.name}_left": each.left, f"{each.name}_right": each.right}
    return cells


_QUALITY: Final = (
    Column("quality", Kind.NUMBER, "how well the face can be read: the weakest of the following", "0 to 1", 3),
    Column("upper_visible", Kind.NUMBER, "visible share of the brows and eyes", "0 to 1", 3),
    Column("lower_visible", Kind.NUMBER, "visible share of the face below them", "0 to 1", 3),
    Column("sharpness", Kind.NUMBER, "contrast of fine detail, as a share of the brightness", "", 4),
    Column("brightness", Kind.NUMBER, "brightness of the face, from black to white", "0 to 1", 3),
    Column("eye_distance_px", Kind.NUMBER, "distance between the eyes", "pixels", 1),
    Column("doubtful_aus", Kind.TEXT, "AUs that cannot be seen well enough, separated by spaces"),
)


def _quality_cells(face: FaceResult) -> dict[str, Cell]:
    if face.quality is None:
        return {}
    cells: dict[str, Cell] = dict(face.quality.to_dict(face.au_ids))
    return cells | {"doubtful_aus": " ".join(map(str, face.quality.doubtful(face.au_ids)))}


_Group = tuple[Callable[[], tuple[Column, ...]], Callable[[FaceResult], dict[str, Cell]]]

EXTRAS: Final[Mapping[str, _Group]] = MappingProxyType(
    {"quality": (lambda: _QUALITY, _quality_cells), "measurements": (_measurement_columns, _measurement_cells)}
)
"""Groups of columns by name: what they are, and what they hold for a face."""


def combinations_of_extras() -> Iterator[tuple[str, ...]]:
    """Yield every choice of groups, in the order of the columns."""
    for count in range(len(EXTRAS) + 1):
        yield from combinations(EXTRAS, count)


def extra_columns(extras: tuple[str, ...]) -> tuple[Column, ...]:
    """Return the columns of some groups."""
    return tuple(column for name in extras for column in EXTRAS[name][0]())


def extra_cells(extras: tuple[str, ...], face: FaceResult) -> dict[str, Cell]:
    """Return a face's cells of some groups."""
    return {column: cell for name in extras for column, cell in EXTRAS[name][1](face).items()}
