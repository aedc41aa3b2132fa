"""The skin's texture: colour, blemishes, make-up, and the painted part of the hair."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vlfau.synthetic.appearance import Appearance, Colour
from vlfau.synthetic.canonical import bell, canvas, ramp
from vlfau.synthetic.facial_hair import paint_beard, paint_eyebrows
from vlfau.synthetic.identity import Identity
from vlfau.synthetic.paint import Grain, Painting, cover_with, tint

__all__ = ["SIZE", "paint_skin"]

SIZE: Final = 1024
SCALP_OPACITY: Final = {"bald": (0.03, 0.25), "buzz": (0.45, 0.85), "receding": (0.7, 0.95)}
"""Range of the opacity of the painted scalp hair, by style; other styles are nearly opaque."""


def paint_skin(identity: Identity, appearance: Appearance, rng: np.random.Generator) -> NDArray[np.float32]:
    """Paint the skin texture of a face.

    Returns:
        (N, N, 4) float32: linear red, green and blue, and the gloss relative to bare skin.
    """
    at, grain = canvas(SIZE), Grain(SIZE, rng)
    picture = np.ones((SIZE, SIZE, 3), np.float32) * np.array(appearance.skin, np.float32)
    skin = Painting(picture, np.ones((SIZE, SIZE), np.float32), at, grain)
    _paint_complexion(skin, identity, rng)
    _paint_spots(skin, rng)
    _paint_make_up(skin, appearance, rng)
    _paint_lips(skin, appearance, rng)
    if identity.gender == "M":
        paint_beard(skin, appearance, rng)
    paint_eyebrows(skin, appearance, identity.gender, rng)
    scalp = _scalp(skin, identity, appearance, rng)
    cover_with(picture, scalp * np.clip(0.9 + 0.1 * grain.draw(2.2), 0, 1), appearance.hair)
    gloss = skin.gloss * (1 - 0.8 * scalp)
    texture = np.empty((SIZE, SIZE, 4), np.float32)
    np.square(np.clip(picture, 0.01, 1), out=texture[..., :3])
    texture[..., 3] = gloss
    return texture


def _paint_complexion(skin: Painting, identity: Identity, rng: np.random.Generator) -> None:
    picture, at, grain = skin.picture, skin.at, skin.grain
    mottle = 0.022 * grain.draw(40.0) + 0.012 * grain.draw(12.0) + 0.016 * grain.draw(2.2)
    tint(picture, mottle, 1.0, 1.0, 1.0)
    flush = 0.9 * bell(at.off_middle - 0.36, 0.15) * bell(at.y - 7.0, 0.16)
    flush += 0.8 * bell(at.x, 0.12) * bell(at.y - 7.02, 0.12)
    flush += 0.4 * bell(at.x, 0.2) * bell(at.y - 6.4, 0.12) + 0.8 * at.ears + 0.18 * grain.draw(25.0)
    paleness = float(np.clip(picture[0, 0].mean() / 0.7, 0.3, 1))
    tint(picture, flush * np.float32(paleness * rng.uniform(0.3, 1.1)), 0.05, -0.07, -0.06)
    rings = bell(at.off_middle - 0.27, 0.12) * bell(at.y - 7.22, 0.05)
    tint(picture, rings * np.float32(rng.uniform(0.03, 0.12) + 0.14 * identity.age), -0.7, -1.0, -0.8)
    tint(picture, at.eyelids * np.float32(rng.uniform(0.05, 0.15)), -1.0, -1.0, -1.0)


def _paint_spots(skin: Painting, rng: np.random.Generator) -> None:
    picture, at = skin.picture, skin.at
    if rng.random() < 0.5:
        freckles = (skin.grain.draw(2.2) > rng.uniform(2.3, 3.2)) * at.face * np.float32(rng.uniform(0.1, 0.3))
        soft = np.asarray(cv2.GaussianBlur(freckles.astype(np.float32), (0, 0), 1.0), np.float32)
        tint(picture, soft, -0.5, -0.8, -1.0)
    for _ in range(int(rng.poisson(1.5))):
        x, y, size = rng.uniform(-0.5, 0.5), rng.uniform(6.4, 7.9), rng.uniform(0.005, 0.010)
        mole = np.exp(-((at.x - x) ** 2 + (at.y - y) ** 2) / (2 * size**2)) * (at.z > 0.6)
        tint(picture, mole.astype(np.float32), -0.6, -0.65, -0.65)


def _paint_make_up(skin: Painting, appearance: Appearance, rng: np.random.Generator) -> None:
    picture, at = skin.picture, skin.at
    if appearance.make_up == "none":
        return
    strength = 0.35 if appearance.make_up == "light" else 1.0
    shadow = bell(at.off_middle - 0.29, 0.12) * bell(at.y - 7.38, 0.035) * ramp(0.9, 1.1, at.z)
    hue = rng.uniform(0.15, 0.5, 3)
    colour: Colour = (float(hue[0]), float(hue[1] * 0.7), float(hue[2]))
    cover_with(picture, shadow * np.float32(0.5 * strength * rng.uniform(0.3, 1.0)), colour)
    blush = bell(at.off_middle - 0.40, 0.12) * bell(at.y - 7.02, 0.10)
    tint(picture, blush * np.float32(strength * rng.uniform(0.3, 1.0)), 0.08, -0.16, -0.12)


def _paint_lips(skin: Painting, appearance: Appearance, rng: np.random.Generator) -> None:
    at = skin.at
    light = float(np.mean(appearance.skin))
    colour = np.array([0.72, 0.36, 0.36]) * (0.35 + 0.75 * light) + [0.05, 0, 0]
    natural = np.array(appearance.skin) * [0.92, 0.72, 0.72]
    colour = colour + (natural - colour) * rng.uniform(0.4, 0.95)
    if appearance.make_up == "strong":
        stick = [rng.uniform(0.45, 0.75), rng.uniform(0.08, 0.28), rng.uniform(0.12, 0.3)]
        colour = np.array(stick) * (0.5 + 0.6 * light)
    opacity = cv2.GaussianBlur(at.lips, (0, 0), 2.0).clip(0, 1) * np.float32(rng.uniform(0.5, 0.9))
    cover_with(skin.picture, opacity, (float(colour[0]), float(colour[1]), float(colour[2])))
    creases = 0.06 * skin.grain.draw(2.2) + 0.05 * np.sin(at.x * 160 + 3 * np.sin(at.y * 40))
    tint(skin.picture, (creases * opacity).astype(np.float32), 1.0, 1.0, 1.0)
    np.add(skin.gloss, opacity * np.float32(rng.uniform(0.0, 1.2)), out=skin.gloss)


def _scalp(skin: Painting, identity: Identity, appearance: Appearance, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the opacity of scalp hair on the skin, (N, N) in [0, 1]."""
    at, grain = skin.at, skin.grain
    hairline = rng.uniform(7.93, 8.08) + 0.05 * identity.age * (identity.gender == "M")
    widow = rng.uniform(-0.05, 0.06) * bell(at.x, 0.12)
    corners = rng.uniform(0.0, 0.10) * bell(at.off_middle - 0.33, 0.10)
    if appearance.hair_style in {"receding", "bald"}:
        hairline += rng.uniform(0.05, 0.15)
        corners = corners + rng.uniform(0.08, 0.2) * bell(at.off_middle - 0.33, 0.12)
    temples = 1.15 * np.clip(at.off_middle - 0.30, 0, 1) ** 1.25 + 0.8 * np.clip(0.75 - at.z, 0, 1)
    line = hairline - widow + corners - temples + 0.014 * grain.draw(5.0) + 0.008 * grain.draw(2.2)
    hair = ramp(-0.02, 0.05, (at.y - line).astype(np.float32))
    hair = np.maximum(hair, ramp(0.35, 0.1, at.z) * ramp(6.75, 6.95, at.y))
    hair *= 1 - np.clip(at.ears * 1.6, 0, 1)
    if appearance.hair_style == "bald":
        hair *= 0.4 + 0.6 * ramp(0.5, 0.2, at.z)
    opacity = rng.uniform(*SCALP_OPACITY.get(appearance.hair_style, (0.97, 1.0)))
    return np.asarray(hair * opacity, np.float32)
