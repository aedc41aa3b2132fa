"""Rows in our own columns."""

from collections.abc import Iterator

from vlfau.inference.results import PictureResult
from vlfau.inference.sources import printable
from vlfau.tables.columns import Cell

__all__ = ["rows"]


def rows(result: PictureResult) -> Iterator[dict[str, Cell]]:
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
