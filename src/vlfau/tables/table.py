"""A table's header, and its rows in our own format, in OpenFace 2's, and in Py-Feat 0.6's."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from math import asin, atan2, cos, degrees, radians, sin
from typing import Any, Final

from vlfau._version import version
from vlfau.errors import ConfigError
from vlfau.faces import HeadPose
from vlfau.files.names import printable
from vlfau.inference.bundle import BundleInfo
from vlfau.inference.results import FaceResult, PictureResult
from vlfau.tables.columns import LAYOUTS, Cell, Column
from vlfau.tables.face_columns import EXTRAS, extra_cells, extra_columns

__all__ = ["FORMAT", "HEADER_KEY", "Table", "columns_json", "native_rows", "turns_xyz"]

FORMAT: Final = 1
"""Version of the header; it rises when a reader must change."""
HEADER_KEY: Final = b"vlfau"
"""Key of the header in Parquet's metadata."""


class Table:
    """The table of one model in one format.

    Args:
        layout: Name of the format: native, openface or pyfeat.
        model: The model whose results it holds.
        extras: Groups of columns beyond those of the format, such as measurements.
        keep_doubtful: Whether cells of AUs that cannot be seen well enough are filled.

    Attributes:
        layout: The format.
        extras: Those groups, in the order of the columns.
        columns: All columns, in order.
        header: Versions, model, and every column's meaning and unit.

    Raises:
        ConfigError: There is no such format, or no such group of columns.
    """

    def __init__(
        self, layout: str, model: BundleInfo, *, extras: Collection[str] = (), keep_doubtful: bool = True
    ) -> None:
        if layout not in LAYOUTS:
            raise ConfigError(f"there is no format {layout!r} of tables; choose among {', '.join(LAYOUTS)}")
        self.layout = LAYOUTS[layout]
        if unknown := sorted(set(extras) - EXTRAS.keys()):
            raise ConfigError(f"there are no columns {unknown[0]!r}; choose among {', '.join(EXTRAS)}")
        self._keep_doubtful = keep_doubtful
        self.extras = tuple(name for name in EXTRAS if name in extras)
        self.columns: tuple[Column, ...] = (*self.layout.columns(model.au_ids), *extra_columns(self.extras))
        self.header: dict[str, Any] = {
            "kind": "header",
            "format": FORMAT,
            "layout": layout,
            "vlfau": version(),
            "model": model.identity() | {"thresholds": list(model.thresholds)},
            "columns": columns_json(self.columns),
        }
        self._by_name = {column.name: column for column in self.columns}

    def rows(self, result: PictureResult) -> list[dict[str, Cell]]:
        """Return the rows of a picture or frame; each has every column, in order.

        Raises:
            ValueError: The result has an AU that the model does not predict, or a number that is not finite.
        """
        rows = list(_ROWS[self.layout.name](result))
        for row, face in zip(rows, result.faces, strict=False):  # A frame without a face has a row, too.
            row.update(extra_cells(self.extras, face))
            if not self._keep_doubtful:
                row.update(dict.fromkeys(self._doubtful(face)))
        return [self._complete(row) for row in rows]

    def _doubtful(self, face: FaceResult) -> Iterator[str]:
        """Yield the columns of AUs that cannot be seen well enough, and of a text that would name one as active."""
        doubtful = () if face.quality is None else face.quality.doubtful(face.au_ids)
        for au_id in doubtful:
            yield from (pattern.of_au(au_id).name for pattern in self.layout.of_aus)
        if "global_text" in self._by_name and any(face[au_id].state for au_id in doubtful):
            yield "global_text"

    def header_json(self) -> str:
        """Return the header as one line."""
        return json.dumps(self.header, ensure_ascii=False, allow_nan=False)

    def _complete(self, row: Mapping[str, Cell]) -> dict[str, Cell]:
        if unknown := row.keys() - self._by_name:
            raise ValueError(f"the table of model {self.header['model']['name']} has no column {min(unknown)}")
        return {name: column.clean(row.get(name)) for name, column in self._by_name.items()}


def columns_json(columns: Sequence[Column]) -> list[dict[str, str]]:
    """Return name, meaning, unit and kind of every column, ready for JSON."""
    return [
        {"name": column.name, "meaning": column.meaning, "unit": column.unit, "type": str(column.kind)}
        for column in columns
    ]


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


def native_rows(result: PictureResult) -> Iterator[dict[str, Cell]]:
    """Yield one row per face. A video frame without a face has one row with empty face columns."""
    source: dict[str, Cell] = {"file": printable(result.file), "frame": result.frame, "time_s": result.time_s}
    if not result.faces and result.frame is not None:
        yield source
    for number, face in enumerate(result.faces, start=1):
        row: dict[str, Cell] = {
            **source,
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


def _openface_rows(result: PictureResult) -> Iterator[dict[str, Cell]]:
    """Yield one row per face. A video frame without a face has one row with success 0."""
    source: dict[str, Cell] = {
        "file": printable(result.file),
        "frame": None if result.frame is None else result.frame + 1,
        "timestamp": result.time_s,
    }
    if not result.faces and result.frame is not None:
        yield {**source, "face_id": 0, "confidence": 0.0, "success": 0}
    for index, face in enumerate(result.faces):
        turns = dict(zip(("pose_Rx", "pose_Ry", "pose_Rz"), turns_xyz(face.pose), strict=True))
        yield {
            **source,
            "face_id": index if face.face_id is None else face.face_id - 1,
            "confidence": face.score,
            "success": 1,
            **turns,
            **{f"AU{au.au_id:02d}_r": au.intensity for au in face.aus},
            **{f"AU{au.au_id:02d}_c": float(au.state) for au in face.aus},
        }


def _pyfeat_rows(result: PictureResult) -> Iterator[dict[str, Cell]]:
    """Yield one row per face. A video frame without a face has one row with empty face columns."""
    source: dict[str, Cell] = {"input": printable(result.file), "frame": result.frame}
    if not result.faces and result.frame is not None:
        yield source
    for face in result.faces:
        left, top, right, bottom = face.face_box_xyxy
        turn_x, turn_y, turn_z = map(degrees, turns_xyz(face.pose))
        yield {
            **source,
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


_ROWS: Final[Mapping[str, Callable[[PictureResult], Iterable[dict[str, Cell]]]]] = {
    "native": native_rows,
    "openface": _openface_rows,
    "pyfeat": _pyfeat_rows,
}
