"""The columns of the three formats: what each holds, and in which unit."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from vlfau.errors import ConfigError
from vlfau.facs import action_unit, check_au_ids
from vlfau.files.records import escape_formula

__all__ = ["LAYOUTS", "Cell", "Column", "FrameId", "Kind", "Layout", "recognise"]

Cell = str | int | float | bool | None
FrameId = tuple[str, int | None]
"""A picture or a frame of a video: the file, and the frame's number from 0 (None for a picture)."""


class Kind(StrEnum):
    """The type of a column's cells. Every cell may be empty."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    YES_NO = "yes or no"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: Its name in every file; for AUs a pattern, such as `AU{au}_prob`.
        kind: The type of its cells.
        meaning: Description of its contents.
        unit: In words; may be empty.
        digits: Decimal places of a number.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    digits: int = 0

    def of_au(self, au_id: int) -> "Column":
        """Return this pattern's column for one AU."""
        names = {"au": au_id, "what": f"AU {au_id} ({action_unit(au_id).name})"}
        return replace(self, name=self.name.format(**names), meaning=self.meaning.format(**names))

    def clean(self, cell: Cell) -> Cell:
        """Return a cell as every file stores it: numbers are rounded, and minus zero becomes zero."""
        if cell is None or self.kind is not Kind.NUMBER:
            return cell
        if not math.isfinite(number := float(cell)):
            raise ValueError(f"{self.name} is {number}, which no table can hold")
        return round(number, self.digits) + 0.0

    def text(self, cell: Cell) -> str:
        """Return a clean cell as CSV stores it.

        >>> Column("AU12_prob", Kind.NUMBER, "", digits=4).text(0.5)
        '0.5000'
        """
        if cell is None:
            return ""
        match self.kind:
            case Kind.NUMBER:
                return f"{cell:.{self.digits}f}"
            case Kind.YES_NO:
                return str(int(cell))
        return escape_formula(str(cell)) if self.kind is Kind.TEXT else str(cell)


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one format.

    Attributes:
        name: Name of the format.
        leading: Columns before those of the AUs.
        of_aus: Column patterns of one AU.
        trailing: Columns after those of the AUs.
        au_by_au: Whether all columns of one AU are side by side, in the model's order of AUs; otherwise the columns
            of one pattern are, in ascending order of AUs.
        file: Name of the column that holds the file.
        frame: Name of the column that holds the frame number.
        first_frame: Number of a video's first frame.
    """

    name: str
    leading: tuple[Column, ...]
    of_aus: tuple[Column, ...]
    trailing: tuple[Column, ...]
    au_by_au: bool
    file: str
    frame: str
    first_frame: int = 0

    def columns(self, au_ids: Sequence[int]) -> tuple[Column, ...]:
        """Return all columns for these AUs.

        >>> [column.name for column in LAYOUTS["native"].columns([12])][-5:]
        ['AU12_prob', 'AU12_state', 'AU12_intensity', 'AU12_text', 'global_text']
        """
        if self.au_by_au:
            of_aus = [pattern.of_au(au_id) for au_id in au_ids for pattern in self.of_aus]
        else:
            of_aus = [pattern.of_au(au_id) for pattern in self.of_aus for au_id in sorted(au_ids)]
        return (*self.leading, *of_aus, *self.trailing)

    def frame_id(self, row: Mapping[str, object]) -> FrameId:
        """Return the picture or frame that a row describes; its cells may be text."""
        frame = row[self.frame]
        return str(row[self.file]), None if frame in {None, ""} else int(str(frame)) - self.first_frame


def recognise(
    names: Sequence[str], more: Iterable[Sequence[Column]] = ((),)
) -> tuple[Layout, tuple[Column, ...]] | None:
    """Find the format that has exactly these columns, for any AUs; None if there is none.

    Args:
        names: The names of the columns.
        more: Columns that may follow those of the format: one of these groups.
    """
    groups = list(more)
    for layout in LAYOUTS.values():
        pattern = re.sub(r"\{au.*?\}", "([0-9]+)", layout.of_aus[0].name)
        found = (re.fullmatch(pattern, name) for name in names)
        try:
            columns = layout.columns(check_au_ids(int(match[1]) for match in found if match))
        except ConfigError:
            continue
        for group in groups:
            if [column.name for column in (*columns, *group)] == list(names):
                return layout, (*columns, *group)
    return None


_POSE: Final = "head pose, positive when"
_FROM_AN_IMAGE: Final = "empty for a picture"
_STATE: Final = "its probability reaches the model's threshold"

_NATIVE: Final = Layout(
    name="native",
    leading=(
        Column("file", Kind.TEXT, "the picture or video, as given"),
        Column("frame", Kind.WHOLE, f"number of the frame in its video, from 0; {_FROM_AN_IMAGE}"),
        Column("time_s", Kind.NUMBER, f"time of the frame, from the start of the video; {_FROM_AN_IMAGE}", "s", 4),
        Column(
            "face",
            Kind.WHOLE,
            "number of the face, from 1; in a picture the largest first, as in the annotated picture; in a video the "
            "same in every frame",
        ),
        Column("box_x1", Kind.NUMBER, "left edge of the face", "pixels", 1),
        Column("box_y1", Kind.NUMBER, "top edge of the face", "pixels", 1),
        Column("box_x2", Kind.NUMBER, "right edge of the face", "pixels", 1),
        Column("box_y2", Kind.NUMBER, "bottom edge of the face", "pixels", 1),
        Column("face_score", Kind.NUMBER, "confidence of the face detector", "0 to 1", 4),
        Column("yaw", Kind.NUMBER, f"{_POSE} the subject turns to their own left", "degrees", 1),
        Column("pitch", Kind.NUMBER, f"{_POSE} the face turns up", "degrees", 1),
        Column("roll", Kind.NUMBER, f"{_POSE} the head tilts to the subject's own left shoulder", "degrees", 1),
    ),
    of_aus=(
        Column("AU{au}_prob", Kind.NUMBER, "probability that {what} occurs", "0 to 1", 4),
        Column("AU{au}_state", Kind.YES_NO, f"whether {{what}} occurs: {_STATE}", "1 or 0"),
        Column(
            "AU{au}_intensity",
            Kind.NUMBER,
            "intensity of {what}; empty from a model without intensities",
            "0 to 5 (A = 1 to E = 5)",
            2,
        ),
        Column("AU{au}_text", Kind.TEXT, "caption of {what}; empty if not requested"),
    ),
    trailing=(Column("global_text", Kind.TEXT, "caption of the whole face"),),
    au_by_au=True,
    file="file",
    frame="frame",
)

_OPENFACE: Final = Layout(
    name="openface",
    leading=(
        Column("frame", Kind.WHOLE, f"number of the frame in its video, from 1; {_FROM_AN_IMAGE}"),
        Column("face_id", Kind.WHOLE, "the native `face`, counted from 0"),
        Column("timestamp", Kind.NUMBER, f"time of the frame, from the start of the video; {_FROM_AN_IMAGE}", "s", 3),
        Column("confidence", Kind.NUMBER, "confidence of the face detector; 0 without a face", "0 to 1", 2),
        Column("success", Kind.WHOLE, "whether a face was found", "1 or 0"),
        Column("pose_Rx", Kind.NUMBER, f"{_POSE} the face turns down", "radians", 3),
        Column("pose_Ry", Kind.NUMBER, f"{_POSE} the subject turns to their own right", "radians", 3),
        Column("pose_Rz", Kind.NUMBER, f"{_POSE} the head tilts to the subject's own left shoulder", "radians", 3),
    ),
    of_aus=(
        Column("AU{au:02d}_r", Kind.NUMBER, "intensity of {what}; empty from a model without intensities", "0 to 5", 2),
        Column("AU{au:02d}_c", Kind.NUMBER, f"whether {{what}} occurs: {_STATE}", "1 or 0", 1),
    ),
    trailing=(Column("file", Kind.TEXT, "the picture or video, as given; OpenFace has no such column"),),
    au_by_au=False,
    file="file",
    frame="frame",
    first_frame=1,
)

_PYFEAT: Final = Layout(
    name="pyfeat",
    leading=(
        Column("FaceRectX", Kind.NUMBER, "left edge of the face", "pixels", 1),
        Column("FaceRectY", Kind.NUMBER, "top edge of the face", "pixels", 1),
        Column("FaceRectWidth", Kind.NUMBER, "width of the face", "pixels", 1),
        Column("FaceRectHeight", Kind.NUMBER, "height of the face", "pixels", 1),
        Column("FaceScore", Kind.NUMBER, "confidence of the face detector", "0 to 1", 4),
        Column("Pitch", Kind.NUMBER, f"{_POSE} the face turns up", "degrees", 1),
        Column("Roll", Kind.NUMBER, f"{_POSE} the head tilts to the subject's own left shoulder", "degrees", 1),
        Column("Yaw", Kind.NUMBER, f"{_POSE} the subject turns to their own right", "degrees", 1),
    ),
    of_aus=(Column("AU{au:02d}", Kind.NUMBER, "probability that {what} occurs", "0 to 1", 4),),
    trailing=(
        Column("Identity", Kind.TEXT, f"`Person_` and the native `face` of a video; {_FROM_AN_IMAGE}"),
        Column("input", Kind.TEXT, "the picture or video, as given"),
        Column("frame", Kind.WHOLE, f"number of the frame in its video, from 0; {_FROM_AN_IMAGE}"),
    ),
    au_by_au=False,
    file="input",
    frame="frame",
)

LAYOUTS: Final[Mapping[str, Layout]] = MappingProxyType(
    {layout.name: layout for layout in (_NATIVE, _OPENFACE, _PYFEAT)}
)
"""Every format by its name."""
