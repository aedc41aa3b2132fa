"""From landmarks to the aligned square that the network sees, in training and prediction alike."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import ConfigError
from vlfau.faces.pose import MEAN_FACE
from vlfau.faces.warp import fit_similarity, warp

__all__ = ["CropGeometry", "align_face", "alignment_matrix"]

STEADY = (33, 133, 362, 263, 168, 6, 197, 127, 356, 234, 454, 10, 67, 297)
"""FaceMesh landmarks that expressions hardly move: eye corners, bridge of the nose, temples, top of the forehead."""

_STEADY = np.array(STEADY)

TOP_OF_FOREHEAD, CHIN = 10, 152
FOREHEAD_HEIGHT, CHIN_HEIGHT = 0.10, 0.80
"""Heights of the mean face's top and chin, as shares of the square; below is room for a dropped jaw."""


@dataclass(frozen=True)
class CropGeometry:
    """Sizes of the aligned square, in pixels.

    Attributes:
        aligned_size: Side of the aligned square, from which training takes random crops.
        crop_size: Side of its middle part, which prediction uses.
    """

    aligned_size: int
    crop_size: int

    def __post_init__(self) -> None:
        if not 1 <= self.crop_size <= self.aligned_size:
            raise ConfigError(
                f"crop_size {self.crop_size} must be at least 1 and at most aligned_size {self.aligned_size}"
            )


def alignment_matrix(landmarks_xy: NDArray[np.floating], geometry: CropGeometry) -> NDArray[np.float64]:
    """Return the (2, 3) similarity from the picture to the middle crop, in pixels.

    Args:
        landmarks_xy: (468, 2), FaceMesh's landmarks in pixels.
        geometry: The squares.
    """
    template = _template() * geometry.aligned_size - 0.5
    matrix = fit_similarity(landmarks_xy[_STEADY].astype(np.float64), template)
    matrix[:, 2] -= (geometry.aligned_size - geometry.crop_size) / 2
    return matrix


def align_face(
    image: NDArray[np.uint8], landmarks_xy: NDArray[np.floating], geometry: CropGeometry
) -> NDArray[np.uint8]:
    """Cut out a face, upright and of standard size.

    Args:
        image: (H, W, 3) uint8, RGB.
        landmarks_xy: (468, 2), in pixels.
        geometry: The squares.

    Returns:
        (crop_size, crop_size, 3) uint8; black where the picture ends.
    """
    return warp(image, alignment_matrix(landmarks_xy, geometry), geometry.crop_size)


@cache
def _template() -> NDArray[np.float64]:
    """Return where the steady landmarks of the mean face lie, (P, 2), as shares of the square."""
    face = MEAN_FACE[:, :2]
    scale = (CHIN_HEIGHT - FOREHEAD_HEIGHT) / (face[CHIN, 1] - face[TOP_OF_FOREHEAD, 1])
    centred = (face[_STEADY] - [0, face[TOP_OF_FOREHEAD, 1]]) * scale
    template: NDArray[np.float64] = centred + np.array([0.5, FOREHEAD_HEIGHT])
    return template
