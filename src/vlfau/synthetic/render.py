"""One picture in one call."""

import warnings
from collections.abc import Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from vlfau.synthetic.expression import Expression, Intensity
from vlfau.synthetic.framing import Framing
from vlfau.synthetic.geometry import Pose
from vlfau.synthetic.light import Light
from vlfau.synthetic.renderer import Renderer, Scene
from vlfau.synthetic.subject import Subject

__all__ = ["render"]

_STRAIGHT, _STUDIO, _PORTRAIT = Pose(), Light(), Framing()


@cache
def _renderer(size: int) -> Renderer:
    return Renderer(size)


def render(
    subject: Subject,
    au_intensities: Mapping[int, Intensity],
    *,
    pose: Pose = _STRAIGHT,
    light: Light = _STUDIO,
    framing: Framing = _PORTRAIT,
    size: int = 256,
) -> NDArray[np.uint8]:
    """Draw a subject.

    Args:
        subject: The person, such as `Subject.sample(7)`.
        au_intensities: By AU, an intensity from 0 to 5, or a pair (left, right) for a sided AU.
        pose: How head and eyes are turned.
        light: The light.
        framing: Where the camera is; `Framing(aligned=True)` cuts the face out as networks want it.
        size: Side of the picture in pixels.

    Returns:
        (size, size, 3) uint8, RGB.

    Raises:
        ConfigError: An AU is unknown or an intensity out of range.

    Warns:
        UserWarning: Something was completed, such as AU 25 to AU 26.
    """
    expression = Expression.of(au_intensities)
    for note in expression.notes:
        warnings.warn(note, stacklevel=2)
    return _renderer(size).draw(subject, Scene(expression, pose, light, framing)).image
