"""Eyebrows, beards and moustaches, painted hair by hair."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vlfau.synthetic.appearance import Appearance, Colour
from vlfau.synthetic.canonical import Canvas, bell, ramp
from vlfau.synthetic.paint import FrontalLayer, Painting, cover_with

__all__ = ["paint_beard", "paint_eyebrows"]


@dataclass(frozen=True)
class _Eyebrow:
    """The shape of an eyebrow, in decimetres on the mean head.

    Attributes:
        inner: Distance of the inner end from the middle.
        outer: Distance of the outer end from the middle.
        height: Height of the inner end.
        arch: Rise above a straight line.
        drop: Fall of the outer end.
        thickness: Half the width at the inner end.
        taper: Share of the width lost towards the outer end.
        hairs: Number of hairs per decimetre.
        darkness: Opacity of a hair, 0 to 1.
        softness: Opacity of the shade between the hairs, 0 to 1.
    """

    inner: float
    outer: float
    height: float
    arch: float
    drop: float
    thickness: float
    taper: float
    hairs: float
    darkness: float
    softness: float

    @classmethod
    def sample(cls, gender: str, made_up: bool, rng: np.random.Generator) -> "_Eyebrow":
        """Sample a shape: women's eyebrows are thinner and more arched on average, and made-up ones more even."""
        man = gender == "M"
        sparse = rng.random() < 0.15
        return cls(
            inner=float(rng.uniform(0.06, 0.125) if man else rng.uniform(0.085, 0.135)),
            outer=float(rng.uniform(0.44, 0.53)),
            height=float(rng.uniform(7.505, 7.55)),
            arch=float(rng.uniform(0.005, 0.05) if man else rng.uniform(0.02, 0.075)),
            drop=float(rng.uniform(0.0, 0.06)),
            thickness=float(rng.uniform(0.026, 0.050) if man else rng.uniform(0.014, 0.036)),
            taper=float(rng.uniform(0.35, 0.85)),
            hairs=float(rng.uniform(150, 260) if sparse else rng.uniform(300, 650)),
            darkness=float(rng.uniform(0.35, 0.6) if sparse else rng.uniform(0.5, 0.95)),
            softness=float(rng.uniform(0.3, 0.6) if made_up else rng.uniform(0.1, 0.45)),
        )

    def middle(self, along: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the height of the middle line at shares (H,) of the length."""
        rise = self.arch * np.sin(np.clip(along, 0, 1) * 2.3)
        fall = self.drop * np.clip((along - 0.6) / 0.4, 0, None) ** 1.5
        return np.asarray(self.height + rise - fall)

    def half_width(self, along: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return half the width at shares (H,) of the length."""
        blunt = np.clip(along / 0.12, 0.55, 1)
        return np.asarray(self.thickness * blunt * (1 - self.taper * np.clip((along - 0.3) / 0.7, 0, 1)))


def paint_eyebrows(skin: Painting, appearance: Appearance, gender: str, rng: np.random.Generator) -> None:
    """Paint both eyebrows, in place; their hairs are not glossy."""
    made_up = appearance.make_up != "none"
    form = _Eyebrow.sample(gender, made_up, rng)
    colour = _brow_colour(appearance, rng)
    layer = FrontalLayer(-0.62, 7.36, 0.62, 7.74)
    shade = FrontalLayer(-0.62, 7.36, 0.62, 7.74, scale=350.0)
    for sign in (-1, 1):
        own = _varied(form, rng)
        _draw_brow_hairs(layer, own, sign, rng)
        _draw_shade(shade, own, sign)
    soft = np.asarray(cv2.GaussianBlur(shade.on_canvas(skin.at), (0, 0), 0.004 * skin.at.size), np.float32)
    np.multiply(skin.gloss, 1 - 0.8 * soft, out=skin.gloss)
    cover_with(skin.picture, form.softness * soft, colour)
    cover_with(skin.picture, layer.on_canvas(skin.at), colour)


def _brow_colour(appearance: Appearance, rng: np.random.Generator) -> Colour:
    """Return a colour slightly darker than the hair, and never as light as the skin."""
    hair, skin = np.array(appearance.hair), np.array(appearance.skin)
    colour = hair * rng.uniform(0.65, 1.0)
    if colour.mean() > 0.55 * skin.mean():
        colour *= 0.55 * skin.mean() / colour.mean()
    red, green, blue = (float(value) for value in colour)
    return red, green, blue


def _varied(form: _Eyebrow, rng: np.random.Generator) -> _Eyebrow:
    """Return the shape on one side: the two eyebrows of a face differ slightly."""
    names = ("inner", "outer", "height", "arch", "drop", "thickness")
    changes = dict(zip(names, rng.normal(0, [0.004, 0.008, 0.003, 0.004, 0.004, 0.0015]), strict=True))
    kept = {name: getattr(form, name) for name in _Eyebrow.__dataclass_fields__}
    return _Eyebrow(**{name: kept[name] + float(changes.get(name, 0.0)) for name in kept})


def _draw_brow_hairs(layer: FrontalLayer, form: _Eyebrow, sign: int, rng: np.random.Generator) -> None:
    count = int(form.hairs * (form.outer - form.inner) * (0.5 + form.thickness / 0.05))
    along = rng.uniform(0, 1.0, count)
    across = np.clip(rng.normal(0, 0.5, count), -1.1, 1.1)
    x = form.inner + along * (form.outer - form.inner)
    y = form.middle(along) + across * form.half_width(along)
    # Hairs stand up at the inner end. At the outer end they lie along the brow, and upper ones point downwards.
    slope = np.gradient(form.middle(np.linspace(0, 1, 32)), 1 / 31)[(along * 31).astype(int)]
    slope = slope / (form.outer - form.inner)
    lean = np.arctan(slope) + 1.25 * np.exp(-along / 0.18) - 0.35 * across + rng.normal(0, 0.18, count)
    length = rng.uniform(0.035, 0.065, count) * (0.6 + form.thickness / 0.05)
    starts = np.column_stack([sign * x, y])
    ends = starts + length[:, None] * np.column_stack([sign * np.cos(lean), np.sin(lean)])
    layer.strokes(starts, ends, form.darkness * rng.uniform(0.55, 1.0, count))


def _draw_shade(layer: FrontalLayer, form: _Eyebrow, sign: int) -> None:
    along = np.linspace(0, 1, 60)
    x = sign * (form.inner + along * (form.outer - form.inner))
    for across in np.linspace(-0.7, 0.7, 5):
        points = np.column_stack([x, form.middle(along) + across * form.half_width(along)])
        layer.strokes(points[:-1], points[1:], np.full(59, 0.9))


SHADOW: Final = {
    "none": (0.0, 0.10),
    "stubble": (0.15, 0.40),
    "moustache": (0.0, 0.2),
    "goatee": (0.0, 0.2),
    "full": (0.2, 0.4),
}
"""Range of the opacity of shaven hair over the whole beard area, by kind."""
FULLNESS: Final = (0.65, 0.95)
RAGGEDNESS: Final = 0.25


def paint_beard(skin: Painting, appearance: Appearance, rng: np.random.Generator) -> None:
    """Paint a man's beard, in place."""
    picture, at, grain = skin.picture, skin.at, skin.grain
    off_lips = 1 - np.clip(at.lips * 1.3, 0, 1)
    fleck = 0.72 + 0.22 * np.clip(grain.draw(1.2), -1.5, 1.6) + 0.06 * grain.draw(12.0)
    whole = np.clip(_cheeks(at) + _moustache(at) + _chin(at), 0, 1) * off_lips
    cover_with(picture, whole * np.clip(fleck * rng.uniform(*SHADOW[appearance.beard]), 0, 0.9), appearance.hair)
    grown = {"moustache": _moustache(at), "goatee": np.maximum(_moustache(at), _chin(at)), "full": whole}
    if appearance.beard in grown:
        thick = 0.8 + 0.15 * np.clip(grain.draw(2.2), -2, 2)
        ragged = np.clip(1.7 * grown[appearance.beard] - 0.45 + RAGGEDNESS * grain.draw(5.0), 0, 1)
        opacity = np.clip(ragged * off_lips * thick, 0, 1) * rng.uniform(*FULLNESS)
        cover_with(picture, opacity, appearance.hair)
        layer = FrontalLayer(-0.62, 6.15, 0.62, 7.05)
        _draw_beard_hairs(layer, rng)
        cover_with(picture, layer.on_canvas(at) * (grown[appearance.beard] * off_lips > 0.5), _lighter(appearance))


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


def _draw_beard_hairs(layer: FrontalLayer, rng: np.random.Generator) -> None:
    count = 2600
    starts = np.column_stack([rng.uniform(-0.6, 0.6, count), rng.uniform(6.2, 7.0, count)])
    lean = -np.pi / 2 + 1.2 * starts[:, 0] + rng.normal(0, 0.35, count)
    ends = starts + rng.uniform(0.03, 0.08, count)[:, None] * np.column_stack([np.cos(lean), np.sin(lean)])
    layer.strokes(starts, ends, rng.uniform(0.1, 0.5, count))


def _lighter(appearance: Appearance) -> tuple[float, float, float]:
    red, green, blue = (min(0.95, 1.6 * value + 0.04) for value in appearance.hair)
    return red, green, blue
