"""The face texture: the position on the mean head of every texel."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from vlfau.synthetic.head import load_head
from vlfau.synthetic.jit import compiled
from vlfau.synthetic.rasteriser import Outlines, interpolate, visible_triangles

__all__ = ["Canvas", "bell", "canvas", "ramp", "to_canvas"]

ISLAND: Final = (0.635, 0.14, 1.0, 0.83)
"""Left, bottom, right and top edge of the face in the texture of MakeHuman's body."""
SMOOTHING: Final = 0.004
"""Smoothing of the map of positions before its slopes are computed, as a share of the canvas."""


@dataclass(frozen=True)
class Canvas:
    """A square texture of the face.

    Attributes:
        size: Side length N in texels.
        x: (N, N) float32, position on the mean head in decimetres, towards the subject's own left.
        y: (N, N) float32, position upwards.
        z: (N, N) float32, position forwards.
        off_middle: (N, N) float32, the absolute value of x.
        lips: (N, N) float32 in [0, 1], mask of the lips.
        eyelids: Mask of the eyelids.
        face: Mask of the face.
        ears: Mask of the ears.
        slopes: (N, N, 2, 3) float32, matrices that turn the slopes of a height along columns and rows into its
            gradient on the surface.
    """

    size: int
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    z: NDArray[np.float32]
    off_middle: NDArray[np.float32]
    lips: NDArray[np.float32]
    eyelids: NDArray[np.float32]
    face: NDArray[np.float32]
    ears: NDArray[np.float32]
    slopes: NDArray[np.float32]

    def gradient(self, height: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the gradient (N, N, 3) of a height (N, N), both in decimetres, along the mean head's surface."""
        down, right = (np.asarray(slope)[..., None] for slope in np.gradient(height))
        return np.asarray(right * self.slopes[..., 0, :] + down * self.slopes[..., 1, :], np.float32)


def ramp(start: float, end: float, value: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return a smooth step from 0 at `start` to 1 at `end`."""
    result = np.empty(value.shape, np.float32)
    _ramp(start, end, np.ravel(value), result.reshape(-1))
    return result


@compiled
def _ramp(start: float, end: float, values: NDArray[np.floating], result: NDArray[np.float32]) -> None:
    for index in range(values.shape[0]):
        share = min(1.0, max(0.0, (values[index] - start) / (end - start)))
        result[index] = share * share * (3 - 2 * share)


def bell(distance: NDArray[np.floating], sigma: float) -> NDArray[np.float32]:
    """Return exp(-distance^2 / (2 sigma^2))."""
    return np.asarray(np.exp(-0.5 * np.square(distance / sigma)), np.float32)


def to_canvas(uv: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convert coordinates (W, 2) in MakeHuman's texture to coordinates on the canvas; the face is within [0, 1]."""
    left, low, right, high = ISLAND
    return ((uv - [left, low]) / [right - left, high - low]).astype(np.float32)


@cache
def canvas(size: int) -> Canvas:
    """Return the canvas of a size; the result is cached."""
    head = load_head()
    skin = head.parts["skin"]
    uv = to_canvas(skin.uv)
    inside = np.all((uv > -0.01) & (uv < 1.01), axis=1)[skin.drawn].all(1)
    triangles = np.ascontiguousarray(skin.drawn[inside])
    screen = np.column_stack([uv * size, np.ones(len(uv), np.float32)])
    shown = np.full((size, size), -1, np.int32)
    margins = np.ones(len(uv), np.float32)
    two_sided = np.zeros(len(triangles), np.bool_)
    strands = np.zeros((len(uv), 2), np.float32)
    outlines = Outlines(triangles, two_sided, margins, strands)
    visible_triangles(screen, outlines, np.zeros((size, size), np.float32), shown)
    positions = np.zeros((size, size, 3), np.float32)
    interpolate(screen, triangles, shown, head.mean[skin.point], positions)
    rows, columns = distance_transform_edt(shown < 0, return_distances=False, return_indices=True)
    positions = positions[rows, columns]
    x, y, z = (np.ascontiguousarray(positions[..., axis]) for axis in range(3))
    masks = {name: _cut(picture, size) for name, picture in head.masks.items()}
    return Canvas(size=size, x=x, y=y, z=z, off_middle=abs(x), slopes=_slopes(positions), **masks)


def _cut(picture: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Crop the face from a picture of the whole texture."""
    left, low, right, high = ISLAND
    columns, rows = np.meshgrid(np.linspace(left, right, size), np.linspace(low, high, size))
    scale = picture.shape[0]
    maps = ((columns * scale).astype(np.float32), (rows * scale).astype(np.float32))
    return np.asarray(cv2.remap(np.ascontiguousarray(picture), *maps, cv2.INTER_LINEAR), np.float32)


def _slopes(positions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the pseudo-inverse of the derivative of positions (N, N, 3) by texels, (N, N, 2, 3)."""
    smooth = cv2.GaussianBlur(positions, (0, 0), SMOOTHING * len(positions))
    down, right = np.gradient(smooth, axis=(0, 1))
    jacobian = np.stack([right, down], -2)
    gram = jacobian @ np.swapaxes(jacobian, -1, -2)
    determinant = gram[..., 0, 0] * gram[..., 1, 1] - gram[..., 0, 1] ** 2
    inverse = np.stack(
        [
            np.stack([gram[..., 1, 1], -gram[..., 0, 1]], -1),
            np.stack([-gram[..., 0, 1], gram[..., 0, 0]], -1),
        ],
        -2,
    )
    # Where the texture is squeezed to a line, the gradient is undefined.
    usable = determinant > 1e-4 * np.median(determinant)
    inverse *= (usable / np.where(usable, determinant, 1))[..., None, None]
    return np.asarray(inverse @ jacobian, np.float32)
