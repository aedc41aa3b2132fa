"""How every drawing looks: colours, sizes and wording of pictures, videos, plots and pages.

This is the only file that names a colour or the geometry of an AU's bar. Pictures and videos are always light; plots
and pages have a light and a dark palette. Blue and orange of curves and events are told apart by the colour-blind
(after Okabe and Ito).
"""

from dataclasses import dataclass, fields
from typing import Any, Final

from vlfau.faces import HeadPose
from vlfau.facs import ActionUnit

__all__ = [
    "BOX_LINE",
    "BOX_RADIUS",
    "CARD_ROW",
    "CHART_SIZES",
    "DARK",
    "HEAT",
    "HEAT_TEXT_SIZES",
    "JPEG_QUALITY",
    "LIGHT",
    "PICTURE_QUALITY",
    "TEXT_SIZES",
    "THRESHOLD_DASHES",
    "VIDEO_ROW",
    "VIDEO_TEXT_SIZES",
    "ChartSizes",
    "HeatLook",
    "Palette",
    "RowLayout",
    "TextSizes",
    "au_title",
    "chart_style",
    "css_variables",
    "face_colour",
    "format_intensity",
    "format_percent",
    "format_pose",
    "format_prob",
    "row_label",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours on one kind of background, as #rrggbb.

    Attributes:
        page: Behind everything on a page.
        canvas: Behind the photo and the cards of a picture.
        chart: Behind a plot.
        card: Behind the results of one face.
        ink: Text that matters.
        muted: Text that matters less, and inactive AUs.
        line: Borders.
        grid: Lines behind curves.
        track: Where a bar could reach.
        rest: The bar of an inactive AU; the axes of figures.
        curve: Probabilities over time.
        event: Events.
        warn: Behind a warning.
        warn_line: Its edge.
        bad: Behind an error.
        wrong: Its edge; what is wrong.
        right: What is right.
        ours: What this package measured, among others.
        others: What others measured.
        ours_row: Behind a table's row of ours.
    """

    page: str
    canvas: str
    chart: str
    card: str
    ink: str
    muted: str
    line: str
    grid: str
    track: str
    rest: str
    curve: str
    event: str
    warn: str
    warn_line: str
    bad: str
    wrong: str
    right: str
    ours: str
    others: str
    ours_row: str


LIGHT: Final = Palette(
    page="#fbfaf8",
    canvas="#eef1f5",
    chart="#ffffff",
    card="#ffffff",
    ink="#1f2933",
    muted="#5b6675",
    line="#d5dbe3",
    grid="#e4e7eb",
    track="#e8ecf1",
    rest="#8b98a7",
    curve="#0072b2",
    event="#d55e00",
    warn="#fff3d6",
    warn_line="#b26a00",
    bad="#fdecec",
    wrong="#b3261e",
    right="#237046",
    ours="#a8432d",
    others="#3c6e91",
    ours_row="#eef4f8",
)
DARK: Final = Palette(
    page="#14181d",
    canvas="#14181d",
    chart="#14181d",
    card="#1d232a",
    ink="#e4e7eb",
    muted="#b4bec9",
    line="#36404a",
    grid="#2c343d",
    track="#36404a",
    rest="#7d8a99",
    curve="#56b4e9",
    event="#e69f00",
    warn="#3a2f12",
    warn_line="#e6b450",
    bad="#3b1a1a",
    wrong="#ff8a80",
    right="#6fcf97",
    ours="#f0937d",
    others="#8fb8d4",
    ours_row="#22303a",
)

_FACE_COLOURS: Final = ("#0f7bc4", "#d1541b", "#1f8a4c", "#8a3fb8", "#c02a5e", "#4d6b00", "#007a87", "#7a5230")
BOX_LINE: Final = 2
"""Thickness of a face's box, as OpenCV counts: 3 pixels."""
BOX_RADIUS: Final = 0.08
"""Radius of the corners of a face's box, as a share of its shorter side."""
PICTURE_QUALITY: Final = 92
"""JPEG quality of pictures that are files of their own."""
JPEG_QUALITY: Final = 85
"""JPEG quality of pictures inside of pages."""


@dataclass(frozen=True, slots=True)
class TextSizes:
    """Sizes of text in pixels: headings, captions of the whole face, rows of AUs, and smaller things."""

    title: int
    text: int
    row: int
    small: int


TEXT_SIZES: Final = TextSizes(title=22, text=18, row=17, small=16)
VIDEO_TEXT_SIZES: Final = TextSizes(title=18, text=14, row=14, small=13)
"""For a video of 720 lines; larger videos have larger text."""
HEAT_TEXT_SIZES: Final = TextSizes(title=15, text=13, row=13, small=13)


@dataclass(frozen=True, slots=True)
class RowLayout:
    """Geometry of an AU's row, in pixels from its left end: label, name, bar, and the number at the right end."""

    width: int
    height: int
    name_x: int
    bar_x: int
    bar_end: int
    bar_height: int
    text_size: int

    def scaled(self, factor: float) -> "RowLayout":
        """Return the row of a larger drawing."""
        return RowLayout(*(round(factor * getattr(self, field.name)) for field in fields(self)))


CARD_ROW: Final = RowLayout(
    width=560, height=29, name_x=58, bar_x=252, bar_end=496, bar_height=12, text_size=TEXT_SIZES.row
)
VIDEO_ROW: Final = RowLayout(
    width=302, height=22, name_x=44, bar_x=196, bar_end=264, bar_height=10, text_size=VIDEO_TEXT_SIZES.row
)


@dataclass(frozen=True, slots=True)
class HeatLook:
    """How a heat map is blended with a face.

    Attributes:
        opacity: How much of the face the hottest spot hides.
        face: Brightness of the grey face below; its own colours would be taken for heat.
        legend_grey: The grey below the colours of the scale.
    """

    opacity: float = 0.72
    face: float = 0.8
    legend_grey: int = 140


HEAT: Final = HeatLook()


@dataclass(frozen=True, slots=True)
class ChartSizes:
    """Sizes of text in plots, in points."""

    title: float = 11
    heading: float = 10
    text: float = 9
    small: float = 8


CHART_SIZES: Final = ChartSizes()
THRESHOLD_DASHES: Final = (0, (3, 3))
"""Matplotlib's line style of a threshold."""


def chart_style(palette: Palette = LIGHT) -> dict[Any, Any]:
    """Return Matplotlib's settings for all plots."""
    return {
        "font.size": CHART_SIZES.text,
        "axes.axisbelow": True,
        "axes.edgecolor": palette.grid,
        "axes.facecolor": palette.chart,
        "axes.labelcolor": palette.ink,
        "figure.facecolor": palette.chart,
        "grid.color": palette.grid,
        "grid.linewidth": 0.7,
        "legend.frameon": False,
        "savefig.facecolor": palette.chart,
        "text.color": palette.ink,
        "xtick.color": palette.ink,
        "ytick.color": palette.ink,
    }


def css_variables(*, dark_class: str | None = None) -> str:
    """Return both palettes as CSS variables, such as --ink.

    Args:
        dark_class: The class of a page that is dark; None follows what the reader's system prefers.
    """
    names = [field.name for field in fields(Palette)]
    if dark_class is not None:
        blocks = ((":root", LIGHT), (f".{dark_class}", DARK))
        return "\n".join(
            f"{selector} {{ {' '.join(f'{_css(name)}: {getattr(palette, name)};' for name in names)} }}"
            for selector, palette in blocks
        )
    pairs = (f"{_css(name)}: light-dark({getattr(LIGHT, name)}, {getattr(DARK, name)});" for name in names)
    return f":root {{ color-scheme: light dark; {' '.join(pairs)} }}"


def _css(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def face_colour(number: int) -> str:
    """Return the colour that stands for a face in a picture; `number` counts from 1."""
    return _FACE_COLOURS[(number - 1) % len(_FACE_COLOURS)]


def au_title(unit: ActionUnit) -> str:
    """Return an AU as headings and tables name it, such as `AU12 Lip Corner Puller`."""
    return f"{unit.label} {unit.name}"


def row_label(unit: ActionUnit) -> str:
    """Return an AU as plots name it, with the label beside the axis: `Lip Corner Puller  AU12`."""
    return f"{unit.name}  {unit.label}"


def format_prob(prob: float) -> str:
    """Return a probability from 0 to 1 as text.

    >>> format_prob(0.8349)
    '0.83'
    """
    return f"{prob:.2f}"


def format_percent(prob: float) -> str:
    """Return a probability in whole percent; near 0 and 1 it is rounded to neither.

    >>> format_percent(0.8349), format_percent(0.9999), format_percent(0.0001)
    ('83 %', '> 99 %', '< 1 %')
    """
    if prob < 0.005:
        return "< 1 %"
    return "> 99 %" if prob >= 0.995 else f"{round(100 * prob)} %"


def format_intensity(intensity: float) -> str:
    """Return an intensity from 0 to 5 as text.

    >>> format_intensity(3.14)
    '3.1'
    """
    return f"{intensity:.1f}"


def format_pose(pose: HeadPose, separator: str = "   ") -> str:
    """Return a head pose in whole degrees.

    >>> format_pose(HeadPose(yaw=-12.4, pitch=-0.3, roll=4.0), ", ")
    'yaw -12°, pitch 0°, roll +4°'
    """
    angles = {name: round(getattr(pose, name)) for name in ("yaw", "pitch", "roll")}
    return separator.join(f"{name} {angle:+d}°" if angle else f"{name} 0°" for name, angle in angles.items())
