"""Materials of surfaces; the numbers are indices into the table of colours for shading."""

from typing import Final

import numpy as np

from vlfau.synthetic.jit import compiled
from vlfau.synthetic.rasteriser import noise_2d

__all__ = [
    "BODY",
    "CLOTH",
    "EYE",
    "FABRIC",
    "FRAME",
    "HAIR",
    "LENS",
    "NUM_MATERIALS",
    "SKIN",
    "TEETH",
    "TONGUE",
    "eye_look",
    "fabric_look",
    "hair_look",
    "step",
    "teeth_look",
    "tongue_look",
]

SKIN: Final = 0
BODY: Final = 1
"""Skin outside the face's texture: neck, shoulders and the clothes over them, and the inside of the mouth."""
EYE: Final = 2
TEETH: Final = 3
TONGUE: Final = 4
HAIR: Final = 5
FABRIC: Final = 6
FRAME: Final = 7
LENS: Final = 8
CLOTH: Final = 9
NUM_MATERIALS: Final = 10


Look = tuple[float, float, float, float, float, float, float]
"""Reflectance: red, green, blue, gloss, roughness, openness, and softness (subsurface scattering)."""
Colour = tuple[float, float, float]

IRIS, PUPIL = 0.47, 0.18
"""Radii as angles at the centre of the eye, in radians."""


@compiled
def step(start: float, end: float, value: float) -> float:
    """Return a smooth step from 0 at `start` to 1 at `end`."""
    share = min(1.0, max(0.0, (value - start) / (end - start)))
    return share * share * (3 - 2 * share)


@compiled
def eye_look(right: float, up: float, front: float, iris: Colour) -> Look:
    """Return the look of an eyeball at a position relative to its centre."""
    length = np.sqrt(right * right + up * up + front * front)
    angle = np.arccos(min(1.0, max(-1.0, front / length)))
    white = 1 - step(IRIS + 0.035, IRIS - 0.02, angle)
    fibres = 0.55 + 0.75 * noise_2d(np.arctan2(up, right) * 9 + 50, angle * 14)
    fibres *= (0.6 + 0.6 * step(0.15, 0.40, angle)) * (0.2 + 0.8 * step(IRIS + 0.01, IRIS - 0.09, angle))
    clear = 1 - step(PUPIL + 0.02, PUPIL - 0.015, angle)
    veins = 0.10 * step(0.7, 1.3, angle)
    red = 0.74 * white + (1 - white) * (iris[0] * fibres * clear + 0.004)
    green = (0.70 - veins) * white + (1 - white) * (iris[1] * fibres * clear + 0.004)
    blue = (0.67 - veins) * white + (1 - white) * (iris[2] * fibres * clear + 0.004)
    lid_shade = 0.95 - 0.55 * step(0.015, 0.07, up) - 0.25 * step(0.07, 0.13, abs(right))
    return red, green, blue, 1.2, 0.13, max(0.25, lid_shade), 0.4


@compiled
def teeth_look(x: float, y: float, z: float, white: float) -> Look:
    """Return the look of teeth and gums."""
    share = abs(x) / 0.085
    gap = step(0.86, 1.0, abs(share - np.floor(share) - 0.5) * 2)
    gum = step(6.835, 6.86, y + 0.01 * np.cos(x * 37)) if y > 6.70 else step(6.60, 6.575, y)
    shade = (1 - 0.35 * gap) * white * (1 - gum)
    depth = (0.12 + 0.75 * step(0.95, 1.33, z)) * (1 - 0.75 * step(0.13, 0.21, abs(x)))
    return 0.80 * shade + 0.5 * gum, 0.75 * shade + 0.17 * gum, 0.66 * shade + 0.16 * gum, 0.45, 0.25, depth, 1.0


@compiled
def tongue_look(z: float) -> Look:
    """Return the look of the tongue."""
    return 0.42, 0.13, 0.12, 0.45, 0.25, 0.04 + 0.5 * step(0.85, 1.33, z), 1.0


@compiled
def hair_look(x: float, y: float, z: float, colour: Colour) -> Look:
    """Return the look of hair: strands that run down from the crown."""
    angle = np.arctan2(x, z - 0.4)
    waved = y * 5 + 2 * noise_2d(angle * 9 + 40, y * 2)
    strand = 0.6 * noise_2d(angle * 70 + 300, waved) + 0.4 * noise_2d(angle * 190 + 700, y * 6)
    shade = 0.4 + 1.1 * strand
    return colour[0] * shade, colour[1] * shade, colour[2] * shade, 0.3 * strand, 0.35, 0.5 + 0.5 * strand, 0.1


@compiled
def fabric_look(x: float, y: float, colour: Colour) -> Look:
    """Return the look of woven cloth."""
    shade = 0.88 + 0.24 * noise_2d(x * 150 + 900, y * 110)
    return colour[0] * shade, colour[1] * shade, colour[2] * shade, 0.05, 0.7, 1.0, 0.0
