"""What must be done to the frames of a file before they are pictures: square pixels, whole frames, upright, SDR.

A player does all of this, and a network needs it too: a face in pixels that are not square is too narrow, one in the
two fields of an interlaced frame has combed edges, and HDR without tone mapping is dark and pale. An ordinary file
(square pixels, progressive, SDR) is converted to RGB and nothing else. `vlfau.media.conversion` does it.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["AS_STORED", "Orientation", "Treatment"]

_TURNS: Final = {
    (False, True, True): cv2.ROTATE_180,
    (True, False, True): cv2.ROTATE_90_COUNTERCLOCKWISE,
    (True, True, False): cv2.ROTATE_90_CLOCKWISE,
}


@dataclass(frozen=True, slots=True)
class Orientation:
    """How a stored frame is brought upright: first transposed, then flipped. All eight ways are possible.

    Attributes:
        transposed: Whether rows become columns.
        right_to_left: Whether left and right are exchanged afterwards.
        upside_down: Whether top and bottom are exchanged afterwards.
    """

    transposed: bool = False
    right_to_left: bool = False
    upside_down: bool = False

    @property
    def is_mirrored(self) -> bool:
        """Whether a turn alone does not bring the frame upright."""
        return (self.transposed + self.right_to_left + self.upside_down) % 2 == 1

    def upright(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return an upright copy of (H, W, 3), or the array itself if it is upright."""
        way = (self.transposed, self.right_to_left, self.upside_down)
        if not any(way):
            return pixels
        if way in _TURNS:
            return np.asarray(cv2.rotate(pixels, _TURNS[way]), np.uint8)
        turned = pixels.swapaxes(0, 1) if self.transposed else pixels
        return np.ascontiguousarray(turned[:: -1 if self.upside_down else 1, :: -1 if self.right_to_left else 1])


@dataclass(frozen=True, slots=True)
class Treatment:
    """What is done to every frame of a file.

    Attributes:
        pixel_shape: Width of a stored pixel by its height; 1 for square ones.
        interlaced: Whether frames consist of two fields, recorded one after the other.
        hdr: The transfer function, `PQ` or `HLG`; empty for SDR.
        mirrored: Whether frames are stored mirrored.
    """

    pixel_shape: Fraction = Fraction(1)
    interlaced: bool = False
    hdr: str = ""
    mirrored: bool = False

    def within(self, width: int, height: int, max_pixels: int) -> Self:
        """Return the same without square pixels if those would be more than `max_pixels`."""
        wide, high = self.square_size(width, height)
        return self if wide * high <= max_pixels else replace(self, pixel_shape=Fraction(1))

    def square_size(self, width: int, height: int) -> tuple[int, int]:
        """Return width and height in square pixels: one side grows, so that nothing is lost.

        >>> Treatment(Fraction(4, 3)).square_size(1440, 1080), Treatment(Fraction(8, 9)).square_size(720, 480)
        ((1920, 1080), (720, 540))
        """
        if self.pixel_shape > 1:
            return round(width * self.pixel_shape), height
        return width, round(height / self.pixel_shape)

    def notes(self, width: int, height: int) -> tuple[str, ...]:
        """Say what is done, in a few words each; nothing for an ordinary file.

        Args:
            width: Of the stored frames.
            height: Likewise.
        """
        wide, high = self.square_size(width, height)
        done = {
            f"deinterlaced {width} x {height}": self.interlaced,
            f"made the pixels square ({width} x {height} to {wide} x {high})": self.pixel_shape != 1,
            f"tone-mapped {self.hdr} to SDR": self.hdr,
            "mirrored as the file says": self.mirrored,
        }
        return tuple(text for text, is_done in done.items() if is_done)


AS_STORED: Final = Treatment()
