"""Noise for painting, made once and read at random places."""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Grain"]

SEED: Final = 20241028


class Grain:
    """Draws smooth noise of unit variance.

    Args:
        size: N, the side of the noise in texels.
        rng: Chooses the places.
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
