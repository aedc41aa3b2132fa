"""Draws figure 5: faces, attention maps, and captions."""

import textwrap
from collections.abc import Sequence
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vlfau.drawing.heatmap import lay_heat_over
from vlfau.drawing.theme import CHART_SIZES, LIGHT, format_prob
from vlfau.paper.data_coverage import DataKey
from vlfau.paper.examples import CHOICE, SHOWN_AUS, Example, ExampleAU, ExampleSet
from vlfau.paper.plotting import Drawing, house_style, plain_axes

__all__ = ["draw_faces"]

PANEL: Final = 1.75  # inches
WIDTH: Final = PANEL * (SHOWN_AUS + 1)
LINE: Final = 0.165
CHARACTERS: Final = 132
INDENT: Final = 0.65
STATES_PER_ROW: Final = 12
TEXT: Final[Any] = {"fontsize": CHART_SIZES.small, "va": "center", "parse_math": False}


def draw_faces(sets: Sequence[ExampleSet]) -> tuple[Drawing, ...]:
    """Draw figure 5, one figure per run."""
    return tuple(
        Drawing(
            f"figure5-faces{number}",
            f"Figure 5: attention maps and captions, {shown.title}, {DataKey.of(shown.run.scores).title}",
            f"Green: right; red: wrong; bold: predicted active; bright: high attention of the AU's branch. {CHOICE}",
            _draw(shown.examples),
            synthetic=shown.run.scores.data.synthetic,
        )
        for number, shown in enumerate(sets, start=1)
    )


def _draw(examples: Sequence[Example]) -> Figure:
    texts = [_paragraphs(example) for example in examples]
    heights = [
        height
        for example, lines in zip(examples, texts, strict=True)
        for height in (PANEL, LINE * (len(lines) + _state_rows(example) + 3))
    ]
    with house_style():
        figure = Figure(figsize=(WIDTH, sum(heights) + 0.3))
        grid = figure.add_gridspec(
            2 * len(examples), SHOWN_AUS + 1, height_ratios=heights, hspace=0, wspace=0.06, left=0, right=1, top=0.98,
            bottom=0,
        )  # fmt: skip
        for index, (example, lines) in enumerate(zip(examples, texts, strict=True)):
            axes = figure.add_subplot(grid[2 * index, 0])
            axes.imshow(example.face)
            _plain_picture(axes)
            for column, au in enumerate(example.shown, start=1):
                _panel(figure.add_subplot(grid[2 * index, column]), example, au)
            _write(figure.add_subplot(grid[2 * index + 1, :]), example, lines)
    return figure


def _plain_picture(axes: Axes) -> None:
    plain_axes(axes)
    axes.set_anchor("W")


def _panel(axes: Axes, example: Example, au: ExampleAU) -> None:
    axes.imshow(lay_heat_over(example.face, au.attention))
    _plain_picture(axes)
    title = f"{au.unit.label}  {format_prob(au.probability)} {_sign(au.right)}"
    axes.set_title(title, fontsize=8.5, color=_colour(au.right), pad=3)


def _state_rows(example: Example) -> int:
    return -(-len(example.aus) // STATES_PER_ROW)


def _paragraphs(example: Example) -> list[tuple[str, str, str]]:
    """Return the lines of all captions: a label at the start of a caption, its colour, and the text."""
    texts = [("Face", example.words_right, example.words)]
    texts += [(au.unit.label, au.words_right, au.words) for au in example.shown]
    return [
        (f"{_sign(right)} {name}" if first else "", _colour(right), line)
        for name, right, words in texts
        if words is not None
        for first, line in zip((True, *[False] * len(words)), textwrap.wrap(words, CHARACTERS), strict=False)
    ]


def _write(axes: Axes, example: Example, lines: Sequence[tuple[str, str, str]]) -> None:
    plain_axes(axes)
    rows = _state_rows(example)
    axes.set_ylim(len(lines) + rows + 3, 0)
    axes.set_xlim(0, WIDTH)
    step = WIDTH / STATES_PER_ROW
    for index, au in enumerate(example.aus):
        row, column = divmod(index, STATES_PER_ROW)
        text = f"{_sign(au.right)} {au.unit.label} {'on' if au.predicted else 'off'}"
        weight = "bold" if au.predicted else "normal"
        axes.text(column * step, row + 1, text, color=_colour(au.right), fontweight=weight, **TEXT)
    for height, (name, colour, line) in enumerate(lines, start=rows + 1):
        axes.text(0, height + 0.3, name, color=colour, fontweight="bold", **TEXT)
        axes.text(INDENT, height + 0.3, line, **TEXT)


def _sign(right: bool | None) -> str:
    return {True: "✓", False: "✗", None: "?"}[right]


def _colour(right: bool | None) -> str:
    return {True: LIGHT.right, False: LIGHT.wrong, None: LIGHT.muted}[right]
