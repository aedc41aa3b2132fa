"""Eyelashes, drawn semi-transparently over the rendered picture."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vlfau.synthetic.jit import compiled
from vlfau.synthetic.rasteriser import covered, noise_2d

__all__ = ["Target", "draw_lashes"]


class Target(NamedTuple):
    """A rendered picture.

    Attributes:
        nearest: (S, S) inverse distances of the visible surface.
        picture: (S, S, 3) sRGB from 0 to 255.
    """

    nearest: NDArray[np.float32]
    picture: NDArray[np.float32]


@compiled
def draw_lashes(
    screen: NDArray[np.float32],
    triangles: NDArray[np.int32],
    mean_points: NDArray[np.float32],
    darkness: float,
    target: Target,
) -> None:
    """Darken a picture where lashes are visible.

    Args:
        screen: (P, 3) x, y and inverse distance of points.
        triangles: (T, 3) indices of points.
        mean_points: (P, 3) points on the mean head.
        darkness: Darkness of the lashes, 0 to 1.
        target: The picture, changed in place.
    """
    nearest, picture = target
    size = nearest.shape[0]
    for number in range(triangles.shape[0]):
        a, b, c = triangles[number, 0], triangles[number, 1], triangles[number, 2]
        ax, ay, bx, by, cx, cy = screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1], screen[c, 0], screen[c, 1]
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if abs(area) < 1e-9:
            continue
        left, right = covered(ax, bx, cx, size)
        top, bottom = covered(ay, by, cy, size)
        for row in range(top, bottom + 1):
            y = row + 0.5
            for column in range(left, right + 1):
                x = column + 0.5
                share_a = ((bx - x) * (cy - y) - (cx - x) * (by - y)) / area
                share_b = ((cx - x) * (ay - y) - (ax - x) * (cy - y)) / area
                share_c = 1 - share_a - share_b
                if share_a < 0 or share_b < 0 or share_c < 0:
                    continue
                inverse = share_a * screen[a, 2] + share_b * screen[b, 2] + share_c * screen[c, 2]
                if inverse <= nearest[row, column]:
                    continue
                along = share_a * mean_points[a, 0] + share_b * mean_points[b, 0] + share_c * mean_points[c, 0]
                opacity = darkness * (0.25 + 0.75 * noise_2d(np.floor(along * 260 + 900), 1.0))
                for layer in range(3):
                    picture[row, column, layer] += opacity * (4.5 - picture[row, column, layer])
