"""Folds of the skin as height maps with exact gradients, separately for left and right.

Every function below draws one wrinkle of wrinkles.toml on both sides: its height in units of `DEPTH`, negative in
a furrow. Positions are on the mean head, in decimetres. The variants move the lines slightly, so that faces fold
differently.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vlfau.facs import Side
from vlfau.synthetic.canonical import Canvas, bell, canvas, ramp
from vlfau.synthetic.jit import compiled

__all__ = ["NUM_VARIANTS", "SIZE", "Fold", "folds", "press"]

SIZE: Final = 512
NUM_VARIANTS: Final = 4
DEPTH: Final = 0.010
SEAM: Final = 0.03
"""Half the width of the band in the middle of the face in which a side fades out, in decimetres."""
FAINTEST: Final = 1e-3

Map = NDArray[np.float32]


@dataclass(frozen=True)
class Fold:
    """One wrinkle on one side, cropped to its extent.

    Attributes:
        top: First row on the canvas.
        left: First column on the canvas.
        relief: (H, W, 4) float32, gradient of the height along the surface, and height in decimetres.
    """

    top: int
    left: int
    relief: Map


@cache
def folds(variant: int) -> Mapping[tuple[str, Side], Fold]:
    """Return all wrinkles of a variant, by name and side."""
    surface = canvas(SIZE)
    drawn: dict[tuple[str, Side], Fold] = {}
    for name, draw in _DRAWINGS.items():
        height = DEPTH * draw(surface, np.random.default_rng([variant, len(drawn)]))
        for side, sign in ((Side.LEFT, 1), (Side.RIGHT, -1)):
            drawn[name, side] = _fold(surface, height * ramp(-SEAM, SEAM, sign * surface.x))
    return MappingProxyType(drawn)


def _fold(surface: Canvas, height: Map) -> Fold:
    rows, columns = np.nonzero(abs(height) > FAINTEST * DEPTH)
    inside = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    relief = np.concatenate([surface.gradient(height), height[..., None]], -1)[inside]
    return Fold(int(rows.min()), int(columns.min()), np.ascontiguousarray(relief, np.float32))


@compiled
def press(skin: NDArray[np.float32], relief: NDArray[np.float32], top: int, left: int, depth: float) -> None:
    """Add a fold of a given depth to the relief of a skin (N, N, 4), in place."""
    for row in range(relief.shape[0]):
        for column in range(relief.shape[1]):
            for k in range(4):
                skin[top + row, left + column, k] += depth * relief[row, column, k]


def _lines(coordinate: Map, lines: list[tuple[float, float]], width: float) -> Map:
    """Return furrows at the given (value, strength) of a coordinate."""
    furrows: Map = np.zeros_like(coordinate)
    for value, strength in lines:
        furrows -= strength * (bell(coordinate - value, width) - 0.45 * bell(coordinate - value - 2.2 * width, width))
    return furrows


def _front(at: Canvas) -> Map:
    return ramp(0.2, 0.6, at.z)


def _waves(at: Canvas, rng: np.random.Generator) -> Map:
    long, short = rng.uniform(0, 2 * np.pi, 2)
    waves: Map = 0.012 * np.sin(at.x * 15 + long) + 0.006 * np.sin(at.x * 37 + short)
    return waves


def _forehead_lines(rng: np.random.Generator) -> list[tuple[float, float]]:
    count = int(rng.integers(3, 6))
    heights = np.linspace(7.66, 7.92, count) + rng.normal(0, 0.01, count)
    return [(float(height), float(rng.uniform(0.6, 1.0))) for height in heights]


def _forehead_centre(at: Canvas, rng: np.random.Generator) -> Map:
    level = at.y - 0.25 * at.off_middle**2 + _waves(at, rng)
    return 1.1 * _lines(level, _forehead_lines(rng), 0.015) * bell(at.x, 0.2) * _front(at)


def _forehead_side(at: Canvas, rng: np.random.Generator) -> Map:
    level = at.y - 0.12 * at.off_middle**2 + _waves(at, rng)
    span = ramp(0.1, 0.3, at.off_middle) * ramp(0.62, 0.5, at.off_middle)
    return _lines(level, _forehead_lines(rng), 0.015) * span * _front(at)


def _glabella(at: Canvas, rng: np.random.Generator) -> Map:
    across = at.off_middle - rng.uniform(0.045, 0.065) - 0.12 * (at.y - 7.5)
    furrow = bell(across, 0.013) * ramp(7.38, 7.46, at.y) * ramp(7.74, 7.58, at.y)
    ridge = bell(at.x, 0.028) * ramp(7.38, 7.46, at.y) * ramp(7.70, 7.58, at.y)
    middle = rng.uniform(0.1, 0.5) * bell(at.x, 0.01) * ramp(7.40, 7.47, at.y) * ramp(7.68, 7.55, at.y)
    root = bell(at.y - 7.40, 0.012) * bell(at.x, 0.06)
    fold = (-1.3 * furrow + 0.6 * ridge - middle - 0.6 * root) * _front(at)
    return np.asarray(fold, np.float32)


def _crows_feet(at: Canvas, rng: np.random.Generator) -> Map:
    across, up = at.off_middle - 0.43, at.y - 7.33
    radius, angle = np.hypot(across, up), np.arctan2(up, across)
    rays = np.array([0.62, 0.25, -0.12, -0.5]) + rng.normal(0, 0.06, 4)
    furrows = sum(-float(rng.uniform(0.5, 1.0)) * bell((angle - ray) * radius, 0.009) for ray in rays)
    return np.asarray(furrows * ramp(0.015, 0.06, radius) * ramp(0.24, 0.12, radius) * (across > -0.02), np.float32)


def _under_eye(at: Canvas, rng: np.random.Generator) -> Map:
    across = at.off_middle - 0.289
    lid = at.y - (7.255 + 0.35 * across**2 - 0.10 * across)
    furrow = bell(lid + rng.uniform(0.048, 0.062), 0.013) * bell(across, 0.13)
    return 0.8 * bell(lid, 0.014) * bell(across, 0.12) - 0.9 * furrow


def _nose(at: Canvas, rng: np.random.Generator) -> Map:
    slant = at.y + rng.uniform(0.55, 0.85) * at.off_middle
    lines = [(7.25, 0.8), (7.31, 1.1), (7.37, 1.1), (7.43, 0.9)]
    sides = _lines(slant, lines, 0.011) * bell(at.off_middle - 0.07, 0.055)
    root = _lines(at.y, [(7.395, 0.9), (7.355, 0.6)], 0.010) * bell(at.x, 0.065)
    return (1.3 * sides + 1.1 * root) * _front(at)


def _nasolabial(at: Canvas, rng: np.random.Generator) -> Map:
    down = np.clip((7.02 - at.y) / 0.40, 0, 1)
    across = at.off_middle - (0.185 + rng.uniform(0.18, 0.22) * down - 0.05 * down * down)
    profile = 0.8 * bell(across - 0.05, 0.03) - 1.4 * bell(across, 0.014)
    fold = profile * ramp(6.58, 6.68, at.y) * ramp(7.06, 6.99, at.y) * ramp(0.6, 0.8, at.z)
    return np.asarray(fold, np.float32)


def _dimple(at: Canvas, rng: np.random.Generator) -> Map:
    up = at.y - 6.69
    hollow = bell(at.off_middle - rng.uniform(0.28, 0.30) - 4.2 * up**2, 0.013) * bell(up, 0.05)
    swelling = bell(at.off_middle - 0.33, 0.022) * bell(up, 0.06)
    return (0.8 * swelling - 1.8 * hollow) * ramp(0.6, 0.8, at.z)


def _chin(at: Canvas, rng: np.random.Generator) -> Map:
    grain = cv2.GaussianBlur(rng.standard_normal(at.x.shape).astype(np.float32), (0, 0), at.size / 320)
    pits = grain / grain.std() * bell(at.x, 0.12) * bell(at.y - 6.42, 0.075)
    furrow = bell(at.y - 6.535 + 0.25 * at.x**2, 0.014) * bell(at.x, 0.15)
    return np.asarray((0.55 * pits - 1.1 * furrow) * ramp(0.9, 1.1, at.z), np.float32)


def _mouth_corner(at: Canvas, rng: np.random.Generator) -> Map:
    across = at.off_middle - 0.235 - rng.uniform(0.40, 0.50) * (6.66 - at.y)
    profile = 0.6 * bell(across - 0.035, 0.02) - 1.3 * bell(across, 0.012)
    return profile * ramp(6.48, 6.55, at.y) * ramp(6.69, 6.64, at.y) * ramp(0.9, 1.1, at.z)


def _lip_lines(at: Canvas, rng: np.random.Generator) -> Map:
    wave = np.sin(at.x * rng.uniform(85, 105) + 1.5 * np.sin(at.y * 30))
    around = bell(at.y - 6.68, 0.10) * bell(at.x, 0.18) * ramp(1.1, 1.3, at.z)
    rim = bell(abs(at.y - 6.68) - 0.095, 0.016) * bell(at.x, 0.16)
    return np.asarray((0.7 * wave * (1 - 0.4 * at.lips) - 0.9 * rim) * around, np.float32)


def _cheek_lines(at: Canvas, rng: np.random.Generator) -> Map:
    bend = 0.5 * (6.68 - at.y) ** 2
    lines = [(float(rng.uniform(0.32, 0.34)), 1.0), (float(rng.uniform(0.39, 0.41)), 0.8)]
    return _lines(at.off_middle - bend, lines, 0.012) * bell(at.y - 6.62, 0.10) * ramp(0.6, 0.8, at.z)


_DRAWINGS: Final[Mapping[str, Callable[[Canvas, np.random.Generator], Map]]] = MappingProxyType(
    {
        "forehead_centre": _forehead_centre,
        "forehead_side": _forehead_side,
        "glabella": _glabella,
        "crows_feet": _crows_feet,
        "under_eye": _under_eye,
        "nose": _nose,
        "nasolabial": _nasolabial,
        "dimple": _dimple,
        "chin": _chin,
        "mouth_corner": _mouth_corner,
        "lip_lines": _lip_lines,
        "cheek_lines": _cheek_lines,
    }
)
