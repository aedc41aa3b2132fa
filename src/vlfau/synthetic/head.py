"""The head that all synthetic faces share: points, triangles and shapes (see data/NOTICE for their origin).

A *point* is a corner of the surface. A *drawn* vertex is a point with a texture coordinate; where the texture has
a seam, several drawn vertices share a point. Lengths are in decimetres, x points to the subject's own left, y up and
z forwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import ConfigError
from vlfau.synthetic.jit import compiled

__all__ = ["ETHNICITIES", "Head", "Part", "Shape", "load_head", "move"]

ETHNICITIES: Final = ("african", "asian", "caucasian")
"""The three poles of MakeHuman's head shapes, which are mixed."""
HALF_WIDTH: Final = 0.05
"""Half the width of the band around the middle in which one side of a shape fades out."""


@dataclass(frozen=True)
class Part:
    """One surface of the head.

    Attributes:
        points: Slice of its points among all points.
        mesh: (F, 3) int32, triangles of points, counted from the part's first point.
        coarse: (C, 3) int32, the same surface with fewer triangles, of drawn vertices.
        drawn: (F, 3) int32, triangles of drawn vertices.
        point: (W,) int32, index of each drawn vertex's point among all points.
        uv: (W, 2) float32, texture coordinates.
    """

    points: slice
    mesh: NDArray[np.int32]
    coarse: NDArray[np.int32]
    drawn: NDArray[np.int32]
    point: NDArray[np.int32]
    uv: NDArray[np.float32]


@dataclass(frozen=True)
class Shape:
    """The displacement of points by a shape at weight 1.

    Attributes:
        points: (M,) int32, indices of the points that move.
        deltas: (M, 3) float32, their displacements.
    """

    points: NDArray[np.int32]
    deltas: NDArray[np.float32]


@dataclass(frozen=True)
class Head:
    """The content of head.npz.

    Attributes:
        base: (P, 3) float32, MakeHuman's base mesh, without gender or age.
        mean: (P, 3) float32, the mean of young women and men, on which textures are painted.
        parts: The surfaces by name.
        shapes: The shapes by name.
        masks: Grey pictures of the whole texture by name, (H, H) float32 in [0, 1], first row at v = 0.
    """

    base: NDArray[np.float32]
    mean: NDArray[np.float32]
    parts: Mapping[str, Part]
    shapes: Mapping[str, Shape]
    masks: Mapping[str, NDArray[np.float32]]

    def shape(self, name: str) -> Shape:
        """Return a shape; the suffix "@left" or "@right" selects one half of a symmetric shape.

        Raises:
            ConfigError: There is no such shape.
        """
        whole, _, side = name.partition("@")
        if whole not in self.shapes or side not in {"", "left", "right"}:
            raise ConfigError(f"the head has no shape '{name}'; the TOML files beside head.npz list the names in use")
        shape = self.shapes[whole]
        if not side:
            return shape
        towards = self.mean[shape.points, 0] * (1 if side == "left" else -1)
        share = np.clip(towards / (2 * HALF_WIDTH) + 0.5, 0, 1)
        share = share * share * (3 - 2 * share)
        kept = share > 0
        return Shape(shape.points[kept], (shape.deltas * share[:, None])[kept].astype(np.float32))

    def mix(self, weights: Mapping[str, float]) -> NDArray[np.float32]:
        """Return the points (P, 3) float32 of the base with shapes added."""
        points = self.base.copy()
        for name, weight in weights.items():
            if weight:
                shape = self.shape(name)
                move(points, shape.points, shape.deltas, weight)
        return points


@compiled
def move(points: NDArray[np.float32], moved: NDArray[np.int32], deltas: NDArray[np.float32], weight: float) -> None:
    """Add a weighted shape to points (P, 3), in place."""
    for row in range(moved.shape[0]):
        point = moved[row]
        points[point, 0] += weight * deltas[row, 0]
        points[point, 1] += weight * deltas[row, 1]
        points[point, 2] += weight * deltas[row, 2]


@cache
def load_head() -> Head:
    """Return the head; the file is read only once."""
    with resources.files("vlfau.synthetic").joinpath("data/head.npz").open("rb") as file, np.load(file) as arrays:
        content = {name: arrays[name] for name in arrays.files}
    starts = content["part_starts"]
    parts = {}
    for number, name in enumerate(map(str, content["parts"])):
        first, last = int(starts[number]), int(starts[number + 1])
        mesh, coarse, drawn = (content[f"{name}.{kind}"] for kind in ("mesh", "coarse", "drawn"))
        if len(content[f"{name}.coarse"]):
            coarse = _drawn_of(content[f"{name}.point"])[coarse]
        parts[name] = Part(
            slice(first, last), mesh, coarse, drawn, content[f"{name}.point"] + first, content[f"{name}.uv"]
        )
    shapes = _shapes(content)
    base = content["base"]
    young = [shapes[f"macro/{origin}-{gender}-young"] for origin in ETHNICITIES for gender in ("female", "male")]
    mean = base.copy()
    for shape in young:
        move(mean, shape.points, shape.deltas, 1 / len(young))
    masks = {
        name.removeprefix("mask_"): picture[::-1].astype(np.float32) / 255
        for name, picture in content.items()
        if name.startswith("mask_")
    }
    return Head(base, mean, MappingProxyType(parts), MappingProxyType(shapes), MappingProxyType(masks))


def _drawn_of(point: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the index of one drawn vertex for every point of a part."""
    drawn_of = np.zeros(int(point.max()) + 1, np.int32)
    drawn_of[point] = np.arange(len(point), dtype=np.int32)
    return drawn_of


def _shapes(content: Mapping[str, NDArray[np.generic]]) -> dict[str, Shape]:
    starts = content["shape_starts"]
    points = content["shape_points"].astype(np.int32)
    deltas = content["shape_deltas"].astype(np.float32)
    return {
        str(name): Shape(points[starts[number] : starts[number + 1]], deltas[starts[number] : starts[number + 1]])
        for number, name in enumerate(content["shape_names"])
    }
