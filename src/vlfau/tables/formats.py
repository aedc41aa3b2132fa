"""Rows in our own columns, and in those of OpenFace 2 and Py-Feat 0.6."""

from collections.abc import Iterator
from math import asin, atan2, cos, degrees, radians, sin

from vlfau.faces import HeadPose
from vlfau.files.names import printable
from vlfau.inference.results import PictureResult
from vlfau.tables.columns import Cell

__all__ = ["native_rows", "openface_rows", "pyfeat_rows", "turns_xyz"]


def turns_xyz(pose: HeadPose) -> tuple[float, float, float]:
    """Take the rotation of a head apart as R = Rx Ry Rz, where our own angles are R = Ry Rx Rz.

    The axes are those of the picture: x points right, y down, z away from the camera. So a positive turn about x
    looks down, about y to the subject's own right, and about z tilts to the subject's own left shoulder.

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


def native_rows(result: PictureResult) -> Iterator[dict[str, Cell]]:
    """Yield one row a face; a video's frame without a face has one row with nothing about a face."""
    place: dict[str, Cell] = {"file": printable(result.file), "frame": result.frame, "time_s": result.time_s}
    if not result.faces and result.frame is not None:
        yield place
    for number, face in enumerate(result.faces, start=1):
        row: dict[str, Cell] = {
            **place,
            "face": number if face.face_id is None else face.face_id,
            **dict(zip(("box_x1", "box_y1", "box_x2", "box_y2"), face.face_box_xyxy, strict=True)),
            "face_score": face.score,
            "yaw": face.pose.yaw,
            "pitch": face.pose.pitch,
            "roll": face.pose.roll,
            "global_text": face.global_caption,
        }
        for au in face.aus:
            row[f"{au.label}_prob"] = au.prob
            row[f"{au.label}_state"] = au.state
            row[f"{au.label}_intensity"] = au.intensity
            row[f"{au.label}_text"] = au.local_caption
        yield row


def openface_rows(result: PictureResult) -> Iterator[dict[str, Cell]]:
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


def pyfeat_rows(result: PictureResult) -> Iterator[dict[str, Cell]]:
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
