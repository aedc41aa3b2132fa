"""Similarity transforms, and pictures resampled through them without aliasing."""

from math import floor, sqrt
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["apply_affine", "fit_similarity", "invert_affine", "rotation_between", "warp"]

FloatArray = NDArray[np.floating]


class Rotation(NamedTuple):
    """A rotation and a scale.

    Attributes:
        matrix: (D, D), never a reflection.
        scale: Factor of the lengths.
    """

    matrix: NDArray[np.float64]
    scale: float


def rotation_between(source: FloatArray, target: FloatArray) -> Rotation:
    """Find the rotation and scale that bring centred points closest to others (Umeyama, TPAMI 1991).

    Args:
        source: (P, D), points whose mean is 0.
        target: (P, D), likewise.
    """
    left, singular, right = np.linalg.svd(target.T.astype(np.float64) @ source)
    signs = np.ones(len(singular))
    signs[-1] = np.sign(np.linalg.det(left @ right))
    return Rotation(left @ np.diag(signs) @ right, float(singular @ signs / np.square(source).sum()))


def fit_similarity(source: FloatArray, target: FloatArray) -> NDArray[np.float64]:
    """Return the (2, 3) matrix that brings points (P, 2) closest to others, by least squares."""
    source_mean, target_mean = source.mean(0), target.mean(0)
    centred = (source - source_mean).astype(np.float64)
    # In a plane, rotation and scale are one complex number, and the best one is a quotient of two sums.
    x, y = centred.T @ (target - target_mean)
    cosine, sine = np.array([x[0] + y[1], x[1] - y[0]]) / np.square(centred).sum()
    linear = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([linear, target_mean - linear @ source_mean])


def apply_affine(matrix: FloatArray, points: FloatArray) -> NDArray[np.float64]:
    """Map points (P, 2) by a (2, 3) matrix."""
    mapped: NDArray[np.float64] = points @ matrix[:, :2].T + matrix[:, 2]
    return mapped


def invert_affine(matrix: FloatArray) -> NDArray[np.float64]:
    """Return the (2, 3) matrix that undoes another."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]])


def warp(image: NDArray[np.uint8], matrix: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    """Draw a square part of a picture.

    A picture that shrinks is first averaged down by whole factors, so that a face of 2000 pixels and one of 200
    look alike. Anything outside the picture is black.

    Args:
        image: (H, W, 3) uint8.
        matrix: (2, 3), from picture to square, in pixels, with pixel centres at whole numbers.
        size: Side of the square.

    Returns:
        (size, size, 3) uint8.
    """
    factor = max(1, floor(1 / sqrt(abs(np.linalg.det(matrix[:, :2])))))
    if factor > 1:
        image, matrix = _shrink(image, matrix, size, factor)
    drawn = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(drawn, np.uint8)


def _shrink(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], size: int, factor: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Average the part of the picture that is needed by a whole factor."""
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]], np.float64)
    needed = apply_affine(invert_affine(matrix), corners)
    height, width = image.shape[:2]
    left, top = np.clip(np.floor(needed.min(0)) - factor, 0, [width - 1, height - 1]).astype(int)
    right, bottom = np.clip(np.ceil(needed.max(0)) + factor, [left + 1, top + 1], [width, height]).astype(int)
    # Whole blocks alone: their average is several times as fast as that of others. What is left of a block at the right
    # and lower edge of the picture is less than a pixel of the result.
    new_size = (max(1, (right - left) // factor), max(1, (bottom - top) // factor))
    part = image[top : min(bottom, top + factor * new_size[1]), left : min(right, left + factor * new_size[0])]
    small = cv2.resize(part, new_size, interpolation=cv2.INTER_AREA)
    scale = np.array([part.shape[1] / small.shape[1], part.shape[0] / small.shape[0]])
    # A pixel centre c of the small part lies at (c + 1/2) * scale - 1/2 + (left, top) of the picture.
    linear = matrix[:, :2] * scale
    offset = matrix[:, :2] @ (scale / 2 - 0.5 + [left, top]) + matrix[:, 2]
    return np.asarray(small, np.uint8), np.column_stack([linear, offset])
