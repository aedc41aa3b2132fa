"""Painting on a texture."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vlfau.synthetic.appearance import Colour
from vlfau.synthetic.canonical import Canvas
from vlfau.synthetic.jit import compiled

__all__ = ["FrontalLayer", "Grain", "Painting", "cover_with", "tint"]

SEED: Final = 20241028


class Grain:
    """Samples smooth noise of unit variance.

    Args:
        size: Side length N of the noise in texels.
        rng: Random generator for the offsets.
    """

    def __init__(self, size: int, rng: np.random.Generator) -> None:
        self._size, self._rng = size, rng

    def draw(self, scale: float) -> NDArray[np.float32]:
        """Return noise (N, N) float32 whose blobs have a standard deviation of `scale` texels."""
        field = _field(self._size, scale)
        down, right = (int(shift) for shift in self._rng.integers(0, self._size, 2))
        flips = self._rng.integers(0, 2, 2)
        return np.roll(field, (down, right), (0, 1))[:: 1 - 2 * int(flips[0]), :: 1 - 2 * int(flips[1])]


@cache
def _field(size: int, scale: float) -> NDArray[np.float32]:
    """Return tiling noise, smoothed in the frequency domain."""
    rng = np.random.default_rng([SEED, int(scale * 100)])
    spectrum = np.fft.rfft2(rng.standard_normal((size, size)))
    rows, columns = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]
    spectrum *= np.exp(-2 * (np.pi * scale) ** 2 * (rows**2 + columns**2))
    field = np.fft.irfft2(spectrum, s=(size, size))
    return np.asarray(field / field.std(), np.float32)


@compiled
def _cover(picture: NDArray[np.float32], opacity: NDArray[np.float32], red: float, green: float, blue: float) -> None:
    """Blend one colour into a picture (N, N, 3) with an opacity (N, N) in [0, 1], in place."""
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            share = opacity[row, column]
            if share > 0:
                picture[row, column, 0] += share * (red - picture[row, column, 0])
                picture[row, column, 1] += share * (green - picture[row, column, 1])
                picture[row, column, 2] += share * (blue - picture[row, column, 2])


@compiled
def tint(picture: NDArray[np.float32], amount: NDArray[np.float32], red: float, green: float, blue: float) -> None:
    """Multiply each channel of a picture (N, N, 3) by 1 + amount * (red, green, blue), in place."""
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            share = amount[row, column]
            if share != 0:
                picture[row, column, 0] *= 1 + share * red
                picture[row, column, 1] *= 1 + share * green
                picture[row, column, 2] *= 1 + share * blue


@dataclass(frozen=True, eq=False)
class Painting:
    """A skin texture that is being painted.

    Attributes:
        picture: (N, N, 3) float32, sRGB from 0 to 1.
        gloss: (N, N) float32, relative to bare skin.
        at: The canvas, with the position of every texel on the head.
        grain: Noise of the same size.
    """

    picture: NDArray[np.float32]
    gloss: NDArray[np.float32]
    at: Canvas
    grain: Grain


class FrontalLayer:
    """A drawing on the plane in front of the face, for hairs and lines.

    Args:
        left: x of the left edge, in decimetres on the mean head.
        low: y of the lower edge.
        right: x of the right edge.
        high: y of the upper edge.
        scale: Pixels per decimetre.
    """

    def __init__(self, left: float, low: float, right: float, high: float, scale: float = 700.0) -> None:
        self._origin = np.array([left, low])
        self._end = np.array([right, high])
        self._scale = scale
        columns, rows = np.ceil((self._end - self._origin) * scale).astype(int)
        self._drawing = np.zeros((rows, columns), np.uint8)

    def strokes(self, starts: NDArray[np.float64], ends: NDArray[np.float64], opacities: NDArray[np.float64]) -> None:
        """Draw hairs from starts (H, 2) to ends (H, 2), each with its opacity (H,) in [0, 1]."""
        scale = self._scale * 16
        first = np.round((starts - self._origin) * scale).astype(np.int32)
        last = np.round((ends - self._origin) * scale).astype(np.int32)
        for start, end, opacity in zip(first.tolist(), last.tolist(), opacities.tolist(), strict=True):
            cv2.line(self._drawing, start, end, round(255 * opacity), 2, cv2.LINE_AA, 4)

    def on_canvas(self, at: Canvas) -> NDArray[np.float32]:
        """Return the drawing projected onto the front of the face, (N, N) float32 in [0, 1]."""
        columns = ((at.x - self._origin[0]) * self._scale).astype(np.float32)
        rows = ((at.y - self._origin[1]) * self._scale).astype(np.float32)
        # The projection would also hit the back of the head, so it is limited to the front half.
        rows[at.z < 0.3] = -1e6
        soft = cv2.GaussianBlur(self._drawing, (0, 0), 0.7)
        fallen = cv2.remap(soft, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
        return np.asarray(fallen / 255, np.float32)


def cover_with(picture: NDArray[np.float32], opacity: NDArray[np.float32], colour: Colour) -> None:
    """Blend a colour into a picture (N, N, 3) with an opacity (N, N) in [0, 1], in place."""
    _cover(picture, np.ascontiguousarray(opacity, np.float32), *colour)
