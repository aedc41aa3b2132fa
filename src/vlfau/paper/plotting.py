"""Style and output of all figures."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vlfau.drawing.theme import CHART_SIZES, LIGHT, chart_style
from vlfau.files.atomic import replacing

__all__ = ["Drawing", "Drawings", "category_colours", "house_style", "plain_axes", "write_drawing"]

STYLE: Final[Any] = chart_style() | {
    "axes.titlesize": CHART_SIZES.heading,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": LIGHT.rest,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "pdf.fonttype": 42,
    "path.simplify": True,
}


@dataclass(frozen=True, eq=False)
class Drawing:
    """A finished figure.

    Attributes:
        key: File name without suffix.
        title: Title of the figure.
        caption: Explanation of the figure.
        figure: The figure.
        synthetic: Whether it shows synthetic faces or scores on them.
    """

    key: str
    title: str
    caption: str
    figure: Figure
    synthetic: bool = False


class Drawings(NamedTuple):
    """The figures of one kind.

    Attributes:
        drawings: The figures.
        notes: Notes on omitted ones.
    """

    drawings: tuple[Drawing, ...]
    notes: tuple[str, ...]


@contextmanager
def house_style() -> Iterator[None]:
    """Apply the style of all figures."""
    with mpl.rc_context(STYLE):
        yield


def plain_axes(axes: Axes) -> None:
    """Remove ticks and frame, for pictures and maps without units."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def category_colours(count: int) -> Sequence[tuple[float, ...]]:
    """Return distinct colours, strong ones first."""
    colours = mpl.colormaps["tab20"].colors  # type: ignore[attr-defined]
    ordered = [*colours[::2], *colours[1::2]]
    return [ordered[place % len(ordered)] for place in range(count)]


def write_drawing(folder: Path, drawing: Drawing) -> tuple[Path, Path]:
    """Write a figure as PNG and PDF.

    Returns:
        The two files.
    """
    paths = folder / f"{drawing.key}.png", folder / f"{drawing.key}.pdf"
    with house_style():
        if drawing.synthetic:
            # The figure must say so outside the report too.
            drawing.figure.text(
                1,
                1,
                "synthetic faces",
                ha="right",
                va="bottom",
                color=LIGHT.ours,
                fontsize=CHART_SIZES.small,
                fontweight="bold",
            )
        for path in paths:
            kind = path.suffix[1:]
            undated = {"CreationDate": None} if kind == "pdf" else {}  # The same results give the same files.
            with replacing(path) as temporary:
                drawing.figure.savefig(temporary, format=kind, dpi=180, bbox_inches="tight", metadata=undated)
    return paths
