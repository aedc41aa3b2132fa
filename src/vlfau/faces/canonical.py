"""Landmarks without head pose: moved, scaled and turned onto the mean face by points that expressions hardly move."""

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import ConfigError
from vlfau.faces.mean_face import MEAN_FACE
from vlfau.faces.similarity import rotation_between

__all__ = ["STABLE", "canonical_points"]

STABLE = (33, 133, 362, 263, 168, 6, 197, 195, 127, 356, 234, 454)
"""Landmarks that expressions hardly move: eye corners, bridge of the nose, temples, cheekbones."""


def canonical_points(landmarks_xy: NDArray[np.floating], landmarks_z: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return landmarks as the mean face would show them, whatever the head's place, size and pose.

    The similarity in space that brings the stable landmarks closest to those of the mean face (Umeyama, TPAMI 1991) is
    applied to all.

    Args:
        landmarks_xy: (P, 2), in pixels; P is 468 or more, in FaceMesh's order.
        landmarks_z: (P,), their depth in the same unit.

    Returns:
        (P, 3), in distances between the outer eye corners of the mean face; x points to the picture's right, y down, z
        away from the camera.

    Raises:
        ConfigError: There are fewer landmarks, or not as many depths.
    """
    count = len(MEAN_FACE)
    if landmarks_xy.ndim != 2 or landmarks_xy.shape[1] != 2 or len(landmarks_xy) < count:
        raise ConfigError(f"expected landmarks ({count} or more, 2), as FaceMesh finds them, got {landmarks_xy.shape}")
    if landmarks_z.shape != landmarks_xy.shape[:1]:
        raise ConfigError(f"expected a depth for each of {len(landmarks_xy)} landmarks, got {landmarks_z.shape}")
    points = np.column_stack([landmarks_xy, landmarks_z]).astype(np.float64)
    stable, target = points[list(STABLE)], MEAN_FACE[list(STABLE)]
    middle, target_middle = stable.mean(0), target.mean(0)
    rotation, scale = rotation_between(stable - middle, target - target_middle)
    canonical: NDArray[np.float64] = scale * (points - middle) @ rotation.T + target_middle
    return canonical
