"""A depth-buffered rasteriser that stores the visible triangle of every pixel, without shading."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vlfau.synthetic.jit import compiled

__all__ = ["Outlines", "covered", "depth_map", "interpolate", "noise_2d", "visible_triangles"]

FRINGE = 0.05
"""Hair whose margin is below this, in decimetres, ends in strands."""


@compiled
def noise_2d(x: float, y: float) -> float:
    """Return smooth noise in [0, 1] with a grain of one unit (value noise on hashed corners)."""
    column, row = np.floor(x), np.floor(y)
    right, down = x - column, y - row
    right, down = right * right * (3 - 2 * right), down * down * (3 - 2 * down)
    upper = _hash(column, row) * (1 - right) + _hash(column + 1, row) * right
    lower = _hash(column, row + 1) * (1 - right) + _hash(column + 1, row + 1) * right
    return float(upper * (1 - down) + lower * down)


@compiled
def _hash(column: float, row: float) -> float:
    """Return a pseudo-random number in [0, 1) for integer coordinates."""
    mixed = np.int64(column) * 374761393 + np.int64(row) * 668265263
    mixed = (mixed ^ (mixed >> 13)) * 1274126177
    return float(((mixed ^ (mixed >> 16)) & 0xFFFFFF) / 16777216.0)


@compiled
def covered(a: float, b: float, c: float, size: int) -> tuple[int, int]:
    """Return the first and last of `size` pixels whose centre may lie between a triangle's corners."""
    return max(0, int(np.ceil(min(a, b, c) - 0.5))), min(size - 1, int(np.floor(max(a, b, c) - 0.5)))


class Outlines(NamedTuple):
    """Triangles and their visible extent.

    Attributes:
        triangles: (T, 3) indices of points.
        one_sided: (T,) whether the back of a triangle is invisible.
        margins: (P,) a triangle ends where the interpolated margin falls below 0.
        strands: (P, 2) coordinates in the noise that frays such an edge; 0 for a clean edge.
    """

    triangles: NDArray[np.int32]
    one_sided: NDArray[np.bool_]
    margins: NDArray[np.float32]
    strands: NDArray[np.float32]


@compiled
def visible_triangles(
    screen: NDArray[np.float32],
    outlines: Outlines,
    nearest: NDArray[np.float32],
    shown: NDArray[np.int32],
) -> None:
    """Find the nearest triangle of every pixel.

    Args:
        screen: (P, 3) x and y in pixels, and the inverse distance to the camera.
        outlines: The triangles.
        nearest: (S, S) filled with zeros; gets the inverse distances.
        shown: (S, S) filled with -1; gets the indices of the triangles.
    """
    triangles, one_sided, margins, strands = outlines
    size = shown.shape[0]
    for number in range(triangles.shape[0]):
        a, b, c = triangles[number, 0], triangles[number, 1], triangles[number, 2]
        ax, ay, bx, by, cx, cy = screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1], screen[c, 0], screen[c, 1]
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if (one_sided[number] and area >= 0) or abs(area) < 1e-9:
            continue
        left, right = covered(ax, bx, cx, size)
        top, bottom = covered(ay, by, cy, size)
        if left > right or top > bottom:
            continue
        if margins[a] < 0 and margins[b] < 0 and margins[c] < 0:
            continue
        frayed = margins[a] < FRINGE or margins[b] < FRINGE or margins[c] < FRINGE
        per_area = 1 / area
        slope_a, slope_b = (by - cy) * per_area, (cy - ay) * per_area
        for row in range(top, bottom + 1):
            y = row + 0.5
            # The barycentric coordinates of two corners are linear in x.
            row_a = (bx * (cy - y) - cx * (by - y)) * per_area
            row_b = (cx * (ay - y) - ax * (cy - y)) * per_area
            for column in range(left, right + 1):
                x = column + 0.5
                share_a = row_a + x * slope_a
                share_b = row_b + x * slope_b
                share_c = 1 - share_a - share_b
                if share_a < 0 or share_b < 0 or share_c < 0:
                    continue
                inverse = share_a * screen[a, 2] + share_b * screen[b, 2] + share_c * screen[c, 2]
                if inverse <= nearest[row, column]:
                    continue
                if frayed:
                    margin = share_a * margins[a] + share_b * margins[b] + share_c * margins[c]
                    if margin < 0:
                        continue
                    across = share_a * strands[a, 0] + share_b * strands[b, 0] + share_c * strands[c, 0]
                    along = share_a * strands[a, 1] + share_b * strands[b, 1] + share_c * strands[c, 1]
                    if margin < FRINGE and across != 0 and margin < FRINGE * noise_2d(across, along):
                        continue
                nearest[row, column] = inverse
                shown[row, column] = number


@compiled
def depth_map(screen: NDArray[np.float32], triangles: NDArray[np.int32], nearest: NDArray[np.float32]) -> None:
    """Compute the smallest depth at every pixel, of triangles that face the viewer.

    Args:
        screen: (P, 3) x and y in pixels, and the depth.
        triangles: (T, 3) indices of points.
        nearest: (S, S) filled with a large depth; gets the depths.
    """
    size = nearest.shape[0]
    for number in range(triangles.shape[0]):
        a, b, c = triangles[number, 0], triangles[number, 1], triangles[number, 2]
        ax, ay, bx, by, cx, cy = screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1], screen[c, 0], screen[c, 1]
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if area >= -1e-9:
            continue
        left, right = covered(ax, bx, cx, size)
        top, bottom = covered(ay, by, cy, size)
        if left > right or top > bottom:
            continue
        per_area = 1 / area
        slope_a, slope_b = (by - cy) * per_area, (cy - ay) * per_area
        for row in range(top, bottom + 1):
            y = row + 0.5
            # The barycentric coordinates of two corners are linear in x.
            row_a = (bx * (cy - y) - cx * (by - y)) * per_area
            row_b = (cx * (ay - y) - ax * (cy - y)) * per_area
            for column in range(left, right + 1):
                x = column + 0.5
                share_a = row_a + x * slope_a
                share_b = row_b + x * slope_b
                share_c = 1 - share_a - share_b
                if share_a < 0 or share_b < 0 or share_c < 0:
                    continue
                depth = share_a * screen[a, 2] + share_b * screen[b, 2] + share_c * screen[c, 2]
                nearest[row, column] = min(nearest[row, column], depth)


@compiled
def interpolate(
    screen: NDArray[np.float32],
    triangles: NDArray[np.int32],
    shown: NDArray[np.int32],
    values: NDArray[np.float32],
    result: NDArray[np.float32],
) -> None:
    """Interpolate the values of points at every pixel, without perspective.

    Args:
        screen: (P, 3) as for `visible_triangles`.
        triangles: (T, 3) indices of points.
        shown: (S, S) indices of the visible triangles, -1 for none.
        values: (P, K) values of the points.
        result: (S, S, K) output, changed where a triangle is visible.
    """
    for row in range(shown.shape[0]):
        for column in range(shown.shape[1]):
            number = shown[row, column]
            if number < 0:
                continue
            a, b, c = triangles[number, 0], triangles[number, 1], triangles[number, 2]
            ax, ay, bx, by, cx, cy = screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1], screen[c, 0], screen[c, 1]
            area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
            x, y = column + 0.5, row + 0.5
            share_a = ((bx - x) * (cy - y) - (cx - x) * (by - y)) / area
            share_b = ((cx - x) * (ay - y) - (ax - x) * (cy - y)) / area
            for k in range(values.shape[1]):
                result[row, column, k] = (
                    share_a * values[a, k] + share_b * values[b, k] + (1 - share_a - share_b) * values[c, k]
                )
