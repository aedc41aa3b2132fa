"""What happens to an aligned face on its way into the network."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.transforms import v2

__all__ = ["Augmentation", "AugmentationConfig", "centre_crop"]


TIGHT_MARGINS = (0.17, 0.17, 0.17, 0.2)
"""The most that a tight picture lacks of a crop, left, right, above and below, as shares of the crop's side."""
TIGHT_TILT = 15
"""How far a tight picture may be turned against its face, in degrees."""


@dataclass(frozen=True)
class AugmentationConfig:
    """How training faces are varied; the defaults are the paper's (section 4.1).

    Attributes:
        flip: Probability of a horizontal flip; it swaps left and right in labels and words.
        cutout: Probability of one square hole (DeVries and Taylor, 2017).
        cutout_side: Side of the hole as a share of the crop's.
        grey: Probability of losing the colour.
        light: Largest relative change of brightness and contrast; 0 is off.
        blur: Probability of a loss of detail: the face is shrunk to between a fifth and all of its size and
            enlarged again, as faces far from the camera are.
        noise: Largest standard deviation of camera noise, of 255 levels; 0 is off.
        tilt: Largest rotation in degrees and, divided by 100, largest relative change of scale; 0 is off.
        tight: Probability that the picture ends near the face, with black beyond, as tightly cropped pictures do.
        paraphrases: Whether descriptions are drawn among their paraphrases; off takes the canonical ones.
    """

    flip: float = 0.5
    cutout: float = 0.5
    cutout_side: float = 0.25
    grey: float = 0.0
    light: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    tilt: float = 0.0
    tight: float = 0.0
    paraphrases: bool = True


class Augmentation:
    """Random variants of an aligned face, drawn from the generator that each call gives."""

    def __init__(self, config: AugmentationConfig, *, crop_size: int) -> None:
        self.config, self.crop_size = config, crop_size

    def flips(self, rng: np.random.Generator) -> bool:
        """Draw whether the next face is mirrored, so that the labels can be too."""
        return bool(rng.random() < self.config.flip)

    def __call__(self, face: Tensor, rng: np.random.Generator, *, flip: bool) -> tuple[Tensor, Tensor]:
        """Crop and vary one face.

        Args:
            face: (3, A, A) uint8, RGB, A at least `crop_size`.
            rng: Where the randomness comes from.
            flip: Whether to mirror the face.

        Returns:
            The crop, (3, crop_size, crop_size) uint8, and where it comes from: the (2, 3) matrix from a place in
            `face`, in pixels from the middle of the upper left one, to the same in the crop.
        """
        config = self.config
        matrix = torch.eye(3)[:2]
        if config.tilt:
            angle = rng.uniform(-config.tilt, config.tilt)
            scale = 1 + rng.uniform(-config.tilt, config.tilt) / 100
            matrix = _turned(angle, scale, (face.shape[-1] - 1) / 2)
            face = v2.functional.affine(
                face,
                angle=angle,
                translate=[0, 0],
                scale=scale,
                shear=[0.0, 0.0],
                interpolation=v2.InterpolationMode.BILINEAR,
            )
        room = face.shape[-1] - self.crop_size
        top, left = rng.integers(0, room + 1, size=2)
        face = face[:, top : top + self.crop_size, left : left + self.crop_size]
        matrix[:, 2] -= torch.tensor([float(left), float(top)])
        if flip:
            face = face.flip(-1)
            matrix[0] *= -1
            matrix[0, 2] += self.crop_size - 1
        if rng.random() < config.grey:
            face = v2.functional.rgb_to_grayscale(face, num_output_channels=3)
        if config.light:
            low, high = 1 - config.light, 1 + config.light
            face = v2.functional.adjust_brightness(face, rng.uniform(low, high))
            face = v2.functional.adjust_contrast(face, rng.uniform(low, high))
        if rng.random() < config.blur:
            face = _lose_detail(face, rng.uniform(0.2, 1.0))
        if config.noise:
            noise = rng.standard_normal(face.shape, dtype=np.float32) * rng.uniform(0, config.noise)
            face = (face + torch.from_numpy(noise)).clamp(0, 255).to(torch.uint8)
        if rng.random() < config.cutout:
            face = self._cut_out(face, rng)
        if config.tight and rng.random() < config.tight:
            face = _end_picture(face, rng)
        return face, matrix

    def _cut_out(self, face: Tensor, rng: np.random.Generator) -> Tensor:
        side = round(self.config.cutout_side * self.crop_size)
        top, left = rng.integers(0, self.crop_size - side + 1, size=2)
        cut = face.clone()
        cut[:, top : top + side, left : left + side] = 0
        return cut


def _end_picture(face: Tensor, rng: np.random.Generator) -> Tensor:
    """Blacken what lies outside a tilted rectangle, as alignment does where a picture ends."""
    left, right, top, bottom = rng.uniform(0, TIGHT_MARGINS) * face.shape[-1]
    angle = np.deg2rad(rng.uniform(-TIGHT_TILT, TIGHT_TILT))
    place = torch.arange(face.shape[-1], dtype=torch.float32) - (face.shape[-1] - 1) / 2
    across = place * np.cos(angle) + place[:, None] * np.sin(angle)  # (S, S)
    down = place[:, None] * np.cos(angle) - place * np.sin(angle)
    half = face.shape[-1] / 2
    inside = (across > left - half) & (across < half - right) & (down > top - half) & (down < half - bottom)
    return face.where(inside, torch.zeros_like(face))


def centre_crop(face: Tensor, crop_size: int) -> tuple[Tensor, Tensor]:
    """Return the middle (3, crop_size, crop_size) of a face (3, A, A), and the matrix as `Augmentation` does."""
    start = (face.shape[-1] - crop_size) // 2
    matrix = torch.tensor([[1.0, 0.0, -start], [0.0, 1.0, -start]])
    return face[:, start : start + crop_size, start : start + crop_size], matrix


def _turned(angle_deg: float, scale: float, centre: float) -> Tensor:
    """Return the (2, 3) matrix that turns places clockwise about a centre, and scales them."""
    angle = np.deg2rad(angle_deg)
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    linear = torch.tensor([[cosine, -sine], [sine, cosine]], dtype=torch.float32)
    return torch.cat([linear, centre - linear.sum(1, keepdim=True) * centre], dim=1)


def _lose_detail(face: Tensor, share: float) -> Tensor:
    size = face.shape[-1]
    small = max(1, round(share * size))
    shrunk = F.interpolate(face[None].float(), size=(small, small), mode="area")
    grown = F.interpolate(shrunk, size=(size, size), mode="bilinear", align_corners=False)
    return grown[0].round().clamp(0, 255).to(torch.uint8)
