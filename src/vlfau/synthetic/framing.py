"""Camera projection: perspective, and the position of the face in the picture."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.faces.align import CropGeometry, alignment_matrix
from vlfau.faces.pose import NUM_LANDMARKS
from vlfau.files.entries import read_entries
from vlfau.synthetic.head import load_head

__all__ = ["Framing", "View", "landmark_points", "project"]

FOCUS_Z: Final = 0.6
PORTRAIT_HEIGHT: Final = 2.05
"""Height in decimetres that a picture without zoom shows at the focus."""


@dataclass(frozen=True)
class Framing:
    """How a face is photographed and cropped.

    Attributes:
        distance: Distance from the camera to the face, in decimetres; a near camera widens the nose.
        zoom: Size of the face; 1 shows head and shoulders.
        right: Offset of the face to the right, as a share of the picture.
        down: Offset of the face downwards, as a share of the picture.
        aligned: Whether the picture is cropped as by `vlfau.faces.align_face`; zoom, right, down and tilt are then
            small errors of the crop.
        tilt: Rotation of the picture, in degrees.
    """

    distance: float = 7.0
    zoom: float = 1.0
    right: float = 0.0
    down: float = 0.0
    aligned: bool = False
    tilt: float = 0.0


@dataclass(frozen=True)
class View:
    """Points projected by a camera.

    Attributes:
        screen: (P, 3) float32, x and y in pixels from the picture's corner, and the inverse distance.
        camera: (3,) position of the camera.
        landmarks_xy: (2,) in pixels, by FaceMesh number; pixel centres are at whole numbers.
    """

    screen: NDArray[np.float32]
    camera: NDArray[np.float64]
    landmarks_xy: Mapping[int, NDArray[np.float64]]


@cache
def landmark_points() -> Mapping[int, int]:
    """Return the index of the head's point for some FaceMesh landmarks, by FaceMesh number (landmarks.toml)."""
    file = read_entries("landmarks.toml")
    num_points = load_head().parts["skin"].points.stop
    points = {int(entry.count("number")): entry.count("point") for entry in file.tables("landmark")}
    if max(points) >= NUM_LANDMARKS or max(points.values()) >= num_points:
        raise file.error("landmark", "numbers of FaceMesh landmarks and of points of the skin")
    return MappingProxyType(points)


def project(points: NDArray[np.float32], framing: Framing, size: int) -> View:
    """Project points (P, 3) into a square picture of `size` pixels."""
    parts = load_head().parts
    eyes = (points[parts["l-eye"].points].mean(0) + points[parts["r-eye"].points].mean(0)) / 2
    face = 0.62 * eyes + 0.38 * points[parts["upper-teeth"].points].mean(0)
    camera = np.array([face[0], face[1] + 0.08, FOCUS_Z + framing.distance], np.float64)
    inverse = 1 / (camera[2] - points[:, 2])
    focal = size * framing.distance / PORTRAIT_HEIGHT
    x = size / 2 + focal * (points[:, 0] - camera[0]) * inverse
    y = size / 2 - focal * (points[:, 1] - camera[1]) * inverse
    linear, shift = _adjustment(framing, size)
    if framing.aligned:
        matrix = _alignment(x, y, size)
        linear, shift = linear @ matrix[:, :2], linear @ matrix[:, 2] + shift
    screen = np.column_stack([np.column_stack([x, y]) @ linear.T + shift, inverse]).astype(np.float32)
    landmarks = {number: screen[point, :2].astype(np.float64) - 0.5 for number, point in landmark_points().items()}
    return View(screen, camera, MappingProxyType(landmarks))


def _adjustment(framing: Framing, size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rotation and zoom about the picture's centre, (2, 2), and the translation that goes with it, (2,)."""
    angle = np.radians(framing.tilt)
    linear = framing.zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.full(2, size / 2)
    return linear, middle - linear @ middle + size * np.array([framing.right, framing.down])


def _alignment(x: NDArray[np.float64], y: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Return the (2, 3) similarity transform to the aligned face, in continuous pixel coordinates."""
    landmarks = np.zeros((NUM_LANDMARKS, 2))
    for number, point in landmark_points().items():
        landmarks[number] = x[point] - 0.5, y[point] - 0.5
    matrix = alignment_matrix(landmarks, CropGeometry(aligned_size=size, crop_size=size))
    matrix[:, 2] += 0.5 - matrix[:, :2] @ np.full(2, 0.5)
    return matrix
