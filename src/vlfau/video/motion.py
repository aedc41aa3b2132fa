"""Where a face was, and where it should be."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.faces import Face

__all__ = ["Motion", "centre", "size"]

_SMOOTHING_S: Final = 0.2
"""Time over which speed is averaged: longer than the landmarks' jitter, shorter than a turn."""


def centre(face: Face) -> NDArray[np.float64]:
    """Return the middle of the landmarks, (2,), in pixels."""
    middle: NDArray[np.float64] = face.landmarks_xy.mean(0, dtype=np.float64)
    return middle


def size(face: Face) -> float:
    """Return the side, in pixels, of a square as large as the face's box."""
    return float(np.sqrt(np.clip(face.face_box_xyxy[2:] - face.face_box_xyxy[:2], 1, None).prod()))


@dataclass(slots=True)
class Motion:
    """A face's place, size and speed, from its own sightings only.

    Attributes:
        centre_xy: (2,), in pixels, at `time_s`.
        size: In pixels.
        time_s: Of the last sighting.
        velocity_xy: (2,), pixels a second.
    """

    centre_xy: NDArray[np.float64]
    size: float
    time_s: float
    velocity_xy: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))

    @classmethod
    def of(cls, face: Face, time_s: float) -> "Motion":
        """Return the motion of a face that was not seen before."""
        return cls(centre(face), size(face), time_s)

    def see(self, face: Face, time_s: float) -> None:
        """Take in where the face is now."""
        now, elapsed = centre(face), time_s - self.time_s
        if elapsed > 0:
            weight = 1 - np.exp(-elapsed / _SMOOTHING_S)
            self.velocity_xy = self.velocity_xy + weight * ((now - self.centre_xy) / elapsed - self.velocity_xy)
        self.centre_xy, self.size, self.time_s = now, size(face), time_s

    def expected(self, time_s: float) -> NDArray[np.float64]:
        """Return where the face should be, (2,), if it goes on as it went."""
        return self.centre_xy + (time_s - self.time_s) * self.velocity_xy

    def surprise(self, face: Face, time_s: float) -> float:
        """Return how far a face is from where this one should be, in sizes of a face."""
        return float(np.linalg.norm(centre(face) - self.expected(time_s))) / max(self.size, 1.0)
