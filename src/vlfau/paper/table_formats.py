"""Tables of numbers, and their Markdown, CSV and LaTeX formats."""

import csv
import io
import re
from dataclasses import dataclass
from enum import StrEnum

from vlfau.paper.data_coverage import MARKS

__all__ = ["Cell", "Mark", "Row", "Table", "to_csv", "to_latex", "to_markdown"]


class Mark(StrEnum):
    """Highlighting of a cell within its column."""

    BEST = "best"
    SECOND = "second"
    NONE = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A number with one decimal.

    Attributes:
        value: The number; None if there is none.
        detail: Text after the number, such as an interval or a deviation.
        footnote: Letter of a footnote.
        ranked: Whether the cell is ranked with the others in its column.
    """

    value: float | None
    detail: str = ""
    footnote: str = ""
    ranked: bool = True

    @property
    def text(self) -> str:
        """The number as printed; a dash if there is none."""
        return "-" if self.value is None else f"{self.value:.1f}"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table.

    Attributes:
        labels: Labels before the numbers.
        cells: The numbers.
        ours: Whether it was measured by this package.
        marks: Marks of `vlfau.paper.data_coverage`, which follow the first label.
    """

    labels: tuple[str, ...]
    cells: tuple[Cell, ...]
    ours: bool = False
    marks: str = ""

    @property
    def title(self) -> str:
        """The first label with its marks."""
        return self.labels[0] + self.marks


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        key: File name without suffix.
        title: Title of the table.
        label_heads: Headings of the label columns.
        heads: Headings of the number columns; marks of `vlfau.paper.data_coverage` may follow them.
        rows: Rows, all from the same data.
        footnotes: Letter and text of each footnote.
        synthetic: Whether the numbers were measured on synthetic faces.
        ranked: Whether the best and second-best number of every column are highlighted; higher is better.
    """

    key: str
    title: str
    label_heads: tuple[str, ...]
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    footnotes: tuple[tuple[str, str], ...] = ()
    synthetic: bool = False
    ranked: bool = True

    @property
    def notes(self) -> tuple[tuple[str, str], ...]:
        """The notes below the table: meanings of its marks, and footnotes."""
        used = {sign for text in (*self.heads, *(row.marks for row in self.rows)) for sign in text}
        return (*((sign, text) for sign, text in MARKS.items() if sign in used), *self.footnotes)

    def mark(self, row: Row, column: int) -> Mark:
        """Return the highlighting of a cell; numbers that are equal as printed share it."""
        cell = row.cells[column]
        if not self.ranked or len(self.rows) < 2 or cell.value is None or not cell.ranked:
            return Mark.NONE
        others = [other.cells[column] for other in self.rows]
        numbers = {float(other.text) for other in others if other.value is not None and other.ranked}
        rank = sorted(numbers, reverse=True).index(float(cell.text))
        if len(numbers) < 2:
            return Mark.NONE
        return (Mark.BEST, Mark.SECOND, Mark.NONE)[min(rank, 2)]


_MARKDOWN = {Mark.BEST: "**{}**", Mark.SECOND: "<u>{}</u>", Mark.NONE: "{}"}
_LATEX = {Mark.BEST: r"\textbf{{{}}}", Mark.SECOND: r"\underline{{{}}}", Mark.NONE: "{}"}
_LATEX_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "✓": r"$\checkmark$",
    "†": r"\textdagger{}",
    "‡": r"\textdaggerdbl{}",
    "§": r"\S{}",
} | {sign: f"\\{sign}" for sign in "&%$#_{}"}


def to_markdown(table: Table) -> str:
    """Return a table as GitHub Markdown, with the title above and footnotes below."""

    def cell_text(cell: Cell, mark: Mark) -> str:
        text = " ".join(filter(None, (_MARKDOWN[mark].format(cell.text), cell.detail)))
        return f"{text}<sup>{cell.footnote}</sup>" if cell.footnote else text

    lines = [
        [*table.label_heads, *table.heads],
        ["---"] * len(table.label_heads) + ["---:"] * len(table.heads),
    ]
    for row in table.rows:
        cells = [cell_text(cell, table.mark(row, column)) for column, cell in enumerate(row.cells)]
        lines.append([_escape_markdown(label) for label in (row.title, *row.labels[1:])] + cells)
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    notes = "".join(f"\n<sup>{letter}</sup> {_escape_markdown(text)}  " for letter, text in table.notes)
    return f"**{_escape_markdown(table.title)}**\n\n{body}\n" + (f"{notes}\n" if notes else "")


def to_csv(table: Table) -> str:
    """Return a table as CSV: plain numbers or empty cells, with details and footnotes in the last column."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*table.label_heads, *table.heads, "faces", "notes"])
    footnotes = dict(table.notes)
    for row in table.rows:
        numbers = ["" if cell.value is None else f"{cell.value:.4g}" for cell in row.cells]
        notes = [f"{head} {cell.detail}" for head, cell in zip(table.heads, row.cells, strict=True) if cell.detail]
        notes += [footnotes[cell.footnote] for cell in row.cells if cell.footnote]
        notes += [footnotes[sign] for sign in row.marks]
        writer.writerow([*row.labels, *numbers, "synthetic" if table.synthetic else "real", "; ".join(notes)])
    return file.getvalue()


def to_latex(table: Table) -> str:
    """Return a table as LaTeX; it needs the packages booktabs, and amssymb for check marks."""

    def cell_text(cell: Cell, mark: Mark) -> str:
        text = _LATEX[mark].format(_escape_latex(cell.text))
        text += rf" {{\scriptsize {_escape_latex(cell.detail)}}}" if cell.detail else ""
        return rf"{text}\textsuperscript{{{cell.footnote}}}" if cell.footnote else text

    heads = " & ".join(map(_escape_latex, (*table.label_heads, *table.heads)))
    rows = (
        " & ".join(
            [_escape_latex(label) for label in (row.title, *row.labels[1:])]
            + [cell_text(cell, table.mark(row, column)) for column, cell in enumerate(row.cells)]
        )
        for row in table.rows
    )
    notes = (
        rf"  \par\footnotesize \textsuperscript{{{_escape_latex(letter)}}} {_escape_latex(text)}"
        for letter, text in table.notes
    )
    lines = [
        r"\begin{table*}",
        r"  \centering",
        rf"  \caption{{{_escape_latex(table.title)}}}",
        rf"  \label{{tab:{table.key}}}",
        rf"  \begin{{tabular}}{{{'l' * len(table.label_heads)}{'r' * len(table.heads)}}}",
        r"    \toprule",
        rf"    {heads} \\",
        r"    \midrule",
        *(rf"    {row} \\" for row in rows),
        r"    \bottomrule",
        r"  \end{tabular}",
        *notes,
        r"\end{table*}",
    ]
    return "\n".join(lines) + "\n"


def _escape_markdown(text: str) -> str:
    """Escape characters that would break the table."""
    return re.sub(r"([\\|*_<>`\[\]])", r"\\\1", " ".join(text.split()))


def _escape_latex(text: str) -> str:
    return "".join(_LATEX_SPECIAL.get(sign, sign) for sign in text)
