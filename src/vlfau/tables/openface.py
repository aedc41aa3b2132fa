"""Rows in the columns of OpenFace 2, as its `RecorderCSV.cpp` names, orders and rounds them.

OpenFace counts frames from 1 and faces from 0. Where it found no face it writes zeros for pose and AUs; here these
cells are empty, so that nobody takes them for measurements.
"""

from collections.abc import Iterator

from vlfau.inference.results import PictureResult
from vlfau.inference.sources import printable
from vlfau.tables.columns import Cell
from vlfau.tables.euler import turns_xyz

__all__ = ["rows"]


def rows(result: PictureResult) -> Iterator[dict[str, Cell]]:
    """Yield one row a face; a video's frame without a face has one row with success 0."""
    place: dict[str, Cell] = {
        "file": printable(result.file),
        "frame": None if result.frame is None else result.frame + 1,
        "timestamp": result.time_s,
    }
    if not result.faces and result.frame is not None:
        yield {**place, "face_id": 0, "confidence": 0.0, "success": 0}
    for index, face in enumerate(result.faces):
        turns = dict(zip(("pose_Rx", "pose_Ry", "pose_Rz"), turns_xyz(face.pose), strict=True))
        yield {
            **place,
            "face_id": index if face.face_id is None else face.face_id - 1,
            "confidence": face.score,
            "success": 1,
            **turns,
            **{f"AU{au.au_id:02d}_r": au.intensity for au in face.aus},
            **{f"AU{au.au_id:02d}_c": float(au.state) for au in face.aus},
        }
