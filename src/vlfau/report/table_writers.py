"""Tables as Markdown, CSV and LaTeX."""

import csv
import io
import re

from vlfau.report.table import Cell, Mark, Table

__all__ = ["to_csv", "to_latex", "to_markdown"]

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
    """Return a table as GitHub's Markdown, its title above and its footnotes below."""

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
    """Return a table as CSV: bare numbers, empty where there is none, with details and footnotes in the last column."""
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
    """Keep a name from breaking out of its cell."""
    return re.sub(r"([\\|*_<>`\[\]])", r"\\\1", " ".join(text.split()))


def _escape_latex(text: str) -> str:
    return "".join(_LATEX_SPECIAL.get(sign, sign) for sign in text)
