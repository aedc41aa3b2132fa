"""The cells of the columns that are written only when asked for, such as sides, measurements, gaze and mesh."""

from collections.abc import Callable, Mapping, Sequence
from math import asin, atan2, cos, radians, sin
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.faces import Gaze, HeadPose
from vlfau.faces.geometry import LANDMARKS_68
from vlfau.inference.results import FaceResult
from vlfau.tables.columns import Cell, Layout
from vlfau.tables.face_columns import measurement_cells, quality_cells

__all__ = ["group_cells", "turns_xyz"]


def group_cells(layout: Layout, group: str, face: FaceResult) -> dict[str, Cell]:
    """Return the cells of a group of columns for a face; empty where the result does not have them."""
    if group in _CELLS:
        return _CELLS[group](face)
    names = [column.name for column in layout.groups[group]()]
    values = _VALUES[group](layout.name, face)
    return dict.fromkeys(names) if values is None else dict(zip(names, values, strict=True))


def turns_xyz(pose: HeadPose) -> tuple[float, float, float]:
    """Decompose a head's rotation as R = Rx Ry Rz; our own angles are those of R = Ry Rx Rz.

    The axes are those of the picture: x points right, y down, z away from the camera. A positive turn about x faces
    down, one about y faces the subject's own right, and one about z tilts to the subject's own left shoulder.

    Returns:
        The turns about x, y and z, in radians.

    >>> [round(turn, 3) for turn in turns_xyz(HeadPose(yaw=0, pitch=10, roll=0))]
    [-0.175, 0.0, 0.0]
    """
    x, y, z = radians(-pose.pitch), radians(-pose.yaw), radians(pose.roll)
    return (
        atan2(sin(x), cos(y) * cos(x)),
        asin(sin(y) * cos(x)),
        atan2(cos(y) * sin(z) - sin(y) * sin(x) * cos(z), cos(y) * cos(z) + sin(y) * sin(x) * sin(z)),
    )


def _gaze(layout: str, face: FaceResult) -> Sequence[float | None] | None:
    gaze = None if face.geometry is None else face.geometry.gaze
    return None if gaze is None else _GAZE[layout](gaze)


def _head(layout: str, face: FaceResult) -> Sequence[float] | None:
    return None if face.geometry is None else face.geometry.head_xyz_mm


def _landmarks(layout: str, face: FaceResult) -> Sequence[float] | None:
    return None if not len(face.landmarks_xy) else _by_axis(face.landmarks_xy[list(LANDMARKS_68)])


def _mesh(layout: str, face: FaceResult) -> Sequence[float] | None:
    if face.geometry is None or not len(face.landmarks_xy):
        return None
    return _by_axis(np.column_stack([face.landmarks_xy, face.geometry.landmarks_z]))


def _by_axis(points: NDArray[np.floating]) -> list[float]:
    values: list[float] = points.T.ravel().tolist()
    return values


def _side_cells(face: FaceResult) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    for au in face.aus:
        if au.left is not None:
            cells[f"{au.label}_side"] = None if au.side is None else str(au.side)
        for name, side in (("left", au.left), ("right", au.right)):
            if side is not None:
                beginning = f"{au.label}_{name}"
                cells |= {f"{beginning}_prob": side.prob, f"{beginning}_state": side.state}
                cells[f"{beginning}_intensity"] = side.intensity
    return cells


def _smoothed_cells(face: FaceResult) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    for au in face.aus:
        cells |= {f"{au.label}_prob_causal": au.prob_causal, f"{au.label}_prob_centred": au.prob_centred}
        cells[f"{au.label}_state_centred"] = au.state_centred
    return cells


_CELLS: Final[Mapping[str, Callable[[FaceResult], dict[str, Cell]]]] = {
    "sides": _side_cells,
    "smoothed": _smoothed_cells,
    "quality": quality_cells,
    "measurements": measurement_cells,
}
_VALUES: Final[Mapping[str, Callable[[str, FaceResult], Sequence[float | None] | None]]] = {
    "gaze": _gaze,
    "head": _head,
    "landmarks": _landmarks,
    "mesh": _mesh,
}
_GAZE: Final[Mapping[str, Callable[[Gaze], Sequence[float | None]]]] = {
    "native": lambda gaze: (gaze.yaw, gaze.eyes_yaw),
    "openface": lambda gaze: (radians(gaze.yaw), None),
    "pyfeat2": lambda gaze: (None, -radians(gaze.yaw), None),
}
