"""Beards and moustaches."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.synthetic.appearance import Appearance
from vlfau.synthetic.canonical import Canvas, bell, ramp
from vlfau.synthetic.paint import FrontalLayer, Painting, cover_with

__all__ = ["paint_beard"]

SHADOW: Final = {
    "none": (0.0, 0.10),
    "stubble": (0.15, 0.40),
    "moustache": (0.0, 0.2),
    "goatee": (0.0, 0.2),
    "full": (0.2, 0.4),
}
"""The range of opacity of shaven hair over the whole beard, by kind."""
FULLNESS: Final = (0.65, 0.95)
RAGGEDNESS: Final = 0.25


def paint_beard(skin: Painting, looks: Appearance, rng: np.random.Generator) -> None:
    """Paint a man's beard, in place."""
    picture, at, grain = skin.picture, skin.at, skin.grain
    off_lips = 1 - np.clip(at.lips * 1.3, 0, 1)
    fleck = 0.72 + 0.22 * np.clip(grain.draw(1.2), -1.5, 1.6) + 0.06 * grain.draw(12.0)
    whole = np.clip(_cheeks(at) + _moustache(at) + _chin(at), 0, 1) * off_lips
    cover_with(picture, whole * np.clip(fleck * rng.uniform(*SHADOW[looks.beard]), 0, 0.9), looks.hair)
    grown = {"moustache": _moustache(at), "goatee": np.maximum(_moustache(at), _chin(at)), "full": whole}
    if looks.beard in grown:
        thick = 0.8 + 0.15 * np.clip(grain.draw(2.2), -2, 2)
        ragged = np.clip(1.7 * grown[looks.beard] - 0.45 + RAGGEDNESS * grain.draw(5.0), 0, 1)
        opacity = np.clip(ragged * off_lips * thick, 0, 1) * rng.uniform(*FULLNESS)
        cover_with(picture, opacity, looks.hair)
        layer = FrontalLayer(-0.62, 6.15, 0.62, 7.05)
        _draw_hairs(layer, rng)
        cover_with(picture, layer.on_canvas(at) * (grown[looks.beard] * off_lips > 0.5), _lighter(looks))


def _cheeks(at: Canvas) -> NDArray[np.float32]:
    area = ramp(6.95, 6.6, at.y - 0.35 * (at.off_middle - 0.3)) * ramp(6.1, 6.3, at.y) * ramp(0.2, 0.45, at.z)
    bare = bell(at.x, 0.33) * ramp(0.14, 0.28, at.off_middle) * bell(at.y - 6.82, 0.10)
    return np.asarray(area * (1 - 0.9 * bare), np.float32)


def _moustache(at: Canvas) -> NDArray[np.float32]:
    lip = at.y + 0.25 * at.off_middle
    return ramp(0.27, 0.20, at.off_middle) * ramp(6.78, 6.81, lip) * ramp(6.95, 6.89, lip) * ramp(1.1, 1.25, at.z)


def _chin(at: Canvas) -> NDArray[np.float32]:
    beside = ramp(0.19, 0.25, at.off_middle) * ramp(0.34, 0.26, at.off_middle) * ramp(6.92, 6.78, at.y)
    below = ramp(0.34, 0.22, at.off_middle) * ramp(6.60, 6.50, at.y)
    area = np.maximum(beside * ramp(6.4, 6.5, at.y), below) * ramp(6.1, 6.25, at.y) * ramp(0.9, 1.1, at.z)
    return np.asarray(area, np.float32)


def _draw_hairs(layer: FrontalLayer, rng: np.random.Generator) -> None:
    count = 2600
    starts = np.column_stack([rng.uniform(-0.6, 0.6, count), rng.uniform(6.2, 7.0, count)])
    lean = -np.pi / 2 + 1.2 * starts[:, 0] + rng.normal(0, 0.35, count)
    ends = starts + rng.uniform(0.03, 0.08, count)[:, None] * np.column_stack([np.cos(lean), np.sin(lean)])
    layer.strokes(starts, ends, rng.uniform(0.1, 0.5, count))


def _lighter(looks: Appearance) -> tuple[float, float, float]:
    red, green, blue = (min(0.95, 1.6 * value + 0.04) for value in looks.hair)
    return red, green, blue
