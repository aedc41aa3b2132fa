"""Figure 5, drawn: faces, where each AU's branch looks, and the words."""

import textwrap
from collections.abc import Sequence
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vlfau.drawing.heatmap import lay_heat_over
from vlfau.drawing.theme import CHART_SIZES, LIGHT, format_prob
from vlfau.paper.comparability import DataKey
from vlfau.paper.examples import CHOICE, SHOWN_AUS, Example, ExampleSet, Verdict
from vlfau.paper.plotting import Drawing, house_style, plain_axes

__all__ = ["face_drawings"]

PANEL: Final = 1.75  # inches
WIDTH: Final = PANEL * (SHOWN_AUS + 1)
LINE: Final = 0.165
CHARACTERS: Final = 132
INDENT: Final = 0.65
STATES_PER_ROW: Final = 12
TEXT: Final[Any] = {"fontsize": CHART_SIZES.small, "va": "center", "parse_math": False}


def face_drawings(sets: Sequence[ExampleSet]) -> tuple[Drawing, ...]:
    """Draw figure 5, one a run."""
    return tuple(
        Drawing(
            f"figure5-faces{place}",
            f"Figure 5: what the network sees and says, {shown.title}, {DataKey.of(shown.run.scores).title}",
            f"Green is right, red is wrong, bold is predicted active; bright is where the AU's branch looks. {CHOICE}",
            _draw(shown.examples),
            synthetic=shown.run.scores.data.synthetic,
        )
        for place, shown in enumerate(sets, start=1)
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
        for place, (example, lines) in enumerate(zip(examples, texts, strict=True)):
            axes = figure.add_subplot(grid[2 * place, 0])
            axes.imshow(example.face)
            _plain_picture(axes)
            for column, verdict in enumerate(example.shown, start=1):
                _panel(figure.add_subplot(grid[2 * place, column]), example, verdict)
            _write(figure.add_subplot(grid[2 * place + 1, :]), example, lines)
    return figure


def _plain_picture(axes: Axes) -> None:
    plain_axes(axes)
    axes.set_anchor("W")


def _panel(axes: Axes, example: Example, verdict: Verdict) -> None:
    axes.imshow(lay_heat_over(example.face, verdict.attention))
    _plain_picture(axes)
    says = f"{verdict.unit.label}  {format_prob(verdict.probability)} {_sign(verdict.right)}"
    axes.set_title(says, fontsize=8.5, color=_colour(verdict.right), pad=3)


def _state_rows(example: Example) -> int:
    return -(-len(example.verdicts) // STATES_PER_ROW)


def _paragraphs(example: Example) -> list[tuple[str, str, str]]:
    """Return lines of words: what they are about, where a text begins; its colour; and the words."""
    texts = [("Face", example.words_right, example.words)]
    texts += [(verdict.unit.label, verdict.words_right, verdict.words) for verdict in example.shown]
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
    for place, verdict in enumerate(example.verdicts):
        row, column = divmod(place, STATES_PER_ROW)
        text = f"{_sign(verdict.right)} {verdict.unit.label} {'on' if verdict.predicted else 'off'}"
        weight = "bold" if verdict.predicted else "normal"
        axes.text(column * step, row + 1, text, color=_colour(verdict.right), fontweight=weight, **TEXT)
    for height, (name, colour, line) in enumerate(lines, start=rows + 1):
        axes.text(0, height + 0.3, name, color=colour, fontweight="bold", **TEXT)
        axes.text(INDENT, height + 0.3, line, **TEXT)


def _sign(right: bool | None) -> str:
    return {True: "✓", False: "✗", None: "?"}[right]


def _colour(right: bool | None) -> str:
    return {True: LIGHT.right, False: LIGHT.wrong, None: LIGHT.muted}[right]
