"""Labels beside points that keep out of each other's way."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

__all__ = ["label_points"]

# Where a label may stand: its horizontal and vertical side of the point, the best first.
PLACES: Final = (
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
CORE: Final = 0.8  # of its radius: the square that stands for a circle, whose corners are free


def label_points(
    axes: Axes, points: Sequence[tuple[float, float]], radii: Sequence[float], labels: Sequence[str], size: float
) -> None:
    """Write a label beside every point, where it covers the least of other labels and points.

    The limits of the axes must be final.

    Args:
        axes: Where the points are drawn.
        points: Their coordinates.
        radii: Their sizes on paper, in points of 1/72 inch.
        labels: A text each.
        size: Of the letters.
    """
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure)
    figure.draw_without_rendering()  # lays the axes out: before that, nothing has a place in pixels
    scale = figure.dpi / 72
    centres = axes.transData.transform(points)
    taken = []
    for (x, y), radius in zip(centres, radii, strict=True):
        half = CORE * radius * scale
        taken.append(Bbox.from_extents(x - half, y - half, x + half, y + half))
    page = axes.get_window_extent()
    # Who has the closest neighbours has the least choice, and chooses first.
    order = sorted(range(len(points)), key=lambda place: _room(centres, place))
    for point, radius, label in ((points[place], radii[place], labels[place]) for place in order):
        best: tuple[float, Annotation, Bbox] | None = None
        for alignment, right, up in PLACES:
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
            inside = _shared(box, page)
            cost = sum(_shared(box, other) for other in taken) + 2 * (box.width * box.height - inside)
            if best is None or cost < best[0] - 1e-6:
                if best is not None:
                    best[1].remove()
                best = cost, note, box
            else:
                note.remove()
        if best is not None:
            taken.append(best[2])


def _room(centres: NDArray[np.float64], place: int) -> float:
    """Return how far the two closest neighbours of a point are, summed, in pixels."""
    distances = np.hypot(*(centres - centres[place]).T)
    return float(np.sort(distances)[1:3].sum())


def _shared(one: Bbox, other: Bbox) -> float:
    """Return the area that two boxes share, in pixels."""
    both = Bbox.intersection(one, other)
    return 0.0 if both is None else float(both.width * both.height)
