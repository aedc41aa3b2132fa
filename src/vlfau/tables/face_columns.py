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


EXTRAS: Final[Mapping[str, tuple[Callable[[], tuple[Column, ...]], Callable[[FaceResult], dict[str, Cell]]]]] = (
    MappingProxyType({"measurements": (_measurement_columns, _measurement_cells)})
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
