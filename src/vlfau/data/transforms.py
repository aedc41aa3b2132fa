"""Crops and random variations of aligned faces on their way into the network."""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vlfau.data.photometric import Face, add_noise, lose_colour, lose_detail, restyle, retone
from vlfau.errors import ConfigError

__all__ = ["Augmentation", "AugmentationConfig", "Crop", "Matrix", "centre_crop"]

Matrix = NDArray[np.float64]
"""(2, 3), from a place in an aligned face, in pixels from the middle of the upper left one, to the same in the crop."""

QUALITIES = (15, 90)
"""Range of JPEG quality; the upper end is excluded."""
TIGHT_MARGINS = (0.17, 0.17, 0.17, 0.2)
"""Most that a tight picture cuts off a crop at the left, right, top and bottom, as shares of the crop's side."""
TIGHT_TILT = 15
"""Largest rotation of a tight picture against its face, in degrees."""


class Crop(NamedTuple):
    """A crop of an aligned face.

    Attributes:
        face: (S, S, 3) uint8 RGB.
        matrix: (2, 3), from the aligned face to the crop, in pixels.
    """

    face: Face
    matrix: Matrix


@dataclass(frozen=True)
class AugmentationConfig:
    """Random variations of training faces; the defaults are the paper's (section 4.1).

    Attributes:
        flip: Probability of a horizontal flip; it swaps left and right in labels and words.
        cutout: Probability of one square hole (DeVries and Taylor, 2017).
        cutout_side: Side of the hole as a share of the crop's.
        grey: Probability of losing the colour.
        light: Largest relative change of brightness and contrast; 0 is off.
        tone: Largest power of two of a gamma curve's exponent, and four times that of each colour's gain; 0 is off.
        restyle: Probability of a random convolution, which changes colours and textures and leaves shapes.
        blur: Probability of a loss of detail: the face is shrunk to between a fifth and all of its size and
            enlarged again, as faces far from the camera are.
        compression: Probability of JPEG compression, at the size that `blur` leaves.
        noise: Largest standard deviation of camera noise, of 255 levels; 0 is off.
        tilt: Largest rotation in degrees and, divided by 100, largest relative change of scale; 0 is off.
        stretch: Largest relative change of the width alone; 0 is off.
        tight: Probability that the picture ends near the face, with black beyond, as tightly cropped pictures do.
        paraphrases: Whether descriptions are drawn among their paraphrases; off takes the canonical ones.
    """

    flip: float = 0.5
    cutout: float = 0.5
    cutout_side: float = 0.25
    grey: float = 0.0
    light: float = 0.0
    tone: float = 0.0
    restyle: float = 0.0
    blur: float = 0.0
    compression: float = 0.0
    noise: float = 0.0
    tilt: float = 0.0
    stretch: float = 0.0
    tight: float = 0.0
    paraphrases: bool = True

    def __post_init__(self) -> None:
        for name in ("flip", "cutout", "cutout_side", "grey", "light", "restyle", "blur", "compression", "tight"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"augmentation.{name} is a share from 0 to 1, not {getattr(self, name)}")
        for name, below in (("tone", 4), ("noise", 256), ("tilt", 90), ("stretch", 1)):
            if not 0 <= getattr(self, name) < below:
                raise ConfigError(f"augmentation.{name} lies between 0 and {below}, not at {getattr(self, name)}")


class Augmentation:
    """Random variants of an aligned face, drawn from the generator that each call gives."""

    def __init__(self, config: AugmentationConfig, *, crop_size: int) -> None:
        self.config, self.crop_size = config, crop_size

    def flips(self, rng: np.random.Generator) -> bool:
        """Draw whether the next face is mirrored, so that the labels can be too."""
        return bool(rng.random() < self.config.flip)

    def __call__(self, face: Face, rng: np.random.Generator, *, flip: bool) -> Crop:
        """Crop and vary one face.

        Args:
            face: (A, A, 3), RGB, A at least `crop_size`.
            rng: The random numbers.
            flip: Whether to mirror the face.

        Returns:
            The crop, (crop_size, crop_size, 3), and its matrix.
        """
        config = self.config
        face, matrix = self._frame(face, rng, flip=flip)
        face = self._recolour(face, rng)
        share = rng.uniform(0.2, 1.0) if rng.random() < config.blur else 1.0
        compressed = config.compression and rng.random() < config.compression
        face = lose_detail(face, share, quality=int(rng.integers(*QUALITIES)) if compressed else None)
        if config.noise:
            face = add_noise(face, rng, rng.uniform(0, config.noise))
        if rng.random() < config.cutout:
            face = self._cut_out(face, rng)
        if config.tight and rng.random() < config.tight:
            face = _end_picture(face, rng)
        return Crop(face, matrix)

    def _frame(self, face: Face, rng: np.random.Generator, *, flip: bool) -> Crop:
        """Turn, stretch, crop and mirror."""
        config, size = self.config, self.crop_size
        matrix: Matrix = np.eye(2, 3)
        if config.tilt:
            angle = rng.uniform(-config.tilt, config.tilt)
            scale = 1 + rng.uniform(-config.tilt, config.tilt) / 100
            matrix = np.asarray(scale * cv2.getRotationMatrix2D((0, 0), -angle, 1), np.float64)  # clockwise
        if config.stretch:
            matrix[0] *= 1 + rng.uniform(-config.stretch, config.stretch)
        centre = (len(face) - 1) / 2
        matrix[:, 2] = centre - matrix[:, :2].sum(1) * centre
        room = len(face) - size
        top, left = rng.integers(0, room + 1, size=2)
        matrix[:, 2] -= left, top
        if flip:
            matrix[0] *= -1
            matrix[0, 2] += size - 1
        if config.tilt or config.stretch:
            return Crop(cv2.warpAffine(face, matrix, (size, size)).astype(np.uint8, copy=False), matrix)
        face = face[top : top + size, left : left + size]
        return Crop(face[:, ::-1] if flip else face, matrix)

    def _recolour(self, face: Face, rng: np.random.Generator) -> Face:
        config = self.config
        if rng.random() < config.grey:
            face = lose_colour(face)
        if config.light or config.tone:
            brightness, contrast = rng.uniform(1 - config.light, 1 + config.light, size=2)
            gamma = 2 ** rng.uniform(-config.tone, config.tone)
            gains = 2 ** rng.uniform(-config.tone / 4, config.tone / 4, size=3)
            face = retone(face, gamma=gamma, gains=brightness * gains, contrast=contrast)
        if config.restyle and rng.random() < config.restyle:
            face = restyle(face, rng)
        return face

    def _cut_out(self, face: Face, rng: np.random.Generator) -> Face:
        side = round(self.config.cutout_side * self.crop_size)
        top, left = rng.integers(0, self.crop_size - side + 1, size=2)
        cut = face.copy()
        cut[top : top + side, left : left + side] = 0
        return cut


def _end_picture(face: Face, rng: np.random.Generator) -> Face:
    """Blacken everything outside a tilted rectangle, as alignment does where a picture ends."""
    left, right, top, bottom = rng.uniform(0, TIGHT_MARGINS) * len(face)
    angle = np.deg2rad(rng.uniform(-TIGHT_TILT, TIGHT_TILT))
    place = np.arange(len(face)) - (len(face) - 1) / 2
    across = place * np.cos(angle) + place[:, None] * np.sin(angle)  # (S, S)
    down = place[:, None] * np.cos(angle) - place * np.sin(angle)
    half = len(face) / 2
    inside = (across > left - half) & (across < half - right) & (down > top - half) & (down < half - bottom)
    return np.where(inside[..., None], face, np.uint8(0))


def centre_crop(face: Face, crop_size: int) -> Crop:
    """Return the middle (crop_size, crop_size, 3) of a face (A, A, 3), and the matrix as `Augmentation` does."""
    start = (len(face) - crop_size) // 2
    matrix = np.array([[1.0, 0.0, -start], [0.0, 1.0, -start]])
    return Crop(face[start : start + crop_size, start : start + crop_size], matrix)
