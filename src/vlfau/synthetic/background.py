"""Backgrounds behind the head."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["BACKGROUNDS", "plain_background", "sample_background"]

SIZE: Final = 64

Picture = NDArray[np.float32]


def plain_background(grey: float = 150) -> Picture:
    """Return an even background, (64, 64, 3) float32, sRGB from 0 to 255."""
    return np.full((SIZE, SIZE, 3), grey, np.float32)


def sample_background(name: str, rng: np.random.Generator) -> Picture:
    """Sample a background of the given kind, (64, 64, 3) float32, sRGB from 0 to 255."""
    return np.clip(BACKGROUNDS[name](rng), 0, 255).astype(np.float32)


def _plain(rng: np.random.Generator) -> Picture:
    colour = rng.uniform(30, 225) + rng.normal(0, rng.choice([3, 25]), 3)
    return plain_background(1.0) * np.clip(colour, 10, 245).astype(np.float32)


def _gradient(rng: np.random.Generator) -> Picture:
    slope = np.linspace(-1, 1, SIZE, dtype=np.float32) * np.float32(rng.uniform(20, 50) * rng.choice([-1, 1]))
    picture = _plain(rng) + slope[:, None, None]
    return picture if rng.random() < 0.5 else picture.transpose(1, 0, 2)


def _blurred(rng: np.random.Generator) -> Picture:
    grain = rng.standard_normal((SIZE, SIZE, 3)).astype(np.float32)
    noise = np.asarray(cv2.GaussianBlur(grain, (0, 0), rng.uniform(2, 10)), np.float32)
    noise /= noise.std()
    shared = noise.mean(2, keepdims=True)
    return np.asarray(_plain(rng) + (1.5 * shared + 0.15 * noise) * rng.uniform(8, 40), np.float32)


def _shapes(rng: np.random.Generator) -> Picture:
    picture = np.ascontiguousarray(_blurred(rng))
    for _ in range(int(rng.integers(2, 8))):
        start = rng.integers(-10, SIZE, 2)
        end = start + rng.integers(5, 40, 2)
        colour = rng.uniform(20, 230) + rng.normal(0, 25, 3)
        cv2.rectangle(picture, start.tolist(), end.tolist(), colour.tolist(), -1)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.6, 3)), np.float32)


def _stripes(rng: np.random.Generator) -> Picture:
    """A wall of boards, shelves or blinds."""
    wave = np.sin(np.arange(SIZE) * rng.uniform(0.15, 0.9) + rng.uniform(0, 6)) * rng.uniform(2, 8)
    boards = np.clip(wave, -1, 1).astype(np.float32)[:, None, None] * np.float32(rng.uniform(10, 45))
    picture = np.asarray(_plain(rng) + boards, np.float32)
    return picture if rng.random() < 0.5 else picture.transpose(1, 0, 2)


BACKGROUNDS: Final[Mapping[str, Callable[[np.random.Generator], Picture]]] = MappingProxyType(
    {"plain": _plain, "gradient": _gradient, "blurred": _blurred, "shapes": _shapes, "stripes": _stripes}
)
