"""Rotation of heads, surface normals, and ambient openness of the skin."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vlfau.synthetic.jit import compiled

__all__ = ["Neighbourhood", "Pose", "normals_of", "openness", "rotation", "turn"]


@dataclass(frozen=True)
class Pose:
    """Head pose and gaze, in degrees, with the signs of `vlfau.facs`.

    Attributes:
        yaw: Yaw of the head, positive towards the subject's own left.
        pitch: Pitch of the head, positive upwards.
        roll: Roll of the head, positive towards the subject's own left shoulder.
        gaze_yaw: Yaw of the eyes relative to the head, positive towards the subject's own left.
        gaze_pitch: Pitch of the eyes relative to the head, positive upwards.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    gaze_yaw: float = 0.0
    gaze_pitch: float = 0.0


def rotation(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    """Return the (3, 3) rotation matrix for column vectors; angles are in degrees."""
    yaw, pitch, roll = np.radians([yaw, -pitch, -roll])
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    turned: NDArray[np.float64] = about_z @ about_y @ about_x
    return turned


@compiled
def turn(
    points: NDArray[np.float32],
    weights: NDArray[np.float32],
    matrix: NDArray[np.float64],
    pivot: NDArray[np.float64],
) -> None:
    """Rotate points (K, 3) about a pivot, in place, each by its weight (K,) from 0 (not at all) to 1."""
    for row in range(points.shape[0]):
        x, y, z = points[row, 0] - pivot[0], points[row, 1] - pivot[1], points[row, 2] - pivot[2]
        for axis in range(3):
            turned = matrix[axis, 0] * x + matrix[axis, 1] * y + matrix[axis, 2] * z + pivot[axis]
            points[row, axis] += weights[row] * (turned - points[row, axis])


@compiled
def normals_of(points: NDArray[np.float32], triangles: NDArray[np.int32], normals: NDArray[np.float32]) -> None:
    """Fill normals (P, 3) with the unit normals of points: the area-weighted mean of their triangles."""
    normals[:] = 0
    for number in range(triangles.shape[0]):
        a, b, c = triangles[number, 0], triangles[number, 1], triangles[number, 2]
        ux, uy, uz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        vx, vy, vz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for corner in range(3):
            point = triangles[number, corner]
            normals[point, 0] += nx
            normals[point, 1] += ny
            normals[point, 2] += nz
    for point in range(normals.shape[0]):
        x, y, z = normals[point, 0], normals[point, 1], normals[point, 2]
        length = np.sqrt(x * x + y * y + z * z) + 1e-12
        normals[point, 0], normals[point, 1], normals[point, 2] = x / length, y / length, z / length


class Neighbourhood(NamedTuple):
    """The neighbours of the points of a surface, and buffers for smoothing.

    Attributes:
        starts: (K + 1,) index of the first neighbour of each point in `neighbours`.
        neighbours: The neighbours of all points, concatenated.
        fine: (K, 3) buffer of the lightly smoothed points.
        coarse: (K, 3) buffer of the strongly smoothed points.
    """

    starts: NDArray[np.int32]
    neighbours: NDArray[np.int32]
    fine: NDArray[np.float32]
    coarse: NDArray[np.float32]

    @classmethod
    def of(cls, triangles: NDArray[np.int32], count: int) -> "Neighbourhood":
        """Return the neighbourhood of `count` points that are connected by triangles (F, 3)."""
        pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
        pairs = np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0)
        starts = np.searchsorted(pairs[:, 0], np.arange(count + 1)).astype(np.int32)
        fine, coarse = np.empty((count, 3), np.float32), np.empty((count, 3), np.float32)
        return cls(starts, np.ascontiguousarray(pairs[:, 1], np.int32), fine, coarse)


@compiled
def _smoothed(
    points: NDArray[np.float32],
    starts: NDArray[np.int32],
    neighbours: NDArray[np.int32],
    result: NDArray[np.float32],
) -> None:
    for point in range(starts.shape[0] - 1):
        x, y, z = 0.0, 0.0, 0.0
        for index in range(starts[point], starts[point + 1]):
            other = neighbours[index]
            x, y, z = x + points[other, 0], y + points[other, 1], z + points[other, 2]
        count = max(1, starts[point + 1] - starts[point])
        result[point, 0], result[point, 1], result[point, 2] = x / count, y / count, z / count


@compiled
def openness(
    points: NDArray[np.float32],
    normals: NDArray[np.float32],
    around: Neighbourhood,
    result: NDArray[np.float32],
) -> None:
    """Estimate how open the surface is around every point, from 0.35 (a crease) to 1.

    A point below the smoothed surface is in a hollow; two degrees of smoothing detect narrow and wide hollows.

    Args:
        points: (K, 3) points of the skin.
        normals: (K, 3) normals of the points.
        around: The neighbours of the points.
        result: (K,) output.
    """
    starts, neighbours, fine, coarse = around
    _smoothed(points, starts, neighbours, coarse)
    _smoothed(coarse, starts, neighbours, fine)
    for point in range(result.shape[0]):
        depth = 0.0
        for axis in range(3):
            depth += (fine[point, axis] - points[point, axis]) * normals[point, axis]
        result[point] = 1 - 20 * max(0.0, depth)
    for _ in range(2):
        _smoothed(fine, starts, neighbours, coarse)
        _smoothed(coarse, starts, neighbours, fine)
    for point in range(result.shape[0]):
        depth = 0.0
        for axis in range(3):
            depth += (fine[point, axis] - points[point, axis]) * normals[point, axis]
        result[point] = min(1.0, max(0.35, result[point] - 6 * max(0.0, depth)))
