from pathlib import Path

import cv2
import numpy as np
import pytest

ASTRONAUT = Path(__file__).parents[2] / "examples" / "astronaut.png"


@pytest.fixture(scope="session")
def astronaut():
    """The photograph, (512, 512, 3) uint8 RGB; its one face is about 96 x 109 pixels."""
    return np.ascontiguousarray(cv2.imread(str(ASTRONAUT))[..., ::-1])


@pytest.fixture(scope="session")
def face(finder, astronaut):
    return finder.find(astronaut)[0]


def rotated(image, degrees):
    """The picture turned about its middle, counter-clockwise as one sees it, and the (2, 3) matrix."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1)
    return cv2.warpAffine(image, matrix, (width, height)), matrix
