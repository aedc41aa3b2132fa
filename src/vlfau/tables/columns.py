"""The columns of all formats: what each holds, and in which unit."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType
from typing import Final

from vlfau.errors import ConfigError
from vlfau.facs import action_unit, check_au_ids
from vlfau.tables.column import Cell, Column, Kind
from vlfau.tables.face_columns import DOUBTFUL_AUS, measurement_columns, own_quality_columns, quality_columns

__all__ = ["GROUPS", "LAYOUTS", "Cell", "Column", "FrameId", "Kind", "Layout", "recognise"]

FrameId = tuple[str, int | None]
"""A picture or a frame of a video: the file, and the frame's number from 0 (None for a picture)."""
Columns = Callable[[], tuple[Column, ...]]
"""Columns that are made when asked for; those of AUs are patterns."""


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
        groups: Columns that are written only when asked for, by the name of their group; after all others.
    """

    name: str
    leading: tuple[Column, ...]
    of_aus: tuple[Column, ...]
    trailing: tuple[Column, ...]
    au_by_au: bool
    file: str
    frame: str
    first_frame: int = 0
    groups: Mapping[str, Columns] = field(default_factory=dict)

    def columns(self, au_ids: Sequence[int], groups: Collection[str] = ()) -> tuple[Column, ...]:
        """Return all columns for these AUs, and those of the groups.

        >>> [column.name for column in LAYOUTS["native"].columns([12])][-6:]
        ['AU12_prob', 'AU12_state', 'AU12_intensity', 'AU12_text', 'global_text', 'doubtful_aus']
        """
        if self.au_by_au:
            of_aus = [pattern.of_au(au_id) for au_id in au_ids for pattern in self.of_aus]
        else:
            of_aus = [pattern.of_au(au_id) for pattern in self.of_aus for au_id in sorted(au_ids)]
        of_groups = [column for name in self.groups if name in groups for column in self.group(name, au_ids)]
        return (*self.leading, *of_aus, *self.trailing, *of_groups)

    def group(self, name: str, au_ids: Sequence[int]) -> tuple[Column, ...]:
        """Return the columns of a group for these AUs; those of sides only for AUs that have sides."""
        columns = self.groups[name]()
        if not _is_of_aus(columns):
            return columns
        wanted = [au_id for au_id in au_ids if name != "sides" or action_unit(au_id).sided]
        return tuple(pattern.of_au(au_id) for au_id in wanted for pattern in columns)

    def frame_id(self, row: Mapping[str, object]) -> FrameId:
        """Return the picture or frame that a row describes; its cells may be text."""
        frame = row[self.frame]
        return str(row[self.file]), None if frame in {None, ""} else int(str(frame)) - self.first_frame


def recognise(names: Sequence[str]) -> tuple[Layout, tuple[Column, ...]] | None:
    """Find the format that has exactly these columns, for any AUs and groups; None if there is none."""
    known = frozenset(names)
    for layout in LAYOUTS.values():
        au_ids = _numbers(layout.of_aus[0], names)
        groups = [
            name
            for name, columns in layout.groups.items()
            if (_numbers(columns()[0], names) if _is_of_aus(columns()) else columns()[0].name in known)
        ]
        try:
            columns = layout.columns(check_au_ids(au_ids), groups)
        except ConfigError:
            continue
        if [column.name for column in columns] == list(names):
            return layout, columns
    return None


def _is_of_aus(columns: Sequence[Column]) -> bool:
    return "{au" in columns[0].name


def _numbers(pattern: Column, names: Sequence[str]) -> list[int]:
    """Return the AUs for which columns of a pattern are among the names."""
    form = re.sub(r"\{au.*?\}", "([0-9]+)", pattern.name)
    return [int(match[1]) for name in names if (match := re.fullmatch(form, name))]


GROUPS: Final = ("sides", "smoothed", "quality", "measurements", "gaze", "head", "landmarks", "mesh")
"""Columns that are written only when asked for."""


def _points(prefix: str, axes: str, count: int, meaning: str) -> tuple[Column, ...]:
    """Return the columns of points, axis by axis, as OpenFace and Py-Feat order them."""
    return tuple(
        Column(f"{prefix}{axis}_{number}", Kind.NUMBER, f"{_AXES[axis]} of {meaning} {number}", "pixels", 1)
        for axis in axes
        for number in range(count)
    )


_AXES: Final = {"x": "x, to the right,", "y": "y, downwards,", "z": "depth, smaller nearer to the camera,"}
_POINTS: Final[Mapping[str, Columns]] = {
    "landmarks": cache(lambda: _points("", "xy", 68, "the mesh point nearest to iBUG's landmark")),
    "mesh": cache(lambda: _points("mesh_", "xyz", 468, "FaceMesh's point")),
}
_OF_THE_FACE: Final[Mapping[str, Columns]] = {"quality": quality_columns, "measurements": measurement_columns}
_SMOOTHED: Final = (
    Column("AU{au}_prob_causal", Kind.NUMBER, "the probability of {what}, smoothed over earlier frames", "0 to 1", 4),
    Column(
        "AU{au}_prob_centred",
        Kind.NUMBER,
        "the probability of {what}, smoothed over earlier and later frames",
        "0 to 1",
        4,
    ),
    Column(
        "AU{au}_state_centred",
        Kind.YES_NO,
        "whether {what} occurs: the centred probability reaches the model's threshold",
        "1 or 0",
    ),
)
_SIDES: Final = (
    Column("AU{au}_side", Kind.TEXT, "side on which {what} acts: left, right or both; empty if it does not", ""),
    *(
        column
        for side in ("left", "right")
        for column in (
            Column(
                f"AU{{au}}_{side}_prob",
                Kind.NUMBER,
                f"probability of {{what}} on the subject's own {side}",
                "0 to 1",
                4,
            ),
            Column(
                f"AU{{au}}_{side}_state", Kind.YES_NO, f"whether {{what}} occurs on the subject's own {side}", "1 or 0"
            ),
            Column(
                f"AU{{au}}_{side}_intensity",
                Kind.NUMBER,
                f"intensity of {{what}} on the subject's own {side}",
                "0 to 5 (A = 1 to E = 5)",
                2,
            ),
        )
    ),
)
_HEAD: Final = (
    "position of the middle between the eyes, for a head of average size and a camera of average focal length:"
)
_ACROSS, _DOWN, _AWAY = f"{_HEAD} to the picture's right", f"{_HEAD} down", f"{_HEAD} distance from the camera"
_LOOKS: Final = "where the eyes look,"

_POSE: Final = "head pose, positive when"
_FROM_AN_IMAGE: Final = "empty for a picture"
_ON_THE_CLOCK: Final = "time of the frame on the clock of the file, which its sound shares"
_STATE: Final = "its probability reaches the model's threshold"

_NATIVE: Final = Layout(
    name="native",
    leading=(
        Column("file", Kind.TEXT, "the picture or video, as given"),
        Column("frame", Kind.WHOLE, f"number of the frame in its video, from 0; {_FROM_AN_IMAGE}"),
        Column("time_s", Kind.NUMBER, f"{_ON_THE_CLOCK}; {_FROM_AN_IMAGE}", "s", 4),
        Column(
            "since_first_s",
            Kind.NUMBER,
            f"time from the first frame of the video, even if its sound starts earlier; {_FROM_AN_IMAGE}",
            "s",
            4,
        ),
        Column(
            "face",
            Kind.WHOLE,
            "number of the face, from 1; in a picture the largest first, as in the annotated picture; in a video the "
            "same in every frame",
        ),
        Column("person", Kind.WHOLE, "number of the person in the video, from 1; empty without `--identities`"),
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
    trailing=(Column("global_text", Kind.TEXT, "caption of the whole face"), DOUBTFUL_AUS),
    au_by_au=True,
    file="file",
    frame="frame",
    groups={
        "sides": lambda: _SIDES,
        "smoothed": lambda: _SMOOTHED,
        "quality": own_quality_columns,
        "measurements": measurement_columns,
        "gaze": lambda: (
            Column("gaze_yaw", Kind.NUMBER, f"{_LOOKS} towards the subject's own left, from the camera", "degrees", 1),
            Column("eyes_yaw", Kind.NUMBER, f"{_LOOKS} towards the subject's own left, from the head", "degrees", 1),
        ),
        "head": lambda: (
            Column("head_x", Kind.NUMBER, _ACROSS, "mm", 0),
            Column("head_y", Kind.NUMBER, _DOWN, "mm", 0),
            Column("head_z", Kind.NUMBER, _AWAY, "mm", 0),
        ),
        **_POINTS,
    },
)

_OPENFACE: Final = Layout(
    name="openface",
    leading=(
        Column("frame", Kind.WHOLE, f"number of the frame in its video, from 1; {_FROM_AN_IMAGE}"),
        Column("face_id", Kind.WHOLE, "the native `face`, counted from 0"),
        Column("timestamp", Kind.NUMBER, f"{_ON_THE_CLOCK}; {_FROM_AN_IMAGE}", "s", 3),
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
    groups={
        **_OF_THE_FACE,
        "gaze": lambda: (
            Column("gaze_angle_x", Kind.NUMBER, f"{_LOOKS} to the picture's right, from the camera", "radians", 3),
            Column("gaze_angle_y", Kind.NUMBER, f"{_LOOKS} down, from the camera; always empty", "radians", 3),
        ),
        "head": lambda: (
            Column("pose_Tx", Kind.NUMBER, _ACROSS, "mm", 1),
            Column("pose_Ty", Kind.NUMBER, _DOWN, "mm", 1),
            Column("pose_Tz", Kind.NUMBER, _AWAY, "mm", 1),
        ),
        **_POINTS,
    },
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
    groups={**_OF_THE_FACE, "landmarks": _POINTS["landmarks"]},
)

_PYFEAT2: Final = replace(
    _PYFEAT,
    name="pyfeat2",
    leading=tuple(
        replace(column, unit="radians", digits=4) if column.unit == "degrees" else column for column in _PYFEAT.leading
    ),
    trailing=(
        *_PYFEAT.trailing,
        Column("approx_time", Kind.TEXT, f"time of the frame as minutes:seconds; {_FROM_AN_IMAGE}"),
    ),
    groups={
        **_OF_THE_FACE,
        "gaze": lambda: (
            Column("gaze_pitch", Kind.NUMBER, f"{_LOOKS} upwards, from the camera; always empty", "radians", 4),
            Column("gaze_yaw", Kind.NUMBER, f"{_LOOKS} to the subject's own right, from the camera", "radians", 4),
            Column("gaze_angle", Kind.NUMBER, f"{_LOOKS} angle with the camera's axis", "radians", 4),
        ),
        "head": lambda: (
            Column("X", Kind.NUMBER, _ACROSS, "mm", 1),
            Column("Y", Kind.NUMBER, _DOWN, "mm", 1),
            Column("Z", Kind.NUMBER, _AWAY, "mm", 1),
        ),
        **_POINTS,
    },
)

LAYOUTS: Final[Mapping[str, Layout]] = MappingProxyType(
    {layout.name: layout for layout in (_NATIVE, _OPENFACE, _PYFEAT, _PYFEAT2)}
)
"""Every format by its name."""
