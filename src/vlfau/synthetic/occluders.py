"""Hands and objects in front of a face."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vlfau.synthetic.appearance import Colour

__all__ = ["Occluder"]

CENTRES: Final = ((0.5, 0.72), (0.28, 0.6), (0.72, 0.6), (0.5, 0.9), (0.25, 0.35), (0.75, 0.35), (0.1, 0.6), (0.9, 0.6))
"""Possible centres of an occluder, as shares of the picture's width and height."""
LIT: Final = 0.7
"""Exponent that brightens the skin's own colour to its appearance in ordinary light."""
FINE: Final = 16
"""Shapes are drawn with a precision of a sixteenth of a pixel."""


@dataclass(frozen=True, eq=False)
class Occluder:
    """An object in front of a face that moves slightly.

    Attributes:
        outlines: Closed outlines (K, 2), as shares of the picture.
        colours: Colour of each outline, sRGB from 0 to 1.
        shading: (2,) direction of the light.
        drift: (2,) movement during the clip, as shares of the picture.
    """

    outlines: tuple[NDArray[np.float64], ...]
    colours: tuple[Colour, ...]
    shading: tuple[float, float]
    drift: tuple[float, float]

    @classmethod
    def sample(cls, kind: str, skin: Colour, rng: np.random.Generator) -> "Occluder":
        """Sample a hand in the subject's own skin colour, a microphone, or another object."""
        middle = np.array(CENTRES[int(rng.integers(len(CENTRES)))]) + rng.normal(0, 0.04, 2)
        outlines = {"hand": _hand, "microphone": _microphone, "object": _object}[kind](middle, rng)
        base = np.array(skin) ** LIT if kind == "hand" else rng.uniform(0.05, 0.9, 3)
        colours = []
        for _ in outlines:
            red, green, blue = (float(value) for value in np.clip(base * rng.uniform(0.85, 1.08), 0.02, 1))
            colours.append((red, green, blue))
        angle = rng.uniform(0, 2 * np.pi)
        drift = rng.normal(0, 0.03, 2)
        return cls(
            tuple(outlines),
            tuple(colours),
            (float(np.cos(angle)), float(np.sin(angle))),
            (float(drift[0]), float(drift[1])),
        )

    def draw(self, image: NDArray[np.uint8], time: float) -> tuple[NDArray[np.uint8], float]:
        """Return the picture (S, S, 3) with the occluder in front, and the share of the picture that it covers.

        Args:
            image: The picture.
            time: Time within the clip, from 0 to 1.
        """
        size = len(image)
        picture = image.astype(np.float32)
        covered = np.zeros((size, size), np.float32)
        shift = np.array(self.drift) * (time - 0.5)
        rows, columns = np.mgrid[0:size, 0:size].astype(np.float32) / size - 0.5
        light = 1 + 0.35 * (self.shading[0] * columns + self.shading[1] * rows)
        for outline, colour in zip(self.outlines, self.colours, strict=True):
            mask = np.zeros((size, size), np.uint8)
            corners = np.round((outline + shift) * size * FINE).astype(np.int32)
            cv2.fillPoly(mask, [corners], 255, cv2.LINE_AA, 4)
            opacity = mask.astype(np.float32) / 255
            # The edge is darker, as on a round object.
            round_edge = 0.55 + 0.45 * np.clip(cv2.GaussianBlur(opacity, (0, 0), 0.02 * size) * 2 - 1, 0, 1)
            shaded = 255 * np.array(colour, np.float32) * (light * round_edge)[..., None]
            picture += opacity[..., None] * (shaded - picture)
            covered = np.maximum(covered, opacity)
        return np.clip(picture + 0.5, 0, 255).astype(np.uint8), float(covered.mean())


def _object(middle: NDArray[np.float64], rng: np.random.Generator) -> list[NDArray[np.float64]]:
    """Return the outline of an object such as a phone, a cup or a scarf: a rounded box of any proportion."""
    turns = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    power = 2 / rng.uniform(2, 8)
    size = rng.uniform(0.07, 0.22, 2)
    box = np.column_stack([np.sign(part) * abs(part) ** power for part in (np.cos(turns), np.sin(turns))]) * size
    angle = rng.uniform(0, np.pi)
    turned = box @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return [turned + middle]


def _microphone(middle: NDArray[np.float64], rng: np.random.Generator) -> list[NDArray[np.float64]]:
    """Return the outlines of a microphone in front of the mouth: its handle, which comes from below, and its head."""
    radius = rng.uniform(0.05, 0.08)
    head = np.array([0.5 + rng.normal(0, 0.12), rng.uniform(0.76, 0.86)])
    handle = _capsule(head, np.array([head[0] + rng.normal(0, 0.2), 1.1]), 0.6 * radius)
    return [handle, _capsule(head, head + np.array([0, 1e-3]), radius)]


def _hand(middle: NDArray[np.float64], rng: np.random.Generator) -> list[NDArray[np.float64]]:
    """Return the outlines of a palm and four fingers, from back to front."""
    towards = np.arctan2(0.5 - middle[1], 0.5 - middle[0]) + rng.normal(0, 0.5)
    along = np.array([np.cos(towards), np.sin(towards)])
    across = np.array([-along[1], along[0]])
    width = rng.uniform(0.025, 0.035)
    outlines = [_capsule(middle - 0.45 * along, middle - 0.02 * along, 3.6 * width)]
    for number in range(4):
        root = middle + across * (number - 1.5) * 2.0 * width
        length = (0.15, 0.19, 0.18, 0.13)[number] * rng.uniform(0.85, 1.1)
        bend = along + across * rng.normal(0, 0.08)
        outlines.append(_capsule(root - 0.05 * along, root + length * bend, width))
    return outlines


def _capsule(start: NDArray[np.float64], end: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    angle = np.arctan2(end[1] - start[1], end[0] - start[0])
    caps = []
    for centre, first in ((end, angle - np.pi / 2), (start, angle + np.pi / 2)):
        turns = np.linspace(first, first + np.pi, 16)
        caps.append(centre + radius * np.column_stack([np.cos(turns), np.sin(turns)]))
    return np.concatenate(caps)
