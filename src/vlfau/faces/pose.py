"""The mean face, the head pose against it, and landmarks without head pose."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import ConfigError
from vlfau.faces.warp import Rotation, rotation_between

__all__ = [
    "MEAN_FACE",
    "NUM_LANDMARKS",
    "SPARSE_LANDMARKS",
    "STABLE",
    "HeadPose",
    "canonical_points",
    "estimate_pose",
    "fit_mean_face",
    "landmark_mirror",
]

MEAN_FACE: NDArray[np.float64] = np.loadtxt(Path(__file__).with_name("mean_face.csv"), delimiter=",", comments="#")
_CENTRED_MEAN_FACE = MEAN_FACE - MEAN_FACE.mean(0)
NUM_LANDMARKS = len(MEAN_FACE)
"""Of FaceMesh: 468."""


SPARSE_LANDMARKS = (
    *(0, 1, 2, 6, 10, 13, 14, 17, 33, 61, 63, 67, 105, 107, 127, 129, 133, 145, 152, 159, 168, 197, 205),
    *(234, 263, 291, 293, 297, 334, 336, 356, 358, 362, 374, 386, 425, 454),
)
"""Those that drawn faces have: brows, lids, nose, lips and outline."""


@cache
def landmark_mirror(number: int) -> int:
    """Return the landmark that mirrors another; landmarks in the middle of the face mirror themselves."""
    return int(np.square(MEAN_FACE - MEAN_FACE[number] * [-1, 1, 1]).sum(1).argmin())


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Head pose in degrees; a frontal, upright face has zeros.

    Attributes:
        yaw: Positive towards the subject's own left.
        pitch: Positive upwards.
        roll: Positive when the head tilts to the subject's own left shoulder.
    """

    yaw: float
    pitch: float
    roll: float


def estimate_pose(landmarks_xy: NDArray[np.floating], landmarks_z: NDArray[np.floating]) -> HeadPose:
    """Find the rotation that brings the mean face closest to a mesh.

    Args:
        landmarks_xy: (468, 2), in pixels.
        landmarks_z: (468,), in pixels.
    """
    rotation = fit_mean_face(landmarks_xy, landmarks_z).matrix
    # x points right, y down, z away from the camera; a frontal face looks along -z.
    gaze = -rotation[:, 2]
    yaw, pitch = np.arctan2(gaze[0], -gaze[2]), np.arcsin(np.clip(-gaze[1], -1, 1))
    turned = _about_y(-yaw) @ _about_x(-pitch)
    in_plane = turned.T @ rotation
    roll = np.arctan2(in_plane[1, 0], in_plane[0, 0])
    return HeadPose(*(float(np.degrees(angle)) for angle in (yaw, pitch, roll)))


def fit_mean_face(landmarks_xy: NDArray[np.floating], landmarks_z: NDArray[np.floating]) -> Rotation:
    """Find the rotation and scale that bring the mean face closest to a mesh.

    Args:
        landmarks_xy: (468 or more, 2), in pixels.
        landmarks_z: Their depth in pixels.
    """
    points = np.column_stack([landmarks_xy, landmarks_z])[:NUM_LANDMARKS].astype(np.float64)
    return rotation_between(_CENTRED_MEAN_FACE, points - points.mean(0))


def _about_x(angle: float) -> NDArray[np.float64]:
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])


def _about_y(angle: float) -> NDArray[np.float64]:
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])


STABLE = (33, 133, 362, 263, 168, 6, 197, 195, 127, 356, 234, 454)
"""Landmarks that expressions hardly move: eye corners, bridge of the nose, temples, cheekbones."""


def canonical_points(landmarks_xy: NDArray[np.floating], landmarks_z: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return landmarks without the head's position, size and pose, aligned to the mean face.

    The similarity in space that brings the stable landmarks closest to those of the mean face (Umeyama, TPAMI 1991) is
    applied to all.

    Args:
        landmarks_xy: (P, 2), in pixels; P is 468 or more, in FaceMesh's order.
        landmarks_z: (P,), their depth in the same unit.

    Returns:
        (P, 3), in distances between the outer eye corners of the mean face; x points to the picture's right, y down, z
        away from the camera.

    Raises:
        ConfigError: There are fewer landmarks, or another number of depths.
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
