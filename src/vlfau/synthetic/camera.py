"""Image degradations of real cameras, one function per effect."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vlfau.synthetic.components import Components

__all__ = ["EFFECTS", "Camera"]

Picture = NDArray[np.float32]
Range = tuple[float, float]

BEST_QUALITY: Final = 95
THUMBNAIL: Final = 68
"""Side length of a picture whose face has about 48 pixels."""


@dataclass(frozen=True)
class Camera:
    """The effects of a camera, each with a strength from 0 (hardly visible) to 1.

    Attributes:
        strengths: Strength of each effect, in the order of application.
        quality: JPEG quality in percent.
        angle: Direction of motion blur, in radians.
        cast: (3,) brightness factor of each colour.
    """

    strengths: Mapping[str, float]
    quality: int
    angle: float
    cast: tuple[float, float, float]

    @classmethod
    def sample(cls, chances: Components, rng: np.random.Generator) -> "Camera":
        """Sample a camera."""
        drawn = {name: (rng.random(), float(rng.random())) for name in chances.camera}
        strengths = {name: strength for name, (luck, strength) in drawn.items() if luck < chances.camera[name]}
        compression = strengths.pop("compression", None)
        quality = BEST_QUALITY if compression is None else round(BEST_QUALITY - 65 * compression**1.5)
        cast = rng.uniform(0.82, 1.18, 3)
        return cls(
            strengths=MappingProxyType({name: strengths[name] for name in EFFECTS if name in strengths}),
            quality=quality,
            angle=float(rng.uniform(0, np.pi)),
            cast=(float(cast[0]), float(cast[1]), float(cast[2])),
        )

    @property
    def resolution(self) -> float:
        """Remaining resolution along one axis, as a share from 0 to 1, without the thumbnail effect."""
        strength = self.strengths.get("low_resolution")
        return 1.0 if strength is None else 1 / (1.4 + 3.6 * strength)

    def pixels(self, size: int) -> float:
        """Return the number of pixels along one axis that the camera resolves in a picture of `size` pixels."""
        return min(size * self.resolution, THUMBNAIL if "thumbnail" in self.strengths else size)

    def expose(self, image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return a picture (S, S, 3) as the camera records it."""
        picture = image.astype(np.float32)
        for name, strength in self.strengths.items():
            picture = EFFECTS[name](picture, strength, self, rng)
        return np.asarray(np.clip(picture + 0.5, 0, 255), np.uint8)


def _low_resolution(picture: Picture, strength: float, camera: Camera, rng: np.random.Generator) -> Picture:
    """Reduce the face to between 40 and 160 pixels."""
    size = len(picture)
    small = max(8, round(size * camera.resolution))
    shrunk = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(shrunk, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)


def _defocus(picture: Picture, strength: float, camera: Camera, rng: np.random.Generator) -> Picture:
    """Spread every point over a disc."""
    radius = (0.4 + 1.8 * strength) * len(picture) / 256
    reach = int(np.ceil(radius)) + 1
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.hypot(rows, columns), 0, 1)
    return np.asarray(cv2.filter2D(picture, -1, disc / disc.sum()), np.float32)


def _motion_blur(picture: Picture, strength: float, camera: Camera, rng: np.random.Generator) -> Picture:
    """Spread every point over a line."""
    length = (2 + 6 * strength) * len(picture) / 256
    reach = int(np.ceil(length / 2)) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    across, down = length / 2 * np.cos(camera.angle), length / 2 * np.sin(camera.angle)
    start, end = ([round(16 * (reach + sign * part)) for part in (across, down)] for sign in (-1, 1))
    cv2.line(kernel, start, end, 1.0, 1, cv2.LINE_8, 4)
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()), np.float32)


def _under_exposure(picture: Picture, strength: float, camera: Camera, rng: np.random.Generator) -> Picture:
    return picture * np.float32(0.75 - 0.35 * strength)


def _over_exposure(picture: Picture, strength: float, camera: Camera, rng: np.random.Generator) -> Picture:
    return picture * np.float32(1.15 + 0.5 * strength)


def _colour_cast(picture: Picture, strength: float, camera: Camera, rng: np.random.Generator) -> Picture:
    return np.asarray(picture * (1 + strength * (np.array(camera.cast) - 1)), np.float32)


def _vignette(picture: Picture, strength: float, camera: Camera, rng: np.random.Generator) -> Picture:
    """Darken the corners."""
    line = np.linspace(-1, 1, len(picture), dtype=np.float32) ** 2
    fall = np.float32(0.25 + 0.35 * strength)
    return np.asarray(picture * (1 - fall * (line[:, None] + line[None, :]) / 2)[..., None], np.float32)


def _grey(picture: Picture, strength: float, camera: Camera, rng: np.random.Generator) -> Picture:
    grey = picture @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.repeat(grey[..., None], 3, axis=2)


def _noise(picture: Picture, strength: float, camera: Camera, rng: np.random.Generator) -> Picture:
    """Add noise that grows with the square root of the light, like photon noise."""
    sigma = np.float32(0.6 + 6.5 * strength**2)
    grain = rng.standard_normal(picture.shape, np.float32)
    return np.asarray(picture + grain * (0.5 + 0.5 * np.sqrt(np.clip(picture, 0, 255) / 255)) * sigma, np.float32)


def _thumbnail(picture: Picture, strength: float, camera: Camera, rng: np.random.Generator) -> Picture:
    """Reduce the face to about 48 grey pixels."""
    size = len(picture)
    shrunk = cv2.resize(_grey(picture, strength, camera, rng), (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(np.round(shrunk), (size, size), interpolation=cv2.INTER_CUBIC), np.float32)


EFFECTS: Final[Mapping[str, Callable[[Picture, float, Camera, np.random.Generator], Picture]]] = MappingProxyType(
    {
        "motion_blur": _motion_blur,
        "defocus": _defocus,
        "vignette": _vignette,
        "under_exposure": _under_exposure,
        "over_exposure": _over_exposure,
        "colour_cast": _colour_cast,
        "low_resolution": _low_resolution,
        "grey": _grey,
        "noise": _noise,
        "thumbnail": _thumbnail,
    }
)
