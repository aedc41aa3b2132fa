"""Lights: a key light with shadows, a fill light without, and ambient light from sky and ground."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

__all__ = ["LIGHTS", "Light", "sample_light"]

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Light:
    """The light on a face.

    Directions point to the light, in the camera's frame (x to the right, y up, z to the camera); colours are linear
    and 1 is bright.

    Attributes:
        name: Kind of light.
        key_direction: Direction of the key light, which casts shadows.
        key: Colour of the key light.
        fill_direction: Direction of the fill light, which casts no shadows.
        fill: Colour of the fill light.
        sky: Colour of the ambient light from above.
        ground: Colour of the ambient light from below.
    """

    name: str = "studio"
    key_direction: Triple = (0.45, 0.55, 0.8)
    key: Triple = (1.15, 1.11, 1.05)
    fill_direction: Triple = (-0.7, 0.15, 0.6)
    fill: Triple = (0.28, 0.30, 0.35)
    sky: Triple = (0.36, 0.37, 0.40)
    ground: Triple = (0.22, 0.20, 0.19)


def sample_light(name: str, rng: np.random.Generator) -> Light:
    """Sample a light of the given kind, a key of `LIGHTS`."""
    return LIGHTS[name](rng)


def _light(
    name: str, rng: np.random.Generator, *, turn: float, height: float, key: float, fill: float, around: float
) -> Light:
    """Return a light whose key comes from `turn` (radians to the right) and `height`."""
    warmth = rng.uniform(-0.10, 0.10)
    warm = np.array([1 + warmth, 1, 1 - warmth])
    cool = 2 - warm
    return Light(
        name=name,
        key_direction=(float(np.sin(turn)), height, float(np.cos(turn)) + 0.15),
        key=_triple(key * warm),
        fill_direction=(float(-0.9 * np.sin(turn)), float(rng.uniform(-0.2, 0.6)), 0.6),
        fill=_triple(fill * cool),
        sky=_triple(around * cool),
        ground=_triple(0.6 * around * warm),
    )


def _triple(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Triple:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def _studio(rng: np.random.Generator) -> Light:
    key, fill, around = rng.uniform(0.6, 1.0), rng.uniform(0.2, 0.5), rng.uniform(0.25, 0.45)
    turn, height = rng.uniform(-0.8, 0.8), rng.uniform(0.2, 0.8)
    return _light("studio", rng, turn=turn, height=height, key=key, fill=fill, around=around)


def _window(rng: np.random.Generator) -> Light:
    turn = rng.choice([-1, 1]) * rng.uniform(0.5, 1.2)
    key, fill, around = rng.uniform(0.7, 1.2), rng.uniform(0.05, 0.25), rng.uniform(0.2, 0.4)
    return _light("window", rng, turn=turn, height=rng.uniform(0.1, 0.5), key=key, fill=fill, around=around)


def _overhead(rng: np.random.Generator) -> Light:
    key, fill, around = rng.uniform(0.6, 1.0), rng.uniform(0.1, 0.3), rng.uniform(0.2, 0.45)
    turn, height = rng.uniform(-0.5, 0.5), rng.uniform(1.2, 2.4)
    return _light("overhead", rng, turn=turn, height=height, key=key, fill=fill, around=around)


def _side(rng: np.random.Generator) -> Light:
    turn = rng.choice([-1, 1]) * rng.uniform(1.2, 1.6)
    key, fill, around = rng.uniform(0.8, 1.3), rng.uniform(0.0, 0.15), rng.uniform(0.12, 0.3)
    return _light("side", rng, turn=turn, height=rng.uniform(-0.1, 0.6), key=key, fill=fill, around=around)


def _sun(rng: np.random.Generator) -> Light:
    turn, height = rng.uniform(-1.4, 1.4), rng.uniform(0.5, 1.6)
    key, fill, around = rng.uniform(1.3, 2.0), rng.uniform(0.05, 0.2), rng.uniform(0.3, 0.55)
    return _light("sun", rng, turn=turn, height=height, key=key, fill=fill, around=around)


def _dim(rng: np.random.Generator) -> Light:
    turn, height = rng.uniform(-1.0, 1.0), rng.uniform(0.0, 1.2)
    key, fill, around = rng.uniform(0.15, 0.4), rng.uniform(0.05, 0.15), rng.uniform(0.1, 0.2)
    return _light("dim", rng, turn=turn, height=height, key=key, fill=fill, around=around)


def _coloured(rng: np.random.Generator) -> Light:
    plain = _window(rng)
    key = np.array(plain.key) * rng.uniform(0.5, 1.4, 3)
    fill = np.array(plain.fill) * rng.uniform(0.4, 1.8, 3)
    return Light(
        "coloured", plain.key_direction, _triple(key), plain.fill_direction, _triple(fill), plain.sky, plain.ground
    )


def _flash(rng: np.random.Generator) -> Light:
    turn, height = rng.uniform(-0.15, 0.15), rng.uniform(0.0, 0.3)
    key, around = rng.uniform(1.1, 1.7), rng.uniform(0.08, 0.2)
    return _light("flash", rng, turn=turn, height=height, key=key, fill=0.0, around=around)


def _footlight(rng: np.random.Generator) -> Light:
    turn, height = rng.uniform(-0.7, 0.7), rng.uniform(-1.1, -0.4)
    key, fill, around = rng.uniform(0.5, 1.0), rng.uniform(0.0, 0.2), rng.uniform(0.15, 0.35)
    return _light("footlight", rng, turn=turn, height=height, key=key, fill=fill, around=around)


LIGHTS: Final[Mapping[str, Callable[[np.random.Generator], Light]]] = MappingProxyType(
    {
        "studio": _studio,
        "window": _window,
        "overhead": _overhead,
        "side": _side,
        "sun": _sun,
        "dim": _dim,
        "coloured": _coloured,
        "flash": _flash,
        "footlight": _footlight,
    }
)
