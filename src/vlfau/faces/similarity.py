"""Similarity transforms of the plane: rotation, scale and translation, no shear."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["apply_affine", "fit_similarity", "invert_affine", "rotation_between"]

FloatArray = NDArray[np.floating]


def rotation_between(source: FloatArray, target: FloatArray) -> tuple[NDArray[np.float64], float]:
    """Find the rotation and scale that bring centred points closest to others (Umeyama, TPAMI 1991).

    Args:
        source: (P, D), points whose mean is 0.
        target: (P, D), likewise.

    Returns:
        The rotation (D, D), never a reflection, and the scale.
    """
    left, singular, right = np.linalg.svd(target.T.astype(np.float64) @ source)
    signs = np.ones(len(singular))
    signs[-1] = np.sign(np.linalg.det(left @ right))
    return left @ np.diag(signs) @ right, float(singular @ signs / np.square(source).sum())


def fit_similarity(source: FloatArray, target: FloatArray) -> NDArray[np.float64]:
    """Return the (2, 3) matrix that brings points (P, 2) closest to others, by least squares."""
    source_mean, target_mean = source.mean(0), target.mean(0)
    rotation, scale = rotation_between(source - source_mean, target - target_mean)
    linear = scale * rotation
    return np.column_stack([linear, target_mean - linear @ source_mean])


def apply_affine(matrix: FloatArray, points: FloatArray) -> NDArray[np.float64]:
    """Map points (P, 2) by a (2, 3) matrix."""
    mapped: NDArray[np.float64] = points @ matrix[:, :2].T + matrix[:, 2]
    return mapped


def invert_affine(matrix: FloatArray) -> NDArray[np.float64]:
    """Return the (2, 3) matrix that undoes another."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]])
