"""The face mesh in place of each face, for pictures that must not show who it is."""

from dataclasses import replace
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vlfau.faces import CropGeometry, align_face
from vlfau.faces.pose import MEAN_FACE
from vlfau.inference.results import FaceResult, PictureResult

__all__ = ["anonymised"]

_COVER: Final = 1.45
"""How much larger than the mesh the covered area is: the mesh ends at the hairline and before the ears."""
_GREY, _LINES = (128, 128, 128), (235, 235, 235)


def anonymised(
    pixels: NDArray[np.uint8], result: PictureResult, geometry: CropGeometry, *, reduction: float = 1.0
) -> tuple[NDArray[np.uint8], PictureResult]:
    """Cover each face that was found, and draw its mesh.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        result: Its faces, with landmarks.
        geometry: Geometry of the crops.
        reduction: Pixels of the file per pixel of `pixels`, along one side.

    Returns:
        A new picture, and the result with crops of that picture.
    """
    drawing = pixels.copy()
    for face in result.faces:
        if len(face.landmarks_xy):
            _cover(drawing, face.landmarks_xy / reduction)
    return drawing, replace(
        result, faces=tuple(_with_crop(face, drawing, geometry, reduction) for face in result.faces)
    )


def _with_crop(face: FaceResult, pixels: NDArray[np.uint8], geometry: CropGeometry, reduction: float) -> FaceResult:
    if not len(face.landmarks_xy):
        return face
    return replace(face, crop=align_face(pixels, face.landmarks_xy / reduction, geometry))


def _cover(drawing: NDArray[np.uint8], points_xy: NDArray[np.floating]) -> None:
    """Draw over a face in place."""
    middle = points_xy.mean(0)
    hull = cv2.convexHull(np.asarray(middle + _COVER * (points_xy - middle), np.float32))
    cv2.fillConvexPoly(drawing, np.round(hull).astype(np.int32), _GREY)
    thickness = max(1, round(float(np.ptp(points_xy, axis=0).max()) / 300))
    for start, end in mesh_edges():
        ends = [tuple(round(float(value)) for value in points_xy[number]) for number in (start, end)]
        cv2.line(drawing, ends[0], ends[1], _LINES, thickness, cv2.LINE_AA)


@cache
def mesh_edges() -> tuple[tuple[int, int], ...]:
    """Return pairs of landmarks that a line joins: a triangulation of the mean face."""
    points = np.asarray(MEAN_FACE[:, :2] * 1000, np.float32)
    low, high = points.min(0) - 1, points.max(0) + 1
    plane = cv2.Subdiv2D((*map(int, np.floor(low)), *map(int, np.ceil(high - low) + 2)))
    plane.insert([(float(x), float(y)) for x, y in points])
    triangles = np.asarray(plane.getTriangleList(), np.float64).reshape(-1, 3, 2)
    nearest = np.square(triangles[:, :, None] - points).sum(-1).argmin(-1)  # (T, 3), numbers of the corners
    pairs = np.sort(np.concatenate([nearest[:, [0, 1]], nearest[:, [1, 2]], nearest[:, [2, 0]]]), axis=1)
    return tuple((int(one), int(other)) for one, other in np.unique(pairs, axis=0))
