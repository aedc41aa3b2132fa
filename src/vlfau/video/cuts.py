"""Hard cuts: where a video goes on with another picture, or a face with another person.

Two things are compared from frame to frame. The *scene* is the whole frame at 32 by 18 pixels: after a cut, most of it
has changed, and its pattern too; a flash or a lamp changes the brightness only. The *look* of a face is its aligned
square at 32 by 32 pixels; it stays alike while a person moves and speaks.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["CutDetector", "has_another_look", "look_of"]

FloatArray = NDArray[np.float32]

_SCENE_SIZE: Final = (32, 18)
_ROUGH_WIDTH: Final = 160
"""Frames are sampled down to about this width before they are averaged."""
_CHANGED_LEVELS: Final = 16.0
_CHANGED_SHARE: Final = 0.4
"""A cut changes at least this share of the scene by more than `_CHANGED_LEVELS` grey levels."""
_SAME_PATTERN: Final = 0.6
"""Correlation of the two scenes from which on they are one scene in another light."""
_LOOK_SIDE: Final = 32
_SAME_LOOK: Final = 0.75
"""Correlation of two looks of one face from which on they are certainly one person's."""


class CutDetector:
    """Finds cuts from frame to frame, by the whole picture."""

    def __init__(self) -> None:
        self._scene: FloatArray | None = None

    def is_cut(self, pixels: NDArray[np.uint8]) -> bool:
        """Take the next frame, (H, W, 3) uint8 RGB, and return whether it shows another scene than the last one."""
        step = max(1, pixels.shape[1] // _ROUGH_WIDTH)
        rough = cv2.cvtColor(np.ascontiguousarray(pixels[::step, ::step]), cv2.COLOR_RGB2GRAY)
        scene = cv2.resize(rough, _SCENE_SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)
        before, self._scene = self._scene, scene
        if before is None:
            return False
        changed = float((np.abs(scene - before) > _CHANGED_LEVELS).mean())
        return changed > _CHANGED_SHARE and _correlation(scene, before) < _SAME_PATTERN


def look_of(portrait: NDArray[np.uint8]) -> FloatArray:
    """Return the look of a face, (32, 32), from its aligned square (S, S, 3) uint8 RGB."""
    grey = cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (_LOOK_SIDE, _LOOK_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)


def has_another_look(look: FloatArray, before: FloatArray) -> bool:
    """Return whether a face looks so different from frame to frame that it may be another person's."""
    return _correlation(look, before) < _SAME_LOOK


def _correlation(one: FloatArray, other: FloatArray) -> float:
    """Return the correlation of two pictures of the same size; 1 if one of them has no pattern."""
    one, other = one - one.mean(), other - other.mean()
    strength = float(np.sqrt(np.square(one).sum() * np.square(other).sum()))
    return float((one * other).sum()) / strength if strength > 1e-3 else 1.0
