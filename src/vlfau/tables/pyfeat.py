"""Rows in the columns of Py-Feat 0.6, as its `Fex` tables have them.

Boxes are corner and size, angles are in degrees, and an AU is a probability.
"""

from collections.abc import Iterator
from math import degrees

from vlfau.inference.results import PictureResult
from vlfau.inference.sources import printable
from vlfau.tables.columns import Cell
from vlfau.tables.euler import turns_xyz

__all__ = ["rows"]


def rows(result: PictureResult) -> Iterator[dict[str, Cell]]:
    """Yield one row a face; a video's frame without a face has one row with nothing about a face."""
    place: dict[str, Cell] = {"input": printable(result.file), "frame": result.frame}
    if not result.faces and result.frame is not None:
        yield place
    for face in result.faces:
        left, top, right, bottom = face.face_box_xyxy
        turn_x, turn_y, turn_z = map(degrees, turns_xyz(face.pose))
        yield {
            **place,
            "FaceRectX": left,
            "FaceRectY": top,
            "FaceRectWidth": right - left,
            "FaceRectHeight": bottom - top,
            "FaceScore": face.score,
            "Pitch": -turn_x,
            "Roll": turn_z,
            "Yaw": turn_y,
            **{f"AU{au.au_id:02d}": au.prob for au in face.aus},
            "Identity": None if face.face_id is None else f"Person_{face.face_id}",
        }
