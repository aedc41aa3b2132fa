"""A table's header, and its rows in our own format, in OpenFace 2's, and in Py-Feat's."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from math import degrees, radians
from typing import Any, Final

from vlfau._version import version
from vlfau.errors import ConfigError
from vlfau.files.names import printable
from vlfau.inference.bundle import BundleInfo
from vlfau.inference.results import FaceResult, PictureResult
from vlfau.tables.columns import LAYOUTS, Cell, Column
from vlfau.tables.face_columns import doubtful_cell
from vlfau.tables.groups import group_cells, turns_xyz

__all__ = ["FORMAT", "HEADER_KEY", "Table", "columns_json", "native_rows"]

FORMAT: Final = 1
"""Version of the header; it rises when a reader must change."""
HEADER_KEY: Final = b"vlfau"
"""Key of the header in Parquet's metadata."""


class Table:
    """The table of one model in one format.

    Args:
        layout: Name of the format: native, openface, pyfeat or pyfeat2.
        model: The model whose results it holds.
        groups: Groups of further columns, such as sides, measurements, gaze or mesh (`GROUPS`).
        keep_doubtful: Whether cells of AUs that cannot be seen well enough are filled.
        options: Options of the run, by name, for the header.

    Attributes:
        layout: The format.
        groups: Those groups, in the order of the columns.
        columns: All columns, in order.
        header: Versions, model, options of the run, and every column's meaning and unit.

    Raises:
        ConfigError: There is no such format or group, or the format does not have the group.
    """

    def __init__(
        self,
        layout: str,
        model: BundleInfo,
        *,
        groups: Collection[str] = (),
        keep_doubtful: bool = True,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        if layout not in LAYOUTS:
            raise ConfigError(f"there is no format {layout!r} of tables; choose among {', '.join(LAYOUTS)}")
        self.layout = LAYOUTS[layout]
        if unknown := sorted(set(groups) - set(self.layout.groups)):
            raise ConfigError(
                f"format {layout} has no columns for {', '.join(unknown)}; choose another format, such as native"
            )
        self._keep_doubtful = keep_doubtful
        self.groups = tuple(name for name in self.layout.groups if name in groups)
        self.columns: tuple[Column, ...] = self.layout.columns(model.au_ids, self.groups)
        self.header: dict[str, Any] = {
            "kind": "header",
            "format": FORMAT,
            "layout": layout,
            "vlfau": version(),
            "model": model.identity() | {"thresholds": list(model.thresholds)},
            **({} if options is None else {"options": dict(options)}),
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
            for group in self.groups:
                row.update(group_cells(self.layout, group, face))
            if not self._keep_doubtful:
                row.update(dict.fromkeys(self._doubtful(face)))
        return [self._complete(row) for row in rows]

    def _doubtful(self, face: FaceResult) -> Iterator[str]:
        """Yield the columns of AUs that cannot be seen well enough, and of a text that would name one as active."""
        doubtful = face.doubtful_aus
        for au in doubtful:
            yield from (pattern.of_au(au.au_id).name for pattern in self.layout.of_aus)
        if "global_text" in self._by_name and any(au.state for au in doubtful):
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


def native_rows(result: PictureResult) -> Iterator[dict[str, Cell]]:
    """Yield one row per face. A video frame without a face has one row with empty face columns."""
    source: dict[str, Cell] = {"file": printable(result.file), "frame": result.frame, "time_s": result.time_s}
    source["since_first_s"] = result.since_first_s
    if not result.faces and result.frame is not None:
        yield source
    for number, face in enumerate(result.faces, start=1):
        row: dict[str, Cell] = {
            **source,
            "face": number if face.face_id is None else face.face_id,
            "person": face.person,
            **dict(zip(("box_x1", "box_y1", "box_x2", "box_y2"), face.face_box_xyxy, strict=True)),
            "face_score": face.score,
            "yaw": face.pose.yaw,
            "pitch": face.pose.pitch,
            "roll": face.pose.roll,
            "doubtful_aus": doubtful_cell(face),
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


_PYFEAT_ANGLES: Final = frozenset({"Pitch", "Roll", "Yaw"})


def _pyfeat2_rows(result: PictureResult) -> Iterator[dict[str, Cell]]:
    """Yield the rows of Py-Feat 0.6 with angles in radians, and the time as text."""
    for row in _pyfeat_rows(result):
        angles = {
            name: radians(cell) for name, cell in row.items() if name in _PYFEAT_ANGLES and isinstance(cell, float)
        }
        minutes, seconds = divmod(int(result.time_s or 0), 60)
        time = None if result.time_s is None else f"{minutes:02d}:{seconds:02d}"
        yield {**row, **angles, "approx_time": time}


_ROWS: Final[Mapping[str, Callable[[PictureResult], Iterable[dict[str, Cell]]]]] = {
    "native": native_rows,
    "openface": _openface_rows,
    "pyfeat": _pyfeat_rows,
    "pyfeat2": _pyfeat2_rows,
}
