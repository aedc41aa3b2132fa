"""Head pose from the mesh; the axes and signs are those that `vlfau.facs` fixes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlfau.faces.mean_face import MEAN_FACE
from vlfau.faces.similarity import rotation_between

__all__ = ["HeadPose", "estimate_pose"]


@dataclass(frozen=True, slots=True)
class HeadPose:
    """How a head is turned, in degrees; a frontal, upright face has zeros.

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
    points = np.column_stack([landmarks_xy, landmarks_z]).astype(np.float64)
    rotation, _ = rotation_between(MEAN_FACE - MEAN_FACE.mean(0), points - points.mean(0))
    # x points right, y down, z away from the camera; a frontal face looks along -z.
    gaze = -rotation[:, 2]
    yaw, pitch = np.arctan2(gaze[0], -gaze[2]), np.arcsin(np.clip(-gaze[1], -1, 1))
    turned = _about_y(-yaw) @ _about_x(-pitch)
    in_plane = turned.T @ rotation
    roll = np.arctan2(in_plane[1, 0], in_plane[0, 0])
    return HeadPose(*(float(np.degrees(angle)) for angle in (yaw, pitch, roll)))


def _about_x(angle: float) -> NDArray[np.float64]:
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])


def _about_y(angle: float) -> NDArray[np.float64]:
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
