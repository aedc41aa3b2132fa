"""The mean face: FaceMesh's landmarks of a neutral, frontal head.

`mean_face.csv` holds 468 rows of x, y, z: the mean of FaceMesh's answers on frontal synthetic faces and their mirror
images, each scaled to the same size. The unit is the distance between the outer eye corners; x points to the
picture's right, y down, z away from the camera; the origin lies between the outer eye corners. The file is made
by `scripts/mean_face.py`.
"""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["MEAN_FACE", "landmark_mirror"]

MEAN_FACE: NDArray[np.float64] = np.loadtxt(Path(__file__).with_suffix(".csv"), delimiter=",", comments="#")


@cache
def landmark_mirror(number: int) -> int:
    """Return the landmark nearest to where one lies in the mirror: itself in the middle of the face."""
    return int(np.square(MEAN_FACE - MEAN_FACE[number] * [-1, 1, 1]).sum(1).argmin())
