"""All triangles of a subject: those shared by all heads, the hair, and accessories."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.synthetic import materials
from vlfau.synthetic.canonical import to_canvas
from vlfau.synthetic.head import load_head

__all__ = ["LASHES", "Piece", "Surface", "assemble", "neck_weights"]

SOLID: Final = {
    "skin": materials.SKIN,
    "l-eye": materials.EYE,
    "r-eye": materials.EYE,
    "upper-teeth": materials.TEETH,
    "lower-teeth": materials.TEETH,
    "tongue": materials.TONGUE,
}
LASHES: Final = ("l-eyelashes-1", "l-eyelashes-2", "r-eyelashes-1", "r-eyelashes-2")
WHOLE: Final = 1e3
"""Margin of a surface without cut edges."""


@dataclass(frozen=True)
class Piece:
    """The hair, or an accessory.

    Attributes:
        points: (K, 3) float32, points on the subject's head at rest.
        mean_points: (K, 3) float32, the same points on the mean head.
        triangles: (T, 3) int32, indices of points.
        material: One of the numbers of `materials`.
        margins: (K,) float32, negative outside the piece.
        strands: (K, 2) float32, coordinates in the noise that frays the edges; zeros for a clean edge.
    """

    points: NDArray[np.float32]
    mean_points: NDArray[np.float32]
    triangles: NDArray[np.int32]
    material: int
    margins: NDArray[np.float32]
    strands: NDArray[np.float32]

    @classmethod
    def plain(cls, points: NDArray[np.float32], triangles: NDArray[np.int32], material: int) -> "Piece":
        """Return a piece without cut edges."""
        whole = np.full(len(points), WHOLE, np.float32)
        return cls(points, points, triangles, material, whole, np.zeros((len(points), 2), np.float32))


@dataclass(frozen=True)
class Surface:
    """The triangles of a subject.

    Attributes:
        triangles: (T, 3) int32, indices of points.
        corners: (T, 3) int32, indices of rows of `uv`.
        materials: (T,) uint8, numbers of `materials`.
        one_sided: (T,) bool, whether the back of a triangle is invisible.
        coarse: (C, 3) int32, indices of points: the skin with fewer triangles, for shadows.
        uv: (W, 2) float32, texture coordinates on the canvas.
        mean_points: (P, 3) float32, points on the mean head.
        margins: (P,) float32, see `Piece`.
        strands: (P, 2) float32, see `Piece`.
    """

    triangles: NDArray[np.int32]
    corners: NDArray[np.int32]
    materials: NDArray[np.uint8]
    one_sided: NDArray[np.bool_]
    coarse: NDArray[np.int32]
    uv: NDArray[np.float32]
    mean_points: NDArray[np.float32]
    margins: NDArray[np.float32]
    strands: NDArray[np.float32]


@cache
def _shared() -> Surface:
    """Return the surface that all subjects share."""
    head = load_head()
    triangles, corners, kinds, uv = [], [], [], []
    first = 0
    for name, material in SOLID.items():
        part = head.parts[name]
        drawn = part.drawn
        if name == "skin":
            # Front to back, so that the depth test can skip hidden triangles.
            drawn = drawn[np.argsort(-head.mean[part.point, 2][drawn].mean(1), kind="stable")]
        triangles.append(part.point[drawn])
        corners.append(drawn + first)
        uv_on_canvas = to_canvas(part.uv)
        kinds.append(np.full(len(drawn), material, np.uint8))
        if name == "skin":
            kinds[-1][np.all(np.any(uv_on_canvas[drawn] < 0, axis=2), axis=1)] = materials.BODY
        uv.append(uv_on_canvas)
        first += len(part.uv)
    all_kinds = np.concatenate(kinds)
    skin = head.parts["skin"]
    num_points = len(head.mean)
    return Surface(
        triangles=np.concatenate(triangles).astype(np.int32),
        corners=np.concatenate(corners).astype(np.int32),
        materials=all_kinds,
        one_sided=all_kinds <= materials.BODY,
        coarse=skin.point[skin.coarse].astype(np.int32),
        uv=np.concatenate(uv),
        mean_points=head.mean,
        margins=np.full(num_points, WHOLE, np.float32),
        strands=np.zeros((num_points, 2), np.float32),
    )


def assemble(pieces: Sequence[Piece]) -> Surface:
    """Combine the shared surface with pieces; their points come after those of the head, in order."""
    shared = _shared()
    triangles, corners, kinds = [shared.triangles], [shared.corners], [shared.materials]
    first = len(shared.mean_points)
    for piece in pieces:
        triangles.append(piece.triangles + first)
        corners.append(np.zeros_like(piece.triangles))
        kinds.append(np.full(len(piece.triangles), piece.material, np.uint8))
        first += len(piece.points)
    material = np.concatenate(kinds)
    return Surface(
        triangles=np.concatenate(triangles).astype(np.int32),
        corners=np.concatenate(corners).astype(np.int32),
        materials=material,
        one_sided=material <= materials.BODY,
        coarse=shared.coarse,
        uv=shared.uv,
        mean_points=np.concatenate([shared.mean_points, *(piece.mean_points for piece in pieces)]),
        margins=np.concatenate([shared.margins, *(piece.margins for piece in pieces)]),
        strands=np.concatenate([shared.strands, *(piece.strands for piece in pieces)]),
    )


def neck_weights(pieces: Sequence[Piece]) -> NDArray[np.float32]:
    """Return how much every point follows the rotation of the head, (P,): shoulders stay, the neck bends."""
    head = load_head()
    weights = np.ones(len(head.mean) + sum(len(piece.points) for piece in pieces), np.float32)
    skin = head.parts["skin"].points
    weights[skin] = _bend((head.mean[skin, 1] - 5.7) / 0.75)
    first = len(head.mean)
    for piece in pieces:
        weights[first : first + len(piece.points)] = _bend((piece.mean_points[:, 1] - 5.2) / 1.2)
        first += len(piece.points)
    return weights


def _bend(share: NDArray[np.float32]) -> NDArray[np.float32]:
    share = np.clip(share, 0, 1)
    return share * share * (3 - 2 * share)
