"""Places labels beside points without overlaps."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

__all__ = ["label_points"]

# Possible positions of a label relative to its point (alignment, right, up), in order of preference.
POSITIONS: Final = (
    ("left", 1, 0.0),
    ("right", -1, 0.0),
    ("center", 0, 1.0),
    ("center", 0, -1.0),
    ("left", 0.7, 0.7),
    ("left", 0.7, -0.7),
    ("right", -0.7, 0.7),
    ("right", -0.7, -0.7),
)
GAP: Final = 3.0  # points
CORE: Final = 0.8  # of the radius: half the side of the square that approximates a circle


def label_points(
    axes: Axes, points: Sequence[tuple[float, float]], radii: Sequence[float], labels: Sequence[str], size: float
) -> None:
    """Write a label beside every point, at the position with the smallest overlap with other labels and points.

    The limits of the axes must be final.

    Args:
        axes: The axes with the points.
        points: Coordinates of the points.
        radii: Radii of the points, in units of 1/72 inch.
        labels: One label per point.
        size: Font size.
    """
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure)
    figure.draw_without_rendering()  # computes the layout, which pixel coordinates need
    scale = figure.dpi / 72
    centres = axes.transData.transform(points)
    taken = []
    for (x, y), radius in zip(centres, radii, strict=True):
        half = CORE * radius * scale
        taken.append(Bbox.from_extents(x - half, y - half, x + half, y + half))
    page = axes.get_window_extent()
    # Points with the closest neighbours have the least choice, so they are labelled first.
    order = sorted(range(len(points)), key=lambda index: _room(centres, index))
    for point, radius, label in ((points[index], radii[index], labels[index]) for index in order):
        best: tuple[float, Annotation, Bbox] | None = None
        for alignment, right, up in POSITIONS:
            note = axes.annotate(
                label,
                point,
                xytext=(right * (radius + GAP), up * (radius + GAP)),
                textcoords="offset points",
                ha=alignment,
                va="center" if up == 0 else "bottom" if up > 0 else "top",
                fontsize=size,
                linespacing=1.15,
            )
            box = note.get_window_extent()
            inside = _overlap(box, page)
            cost = sum(_overlap(box, other) for other in taken) + 2 * (box.width * box.height - inside)
            if best is None or cost < best[0] - 1e-6:
                if best is not None:
                    best[1].remove()
                best = cost, note, box
            else:
                note.remove()
        if best is not None:
            taken.append(best[2])


def _room(centres: NDArray[np.float64], index: int) -> float:
    """Return the sum of the distances to a point's two closest neighbours, in pixels."""
    distances = np.hypot(*(centres - centres[index]).T)
    return float(np.sort(distances)[1:3].sum())


def _overlap(one: Bbox, other: Bbox) -> float:
    """Return the overlap of two boxes in square pixels."""
    both = Bbox.intersection(one, other)
    return 0.0 if both is None else float(both.width * both.height)
