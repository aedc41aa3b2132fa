"""Measurements of a face, taken when they are first asked for."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from vlfau.faces.align import CropGeometry, alignment_matrix
from vlfau.faces.mesh import DenseFaceMesh, Mesh, Region
from vlfau.faces.pose import estimate_pose
from vlfau.faces.warp import apply_affine, invert_affine
from vlfau.measures.definitions import Definition, Direction, Form, definitions, definitions_of_au
from vlfau.measures.geometry import EYES, FoldFinder, eye_distance, frontal, size
from vlfau.measures.resting import resting

__all__ = ["MAX_PITCH", "MAX_YAW", "NOT_MEASURED", "MeasuredFace", "Measurement", "crop_mesh", "mean_measurements"]

MAX_YAW: Final = 25.0
MAX_PITCH: Final = 20.0
"""A head that is turned further, in degrees, is not measured: a part of the face is foreshortened or hidden."""
NOT_MEASURED: Final = "not measured: the head is turned too far"
MIN_EYE_DISTANCE: Final = 30.0
"""Smallest distance between the eyes in the picture, in pixels, at which folds can be seen."""
MIN_CROP: Final = 64
"""Smallest side of a crop, in pixels, on which the mesh is fine enough."""
FACE_SHARE: Final = 204 / 256
CENTRE_HEIGHT: Final = 0.44
"""The crop's share of the mesh's square, and the height of the square's middle in the crop, as in the model."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement of one face.

    Attributes:
        definition: What was measured.
        value: In its unit; the mean of both sides if it has sides.
        left: Of the subject's own left side; None without sides.
        right: Of the subject's own right side; None without sides.
        own_rest: The same of this person's neutral face; None if unknown.
    """

    definition: Definition
    value: float
    left: float | None = None
    right: float | None = None
    own_rest: float | None = None

    @property
    def name(self) -> str:
        """Its name in tables, such as `outer_brow_height`."""
        return self.definition.name

    @property
    def resting(self) -> tuple[float, float]:
        """The range of resting faces: 5th and 95th percentile."""
        known = resting()[self.name]
        return known.low, known.high

    @property
    def differs(self) -> Direction | None:
        """Whether it is above (more) or below (less) the range of resting faces; None inside."""
        low, high = (round(limit, self.definition.digits) for limit in self.resting)
        shown = round(self.value, self.definition.digits)
        return Direction.MORE if shown > high else Direction.LESS if shown < low else None

    @property
    def is_uneven(self) -> bool:
        """Whether its sides differ more than on 19 in 20 resting faces."""
        usual = resting()[self.name].uneven
        return None not in {self.left, self.right, usual} and abs(self.left - self.right) > usual  # type: ignore[operator]

    @property
    def text(self) -> str:
        """A sentence part that can be checked: value, the sides if they differ, and the range of resting faces."""
        digits = self.definition.digits
        low, high = self.resting
        sides = ""
        if self.is_uneven and self.left is not None and self.right is not None:
            sides = f" (left {_number(self.left, digits)}, right {_number(self.right, digits)})"
        own = "" if self.own_rest is None else f", this person at rest {_number(self.own_rest, digits)}"
        return (
            f"{self.definition.label} {_number(self.value, digits)} {self.definition.unit}{sides}, "
            f"resting faces {_number(low, digits)} to {_number(high, digits)}{own}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-compatible data."""
        low, high = self.resting
        numbers = {
            "value": self.value,
            "left": self.left,
            "right": self.right,
            "resting_low": low,
            "resting_high": high,
            "own_rest": self.own_rest,
        }
        digits = self.definition.digits + 2
        return {
            "name": self.name,
            "label": self.definition.label,
            "unit": self.definition.unit,
            **{key: None if number is None else round(number, digits) for key, number in numbers.items()},
            "differs": self.differs,
            "text": self.text,
        }


class MeasuredFace:
    """Measures an aligned face when it is first asked to, with the finer of the two meshes.

    Args:
        crop: (S, S, 3) uint8 RGB, the aligned face.
        picture_from_crop: (2, 3), from pixels of the crop to those of the picture, or what computes it.
        own_rest: Measurements of this person's neutral face, by name.
    """

    def __init__(
        self,
        crop: NDArray[np.uint8],
        picture_from_crop: NDArray[np.float64] | Callable[[], NDArray[np.float64]],
        *,
        own_rest: Mapping[str, float] | None = None,
    ) -> None:
        self._crop, self._picture_from_crop, self._own_rest = crop, picture_from_crop, dict(own_rest or {})

    @cached_property
    def _matrix(self) -> NDArray[np.float64]:
        given = self._picture_from_crop
        return given() if callable(given) else given

    def copied(self) -> Self:
        """Return a copy that shares no pixels with this one."""
        other = self.compared_to(self._own_rest)
        other._crop = self._crop.copy()
        return other

    def rulers(self, definition: Definition, *, in_crop: bool = False) -> list[list[list[float]]]:
        """Return the lines to draw for a measurement, each a list of points (x, y).

        A height has an upright line through one of two places to the level of the other, and a width a level one; an
        area or a fold has its outline. The subject's own right side comes first.

        Args:
            definition: The measurement.
            in_crop: Whether to return pixels of the crop, not of the picture.
        """
        points = np.asarray(self.mesh.landmarks_xy, np.float64) if in_crop else self.landmarks_xy
        lines = []
        for groups in (definition.points, definition.mirrored_points) if definition.sided else (definition.points,):
            if definition.form is Form.AREA or definition.form.is_fold:
                outline = points[list(groups[0])]
                lines.append(np.vstack([outline, outline[:1]]))
            else:
                lines.append(_line(definition, points, *(points[list(group)].mean(0) for group in groups[:2])))
        return [np.round(line, 1).tolist() for line in lines]

    @classmethod
    def of(
        cls,
        crop: NDArray[np.uint8],
        landmarks_xy: NDArray[np.floating],
        geometry: CropGeometry,
        *,
        reduction: float = 1.0,
    ) -> Self:
        """Return the measurements of a face that `align_face` cut out.

        Args:
            crop: (S, S, 3) uint8 RGB.
            landmarks_xy: (468, 2), in pixels of the picture that it was cut out of.
            geometry: Of the crop.
            reduction: Pixels of the file per pixel of that picture, along one side.
        """
        return cls(crop, partial(_picture_from_crop, landmarks_xy, geometry, reduction))

    def without_pixels(self) -> Self:
        """Measure now, and return the same without the crop."""
        _ = self.plain
        other = self.compared_to(self._own_rest)
        other._crop = self._crop[:0]
        return other

    def compared_to(self, own_rest: Mapping[str, float]) -> Self:
        """Return the same with the measurements of this person's neutral face, by name."""
        other = type(self)(self._crop, self._picture_from_crop, own_rest=own_rest)
        other.__dict__.update({name: self.__dict__[name] for name in ("mesh", "plain") if name in self.__dict__})
        return other

    @cached_property
    def mesh(self) -> Mesh:
        """The finer mesh, in pixels of the crop."""
        return crop_mesh(self._crop)

    @property
    def landmarks_xy(self) -> NDArray[np.float64]:
        """(478, 2), the finer mesh, in pixels of the picture."""
        return apply_affine(self._matrix, self.mesh.landmarks_xy)

    @cached_property
    def plain(self) -> tuple[Measurement, ...]:
        """The measurements, without this person's neutral face."""
        if len(self._crop) < MIN_CROP:
            return ()
        mesh = self.mesh
        pose = estimate_pose(mesh.landmarks_xy[:468], mesh.landmarks_z[:468])
        if abs(pose.yaw) > MAX_YAW or abs(pose.pitch) > MAX_PITCH:
            return ()
        scale = float(np.sqrt(abs(np.linalg.det(self._matrix[:, :2]))))
        sees_folds = scale * eye_distance(mesh.landmarks_xy) >= MIN_EYE_DISTANCE
        points = frontal(mesh.landmarks_xy, mesh.landmarks_z)
        folds = FoldFinder(self._crop, mesh.landmarks_xy) if sees_folds else None
        found = []
        for each in definitions():
            sides = [
                _measure(each, points, folds, mirrored) for mirrored in ((False, True) if each.sided else (False,))
            ]
            values = [side for side in sides if side is not None]
            if len(values) == len(sides):
                left, right = (sides[1], sides[0]) if each.sided else (None, None)
                found.append(Measurement(each, sum(values) / len(values), left, right))
        return tuple(found)

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """All measurements, in the order of the data file; none if the head is turned too far."""
        return tuple(replace(each, own_rest=self._own_rest.get(each.name)) for each in self.plain)

    def of_au(self, au_id: int) -> tuple[Measurement, ...]:
        """Return the measurements that an AU moves, the most telling first."""
        wanted = {each.name: resting()[each.name].auc[au_id] for each in definitions_of_au(au_id)}
        found = [each for each in self.measurements if each.name in wanted]
        return tuple(sorted(found, key=lambda each: -wanted[each.name]))


def _line(
    definition: Definition, points: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the line (2, 2) between two places (x, y) along which a length is measured on a face."""
    right, left = (points[corners].mean(0) for corners in EYES)
    across = (left - right) / max(float(np.linalg.norm(left - right)), 1e-9)
    if definition.form is Form.WIDTH:
        end = start + across * ((end - start) @ across)
    elif definition.form is Form.HEIGHT:
        down = np.array([-across[1], across[0]])
        if definition.sided and definition.points[1] == definition.mirrored_points[1]:  # Both sides end in the middle.
            end = start + down * ((end - start) @ down)
        else:
            start = end + down * ((start - end) @ down)
    return np.stack([start, end])


def mean_measurements(faces: Iterable[Iterable[Measurement]]) -> dict[str, float]:
    """Return the mean of every measurement over faces, by name: with neutral faces, how this person rests."""
    values: dict[str, list[float]] = {}
    for face in faces:
        for each in face:
            values.setdefault(each.name, []).append(each.value)
    return {name: sum(found) / len(found) for name, found in values.items()}


def crop_mesh(crop: NDArray[np.uint8]) -> Mesh:
    """Return the finer mesh of an aligned face (S, S, 3), in pixels of the crop."""
    side = len(crop)
    region = Region(np.array([(side - 1) / 2, CENTRE_HEIGHT * side - 0.5]), side / FACE_SHARE, 0.0)
    return _dense_mesh()(crop, [region])[0]


@cache
def _dense_mesh() -> DenseFaceMesh:
    return DenseFaceMesh()


def _picture_from_crop(
    landmarks_xy: NDArray[np.floating], geometry: CropGeometry, reduction: float
) -> NDArray[np.float64]:
    return reduction * invert_affine(alignment_matrix(landmarks_xy, geometry))


def _measure(
    definition: Definition, points: NDArray[np.float64], folds: FoldFinder | None, mirrored: bool
) -> float | None:
    if definition.form.is_fold:
        return None if folds is None else folds.depth(definition, mirrored=mirrored)
    return size(definition, points, mirrored=mirrored)


def _number(value: float, digits: int) -> str:
    return f"{round(value, digits) + 0.0:.{digits}f}"
