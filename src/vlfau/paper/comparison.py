"""Writes a comparison of tools as tables, a Markdown page, and a figure."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure as Canvas

from vlfau._version import version
from vlfau.drawing.theme import LIGHT
from vlfau.evaluation.comparison_results import MEASURES, Comparison, Difference, Tool, ToolScores
from vlfau.evaluation.tool_scores import Figure
from vlfau.facs import action_unit
from vlfau.files.atomic import replacing
from vlfau.paper.plotting import category_colours, house_style

__all__ = ["TextTable", "comparison_notes", "comparison_tables", "write_comparison"]

FILES: Final = ("compare.json", "comparison.csv", "comparison.md", "comparison.png")


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table of text cells.

    Attributes:
        title: Title of the table.
        heads: Column headings.
        rows: Cells, row by row.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def comparison_tables(comparison: Comparison) -> Iterator[TextTable]:
    """Yield the tables of means, of differences between tools, and of every measure per AU."""
    titles = {key: MEASURES[key] for key in comparison.measures}
    yield TextTable(
        f"Means over the AUs that all tools have ({_aus(comparison.common['auc'])})",
        ("Tool", "Faces found", *titles.values()),
        tuple(_mean_rows(comparison, titles, lambda scores: scores.mean)),
    )
    yield TextTable(
        "Means over all AUs of each tool",
        ("Tool", "AUs", *titles.values()),
        tuple(
            (tool.name, str(len(tool.left_out.per_au["auc"])), *_cells(tool.left_out.mean_own, titles))
            for tool in comparison.tools
        ),
    )
    if comparison.differences:
        yield TextTable(
            f"{comparison.tools[0].name} minus each other tool, over the AUs that all tools have",
            ("Tool", "Frames", *titles.values()),
            tuple(row for difference in comparison.differences for row in _difference_rows(difference, titles)),
        )
    for key, title in titles.items():
        au_ids = sorted({au_id for tool in comparison.tools for au_id in tool.left_out.per_au[key]})
        yield TextTable(
            title,
            ("AU", "Name", "Present", *(tool.name for tool in comparison.tools)),
            tuple(
                (
                    str(au_id),
                    action_unit(au_id).name,
                    f"{comparison.labels[au_id]['present']} of "
                    f"{comparison.labels[au_id]['present'] + comparison.labels[au_id]['absent']}",
                    *(_text(tool.left_out.per_au[key].get(au_id)) for tool in comparison.tools),
                )
                for au_id in au_ids
            ),
        )


def comparison_notes(comparison: Comparison) -> Iterator[str]:
    """Yield notes on how the scores were computed, and what they exclude."""
    rules = comparison.rules
    yield (
        f"{comparison.frames} frames of {comparison.subjects} subjects in {comparison.manifest}; brackets contain "
        f"{100 * rules.confidence:g} % intervals from {rules.draws} bootstrap samples of subjects (seed {rules.seed})"
        if comparison.subjects > 1
        else f"{comparison.frames} frames of one subject in {comparison.manifest}, too few subjects for intervals"
    )
    if any(tool.missed for tool in comparison.tools):
        yield (
            "frames in which a tool found no face are excluded from its scores; in the rows 'all frames' they count "
            "with every AU inactive"
        )
    if rules.within:
        yield f"'AUC within' compares only faces of the same {rules.within}, averaged over all such pairs"
    for tool in comparison.tools:
        yield f"{tool.name}: {'; '.join(_about(tool))}"
    if comparison.common.get("icc", comparison.common["auc"]) != comparison.common["auc"] and "icc" in (
        comparison.measures
    ):
        yield (
            f"ICC is averaged over {_aus(comparison.common['icc'])}, whose intensities are coded in the manifest and "
            "given by every tool that has intensities"
        )


def _about(tool: Tool) -> Iterator[str]:
    yield f"columns of {tool.format}"
    for sources, what in ((tool.score_from, "AUC from {}"), (tool.state_from, "F1 from {}")):
        kinds = sorted(set(sources.values()))
        if len(kinds) == 1:
            yield what.format(kinds[0])
        else:
            parts = (f"{kind} ({_aus([au for au, of in sources.items() if of == kind])})" for kind in kinds)
            yield what.format(", ".join(parts))
    if tool.missed:
        yield f"no face found in {len(tool.missed)} of {tool.found + len(tool.missed)} frames"
    if tool.several_faces:
        yield f"several faces in {tool.several_faces} frames, of which {tool.choice} is used"
    if tool.ignored_rows:
        yield f"{tool.ignored_rows} rows are ignored, since their pictures are not in the manifest"


def write_comparison(comparison: Comparison, path_of: Callable[[str], Path]) -> tuple[Path, ...]:
    """Write compare.json, comparison.csv, comparison.md and comparison.png.

    Args:
        comparison: The scores of the tools.
        path_of: Returns the path of a file by its name.

    Returns:
        The paths of the files.

    Raises:
        OutputError: A file cannot be written.
    """
    paths = [path_of(name) for name in FILES]
    texts = (_json(comparison), _csv(comparison), _markdown(comparison))
    for path, text in zip(paths, texts, strict=False):
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    with house_style(), replacing(paths[-1]) as temporary:
        _draw(comparison).savefig(temporary, format="png", dpi=160, bbox_inches="tight")
    return tuple(paths)


def _mean_rows(
    comparison: Comparison, titles: Mapping[str, str], means: Callable[[ToolScores], Mapping[str, Figure]]
) -> Iterator[tuple[str, ...]]:
    for tool in comparison.tools:
        yield tool.name, f"{tool.found} of {comparison.frames}", *_cells(means(tool.left_out), titles)
        if tool.missed:
            cells = _cells(means(tool.called_inactive), titles)
            yield f"{tool.name}, all frames", f"{tool.found} of {comparison.frames}", *cells


def _difference_rows(difference: Difference, titles: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    name = f"minus {difference.other}"
    yield name, str(difference.frames), *_cells(difference.left_out.mean, titles, signed=True)
    if difference.called_inactive != difference.left_out:
        cells = _cells(difference.called_inactive.mean, titles, signed=True)
        yield f"{name}, all frames", "all", *cells


def _cells(figures: Mapping[str, Figure], titles: Mapping[str, str], *, signed: bool = False) -> Iterator[str]:
    return (_text(figures.get(key), signed=signed) for key in titles)


def _text(figure: Figure | None, *, signed: bool = False) -> str:
    if figure is None or figure.value is None:
        return "-"
    numbers = (figure.value, *(figure.interval or ()))
    texts = (f"{round(number, 3) + 0.0:{'+' if signed else ''}.3f}" for number in numbers)
    value, *ends = (text.replace("0.", ".", 1) if abs(float(text)) < 1 else text for text in texts)
    return f"{value} [{', '.join(ends)}]" if ends else value


def _aus(au_ids: Sequence[int]) -> str:
    return f"AU {', '.join(map(str, au_ids))}" if au_ids else "none"


def _json(comparison: Comparison) -> str:
    content = {"format": 1, "vlfau": version(), **asdict(comparison)}
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _csv(comparison: Comparison) -> str:
    """Return one row per tool, treatment of missed faces, and AU or mean."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    measures = comparison.measures
    ends = [f"{key}{end}" for key in measures for end in ("", "_low", "_high")]
    writer.writerow(["tool", "missed_faces", "au", "present", "absent", *ends])
    for tool in comparison.tools:
        for treatment, scores in (("left out", tool.left_out), ("called inactive", tool.called_inactive)):
            start = [tool.name, treatment]
            for au_id in tool.au_ids:
                counts = comparison.labels[au_id]
                figures = [scores.per_au[key].get(au_id) for key in measures]
                writer.writerow([*start, au_id, counts["present"], counts["absent"], *_numbers(figures)])
            for title, means in (("mean of common AUs", scores.mean), ("mean of own AUs", scores.mean_own)):
                writer.writerow([*start, title, "", "", *_numbers([means.get(key) for key in measures])])
    return file.getvalue()


def _numbers(figures: Sequence[Figure | None]) -> Iterator[str]:
    for figure in figures:
        value, (low, high) = (None, (None, None)) if figure is None else (figure.value, figure.interval or (None, None))
        yield from ("" if number is None else f"{number:.4f}" for number in (value, low, high))


def _markdown(comparison: Comparison) -> str:
    lines = [f"# Comparison of {len(comparison.tools)} tools" if len(comparison.tools) > 1 else "# Scores of one tool"]
    lines += ["", *(f"- {_escaped(note)}." for note in comparison_notes(comparison)), ""]
    lines += ["![Scores by AU and tool](comparison.png)", ""]
    for table in comparison_tables(comparison):
        numeric = ("Name", "Tool")
        lines += [f"## {_escaped(table.title)}", "", f"| {' | '.join(map(_escaped, table.heads))} |"]
        lines += [f"|{'|'.join('---' if head in numeric else '---:' for head in table.heads)}|"]
        lines += [f"| {' | '.join(map(_escaped, row))} |" for row in table.rows]
        lines += [""]
    lines += [f"Written by `vlfau compare`, version {version()}."]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("_", "\\_")


def _draw(comparison: Comparison) -> Canvas:
    """Draw one panel per measure, with one row per AU, and one dot with an interval per tool."""
    measures, tools = comparison.measures, comparison.tools
    au_ids = sorted({au_id for tool in tools for au_id in tool.left_out.per_au["auc"]}, reverse=True)
    colours = category_colours(len(tools))
    spread = 0.7 / max(len(tools), 1)
    canvas = Canvas(
        figsize=(1.6 + 2.6 * len(measures), 1.4 + (len(au_ids) + 1) * (0.16 + 0.1 * len(tools))), layout="constrained"
    )
    panels = canvas.subplots(1, len(measures), sharey=True, squeeze=False)[0]
    for axes, key in zip(panels, measures, strict=True):
        axes.grid(visible=True, axis="x")
        for index, (tool, colour) in enumerate(zip(tools, colours, strict=True)):
            figures = [tool.left_out.mean.get(key), *(tool.left_out.per_au[key].get(au_id) for au_id in au_ids)]
            for row, figure in enumerate(figures):
                if figure is None or figure.value is None:
                    continue
                height = row + spread * ((len(tools) - 1) / 2 - index)
                if figure.interval is not None:
                    axes.plot(figure.interval, [height, height], color=colour, lw=1.5, alpha=0.7)
                axes.scatter(figure.value, height, color=colour, s=18, lw=0, zorder=3)
            axes.scatter([], [], color=colour, s=18, lw=0, label=tool.name)
        axes.axhline(0.5, color=LIGHT.rest, lw=0.7)
        axes.set_title(MEASURES[key])
        axes.set_yticks(range(len(au_ids) + 1), ["mean", *(action_unit(au_id).label for au_id in au_ids)])
        axes.tick_params(axis="y", length=0)
    canvas.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=min(len(tools), 4))
    return canvas
