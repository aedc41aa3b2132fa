"""The shapes and wrinkles of every action unit, from shapes.toml and wrinkles.toml."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import ConfigError
from vlfau.facs import MAX_INTENSITY, Side, action_unit, all_au_ids
from vlfau.files.entries import Entry, read_entries
from vlfau.synthetic.head import load_head, move

__all__ = [
    "SHAPE_TABLES",
    "SIDES",
    "AUShapes",
    "Wrinkle",
    "au_reach",
    "au_shapes",
    "au_wrinkles",
    "read_shapes",
    "read_wrinkles",
]

SIDES: Final = (Side.LEFT, Side.RIGHT)
STANDARD: Final = "standard"
SHAPE_TABLES: Final = (STANDARD, "lifelike")


@dataclass(frozen=True)
class AUShapes:
    """A row of the shape table: one AU on one side.

    Attributes:
        weights: Weights of the head's shapes at intensity E.
        at_trace: Share of these weights at intensity A; None means proportional to the intensity.
    """

    weights: Mapping[str, float]
    at_trace: float | None = None

    def share(self, intensity: float) -> float:
        """Return the share of the weights at an intensity from 0 to 5."""
        if self.at_trace is None:
            return intensity / MAX_INTENSITY
        if intensity < 1:
            return self.at_trace * intensity
        return self.at_trace + (1 - self.at_trace) * (intensity - 1) / (MAX_INTENSITY - 1)


ShapeTable = Mapping[tuple[int, Side], AUShapes]


@dataclass(frozen=True)
class Wrinkle:
    """A row of the wrinkle table.

    Attributes:
        name: Name of the wrinkle.
        age: Depth in an old face at rest.
        depths: Depth at intensity E, by AU.
    """

    name: str
    age: float
    depths: Mapping[int, float]


def read_shapes(path: Path | None = None, *, name: str = "shapes.toml", base: ShapeTable | None = None) -> ShapeTable:
    """Read the shape table, a mapping from (AU, side) to shapes.

    Sided AUs have an entry for left and one for right; the others have one for both.

    Args:
        path: A file to read instead of the package's own.
        name: Name of a file in the package's data folder.
        base: Rows for the AUs that are not in the file; if None, the file must have every AU of the catalogue.

    Raises:
        ConfigError: The table breaks its schema.
    """
    file = read_entries(name, path)
    file.only(["au"])
    head = load_head()
    table: dict[tuple[int, Side], AUShapes] = {}
    for entry in file.tables("au"):
        au_id = entry.au_id()
        sides = SIDES if action_unit(au_id).sided else (Side.BOTH,)
        entry.only(["number", *sides, "at_trace"])
        at_trace = entry.number("at_trace", 0, 1) if "at_trace" in entry.content else None
        for side in sides:
            if (au_id, side) in table:
                raise entry.error("number", "every AU only once")
            weights = entry.table(side).numbers(-3, 3)
            for shape in weights:
                try:
                    head.shape(shape)
                except ConfigError:
                    raise entry.error(side, f"names of head shapes, not '{shape}'") from None
            table[au_id, side] = AUShapes(MappingProxyType(weights), at_trace)
    table = {**(base or {}), **table}
    missing = [au_id for au_id in all_au_ids() if not {(au_id, Side.LEFT), (au_id, Side.BOTH)} & set(table)]
    if missing:
        raise file.error("au", f"every AU of the catalogue; AU {missing[0]} is missing")
    return MappingProxyType(table)


def read_wrinkles(path: Path | None = None) -> tuple[Wrinkle, ...]:
    """Read the wrinkle table.

    Raises:
        ConfigError: The table breaks its schema.
    """
    file = read_entries("wrinkles.toml", path)
    file.only(["wrinkle"])
    return tuple(_wrinkle(entry) for entry in file.tables("wrinkle"))


def _wrinkle(entry: Entry) -> Wrinkle:
    entry.only(["name", "age", "aus"])
    depths = {row.au_id(): row.number("depth", 0, 3) for row in entry.tables("aus")}
    return Wrinkle(entry.text("name"), entry.number("age", 0, 2), MappingProxyType(depths))


@cache
def au_shapes(name: str = STANDARD) -> ShapeTable:
    """Return a shape table of the package: "standard", or "lifelike" with movements as large as in real faces.

    Raises:
        ConfigError: There is no such table.
    """
    if name == STANDARD:
        return read_shapes()
    if name not in SHAPE_TABLES:
        raise ConfigError(f"there is no shape table '{name}'; choose among {', '.join(SHAPE_TABLES)}")
    return read_shapes(name=f"shapes-{name}.toml", base=au_shapes(STANDARD))


@cache
def au_wrinkles() -> tuple[Wrinkle, ...]:
    """Return the package's table of wrinkles."""
    return read_wrinkles()


@cache
def au_reach(au_id: int, side: Side = Side.BOTH) -> NDArray[np.float32]:
    """Return how far an AU moves every point of the head, (P,) float32, relative to the largest movement of the skin.

    Args:
        au_id: FACS number.
        side: The side on which a sided AU is active.
    """
    head = load_head()
    moved = np.zeros_like(head.base)
    for (number, of_side), shapes in au_shapes().items():
        if number != au_id or (side != Side.BOTH and of_side not in {side, Side.BOTH}):
            continue
        for name, weight in shapes.weights.items():
            shape = head.shape(name)
            move(moved, shape.points, shape.deltas, weight)
    distance = np.linalg.norm(moved, axis=1)
    return np.asarray(distance / distance[head.parts["skin"].points].max(), np.float32)
