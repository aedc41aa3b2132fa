"""Photometric variations: changes of a face's colours, texture and detail."""

from functools import cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Face", "add_noise", "lose_colour", "lose_detail", "restyle", "retone"]

Face = NDArray[np.uint8]
"""(S, S, 3), RGB."""

KERNEL_SIDES = (1, 3, 5)
MIN_KEPT = 0.4
"""Share of the original face in a restyled one."""
NOISE_VALUES = 2**20
"""Number of normal values, drawn once: enough that two faces hardly ever get the same ones."""


def lose_colour(face: Face) -> Face:
    """Return a face in grey, with three equal channels."""
    return cast("Face", cv2.cvtColor(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB))


def retone(face: Face, *, gamma: float, gains: NDArray[np.float64], contrast: float) -> Face:
    """Change a face's tones.

    Args:
        face: The face.
        gamma: The exponent of the tones, from 0 to 1.
        gains: (3,), by which the colours are multiplied in the end.
        contrast: By which the distance from the tone of the mean level is multiplied before.
    """
    tones = np.linspace(0, 1, 256) ** gamma
    middle = tones[round(face.mean())]
    curves = 255 * gains * (middle + contrast * (tones[:, None] - middle))  # (256, 3)
    return cast("Face", cv2.LUT(face, curves.round().clip(0, 255).astype(np.uint8)[None]))


def restyle(face: Face, rng: np.random.Generator) -> Face:
    """Mix a face with a random mixture of its colours, each convolved with a random kernel.

    What is learned depends less on how faces are drawn: textures and colours change, shapes stay (Xu et al., "Robust
    and Generalizable Visual Representation Learning via Random Convolutions", ICLR 2021; there, all nine pairs of
    colours have a kernel of their own).
    """
    side, kept = int(rng.choice(KERNEL_SIDES)), rng.uniform(MIN_KEPT, 1)
    colours, kernels = rng.standard_normal((3, 3)), rng.standard_normal((3, side, side))
    pixels = face.astype(np.float32)
    mean, std = pixels.mean(), max(1.0, pixels.std())
    own = (pixels - mean) / std
    mixture = cv2.split(cv2.transform(own, colours / 3**0.5))
    pairs = zip(mixture, kernels, strict=True)
    other = cv2.merge([cv2.filter2D(colour, -1, kernel / np.linalg.norm(kernel)) for colour, kernel in pairs])
    mixed = kept * own + (1 - kept) * other
    restyled: Face = (mean + std * mixed / max(0.1, mixed.std())).round().clip(0, 255).astype(np.uint8)
    return restyled


def lose_detail(face: Face, share: float, *, quality: int | None = None) -> Face:
    """Shrink a face, compress it, and enlarge it again.

    Args:
        face: The face.
        share: Share of its side that is left in between; 1 keeps the size.
        quality: JPEG quality, 1 to 100; None leaves compression out.
    """
    size = len(face)
    small = max(1, round(share * size))
    if small < size:
        face = cast("Face", cv2.resize(face, (small, small), interpolation=cv2.INTER_AREA))
    if quality is not None:
        _, data = cv2.imencode(".jpg", face[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        face = cast("Face", cv2.imdecode(data, cv2.IMREAD_COLOR_RGB))
    return cast("Face", cv2.resize(face, (size, size), interpolation=cv2.INTER_LINEAR)) if small < size else face


def add_noise(face: Face, rng: np.random.Generator, std: float) -> Face:
    """Add normal noise of a standard deviation, in levels, cut from a long stretch that is drawn once."""
    start = rng.integers(0, NOISE_VALUES)
    places = np.arange(start, start + face.size)
    noise = np.float32(std) * _noise().take(places, mode="wrap").reshape(face.shape)
    return cast("Face", cv2.add(np.ascontiguousarray(face), noise, dtype=cv2.CV_8U))


@cache
def _noise() -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal(NOISE_VALUES, dtype=np.float32)
