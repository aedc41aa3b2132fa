"""Lengths, angles and areas from landmarks, and folds from pixels."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vlfau.faces.pose import canonical_points
from vlfau.measures.definitions import Definition, Form

__all__ = ["EYES", "FoldFinder", "eye_distance", "frontal", "size"]

EYES: Final = ([33, 133], [362, 263])
"""The corners of the subject's own right eye and left eye."""
FOLD_EYE_DISTANCE: Final = 60.0
"""Folds are measured in a picture of this distance between the eyes, in pixels."""
FOLD_HALF_WIDTH: Final = 0.025
"""Of a fold, in distances between the eyes."""
FOLD_SHARE: Final = 90
"""Percentile of the darkening over a patch of skin: a fold covers about a tenth of it."""
FOLD_BLUR: Final = 0.8
MIN_BRIGHTNESS: Final = 5.0

Points = NDArray[np.float64]


def eye_distance(points: NDArray[np.floating]) -> float:
    """Return the distance between the middles of the eyes' corners, in the unit of the points (468 or more, 2)."""
    right, left = (points[corners, :2].mean(0) for corners in EYES)
    return float(np.linalg.norm(left - right))


def frontal(landmarks_xy: NDArray[np.floating], landmarks_z: NDArray[np.floating]) -> Points:
    """Return landmarks as on a frontal, upright face.

    The head's position, size and pose are undone in space (`canonical_points`), and the line of the eyes becomes level.

    Args:
        landmarks_xy: (468 or more, 2), in pixels.
        landmarks_z: Their depth in pixels.

    Returns:
        (468 or more, 2) in distances between the eyes, x to the picture's right, y down, from the middle of the eyes.
    """
    points = canonical_points(landmarks_xy, landmarks_z)[:, :2]
    right, left = (points[corners].mean(0) for corners in EYES)
    across = left - right
    cosine, sine = across / max(float(across @ across), 1e-12)
    level: Points = (points - (left + right) / 2) @ np.array([[cosine, -sine], [sine, cosine]])
    return level


def size(definition: Definition, points: Points, *, mirrored: bool = False) -> float:
    """Return a length, angle or area of a frontal face.

    Args:
        definition: What to measure, no fold.
        points: (468 or more, 2), as `frontal` returns them.
        mirrored: Whether to measure the subject's own left side.

    >>> from vlfau.measures.definitions import definitions
    >>> points = np.zeros((468, 2))
    >>> points[[61, 291], 0] = -0.5, 0.5
    >>> [size(each, points) for each in definitions() if each.name == "mouth_width"]
    [1.0]
    """
    groups = definition.mirrored_points if mirrored else definition.points
    if definition.form is Form.AREA:
        x, y = points[list(groups[0])].T
        return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)
    middles = [points[list(group)].mean(0) for group in groups]
    apart = middles[1] - middles[0]
    match definition.form:
        case Form.HEIGHT:
            return float(apart[1])
        case Form.WIDTH:
            return float(abs(apart[0]))
        case Form.SLOPE:
            return float(np.degrees(np.arctan2(-apart[1], abs(apart[0]))))
        case _:
            return float(np.linalg.norm(apart) / max(float(np.linalg.norm(middles[3] - middles[2])), 1e-9))


class FoldFinder:
    """Measures how dark the folds of an aligned face are.

    A fold is a dark valley: the brightness across it has a positive second derivative, which times the square of a
    fold's half width is the depth of the valley.

    Args:
        crop: (S, S, 3) uint8 RGB, the aligned face.
        landmarks_xy: (468 or more, 2), in pixels of it.
    """

    def __init__(self, crop: NDArray[np.uint8], landmarks_xy: NDArray[np.floating]) -> None:
        scale = FOLD_EYE_DISTANCE / max(eye_distance(landmarks_xy), 1.0)
        grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
        smoothing = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        resized = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=smoothing)
        self._grey = np.asarray(cv2.GaussianBlur(resized, (0, 0), FOLD_BLUR), np.float32)
        self._points = (landmarks_xy + 0.5) * scale - 0.5

    def depth(self, definition: Definition, *, mirrored: bool = False) -> float | None:
        """Return how much darker folds are than the skin beside them, in percent; None outside the picture."""
        polygon = (definition.mirrored_points if mirrored else definition.points)[0]
        corners = np.round(self._points[list(polygon)]).astype(np.int32)
        height, width = self._grey.shape
        # Two pixels more, for the derivatives.
        left, top = np.clip(corners.min(0) - 2, 0, [width, height])
        right, bottom = np.clip(corners.max(0) + 3, 0, [width, height])
        mask = np.zeros((bottom - top, right - left), np.uint8)
        if min(mask.shape) < 5:
            return None
        cv2.fillPoly(mask, [corners - [left, top]], 1)
        patch, seen = self._grey[top:bottom, left:right], mask > 0
        if not seen.any():
            return None
        axis = 0 if definition.form is Form.LEVEL_FOLDS else 1
        curvature = np.gradient(np.gradient(patch, axis=axis), axis=axis)
        depth = float(np.percentile(curvature[seen], FOLD_SHARE)) * (FOLD_HALF_WIDTH * FOLD_EYE_DISTANCE) ** 2
        return 100 * depth / max(float(patch[seen].mean()), MIN_BRIGHTNESS)
