"""Where a head is and where its eyes look, estimated from its landmarks.

Both are estimates from one picture of an unknown camera: the position assumes a focal length and a head of average
size, the gaze an eyeball of average size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.faces.blendshapes import BLENDSHAPE_NAMES
from vlfau.faces.pose import HeadPose, fit_mean_face
from vlfau.faces.reading import FaceReading

__all__ = ["LANDMARKS_68", "FaceGeometry", "Gaze", "estimate_gaze", "head_position"]

# fmt: off
LANDMARKS_68: Final = (
    162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389,
    71, 63, 105, 66, 107, 336, 296, 334, 293, 301,
    168, 197, 5, 4, 75, 97, 2, 326, 305,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87,
)
"""FaceMesh's landmarks nearest to the 68 points of iBUG (jaw, brows, nose, eyes, mouth), in the order of those."""
# fmt: on
FOCAL_LENGTH: Final = 500 / 640
"""In longer sides of the picture; what OpenFace assumes of a camera that it does not know."""
OUTER_EYE_CORNERS_MM: Final = 89.0
"""Between the outer corners of the eyes of an adult, the unit of the mean face (Farkas, 1994: 91 and 87)."""
_RIGHT_EYE: Final = (33, 133, 468)
_LEFT_EYE: Final = (263, 362, 473)
"""Outer corner, inner corner and centre of the iris; of the subject's own right and left eye."""
DEGREES_PER_SHIFT: Final = 200.0
"""Of the iris from the middle between the corners, in units of the mean face; with the next, fitted to drawn faces."""
DEGREES_PER_MOVEMENT: Final = 12.0
"""Of the mesh's own movements eyeLookOut and eyeLookIn, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Gaze:
    """Where both eyes look on average, sideways, in degrees; signs are those of `HeadPose`.

    How far up or down eyes look cannot be told from the mesh: estimates are no better than always the same answer.

    Attributes:
        yaw: Towards the subject's own left, seen from the camera: 0 looks along the camera's axis.
        eyes_yaw: The same relative to the head.
    """

    yaw: float
    eyes_yaw: float


@dataclass(frozen=True, slots=True, eq=False)
class FaceGeometry:
    """What is known of one face besides its landmarks and pose.

    Attributes:
        landmarks_z: (468,) float32, depth of the landmarks in pixels of the file, smaller nearer to the camera.
        head_xyz_mm: Position of the middle between the eyes: to the picture's right, down, and away from the camera.
        gaze: Where the eyes look; None if not requested.
    """

    landmarks_z: NDArray[np.float32]
    head_xyz_mm: tuple[float, float, float]
    gaze: Gaze | None = None


def head_position(
    landmarks_xy: NDArray[np.floating], landmarks_z: NDArray[np.floating], size: Sequence[int]
) -> tuple[float, float, float]:
    """Estimate the position of the middle between the eyes, in millimetres.

    Args:
        landmarks_xy: (468, 2), in pixels.
        landmarks_z: (468,), in pixels.
        size: Height and width of the picture, in pixels.

    Returns:
        x to the picture's right, y down, z away from the camera, all from the camera.
    """
    scale = fit_mean_face(landmarks_xy, landmarks_z).scale
    focal = FOCAL_LENGTH * max(size[:2])
    depth_mm = focal * OUTER_EYE_CORNERS_MM / max(scale, 1e-9)
    between_eyes = landmarks_xy[[_RIGHT_EYE[0], _LEFT_EYE[0]]].mean(0, dtype=np.float64)
    middle = between_eyes - (np.array([size[1], size[0]]) - 1) / 2
    across_mm, down_mm = middle * depth_mm / focal
    return float(across_mm), float(down_mm), float(depth_mm)


def estimate_gaze(reading: FaceReading, pose: HeadPose) -> Gaze:
    """Estimate where the eyes look sideways: from the irises between the eyes' corners, and the mesh's movements.

    Args:
        reading: The mesh with irises.
        pose: The head's.
    """
    points = reading.canonical
    shifts = [points[iris] - (points[outer] + points[inner]) / 2 for outer, inner, iris in (_RIGHT_EYE, _LEFT_EYE)]
    across = np.mean(shifts, axis=0)[0]
    looks = {
        name: float(reading.blendshapes[BLENDSHAPE_NAMES.index(f"eyeLook{name}")])
        for name in ("InLeft", "InRight", "OutLeft", "OutRight")
    }
    to_left = (looks["OutLeft"] - looks["InLeft"] + looks["InRight"] - looks["OutRight"]) / 2
    eyes_yaw = float(DEGREES_PER_SHIFT * across + DEGREES_PER_MOVEMENT * to_left)
    return Gaze(_seen_from_camera(eyes_yaw, pose), eyes_yaw)


def _seen_from_camera(eyes_yaw: float, pose: HeadPose) -> float:
    """Turn level eyes by the pose of the head (R = Ry Rx Rz, x right, y down, z away), and return their yaw."""
    yaw = np.radians(eyes_yaw)
    direction = np.array([np.sin(yaw), 0.0, -np.cos(yaw)])
    for axis, angle in ((2, pose.roll), (0, -pose.pitch), (1, -pose.yaw)):
        direction = _about(axis, np.radians(angle)) @ direction
    return float(np.degrees(np.arctan2(direction[0], -direction[2])))


def _about(axis: int, angle: float) -> NDArray[np.float64]:
    cosine, sine = np.cos(angle), np.sin(angle)
    one, other = (axis + 1) % 3, (axis + 2) % 3
    turn = np.eye(3)
    turn[one, one] = turn[other, other] = cosine
    turn[other, one], turn[one, other] = sine, -sine
    return turn
