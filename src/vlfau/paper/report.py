"""Writes the whole report, tables, figures and HTML page, for a folder of runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vlfau.drawing.heatmap import lay_heat_over
from vlfau.drawing.pages import data_url, jpeg_url, stylesheet, templates
from vlfau.files.atomic import make_folder, replacing
from vlfau.paper.balance import draw_balance
from vlfau.paper.data_coverage import DataKey
from vlfau.paper.examples import CHOICE, ExampleSet, find_examples
from vlfau.paper.face_figures import draw_faces
from vlfau.paper.features import draw_features
from vlfau.paper.measures import draw_intervals, measure_tables
from vlfau.paper.plotting import Drawing, write_drawing
from vlfau.paper.published import read_published
from vlfau.paper.runs import Runs, find_runs
from vlfau.paper.score_tables import comparison_tables
from vlfau.paper.table_formats import Table, to_csv, to_latex, to_markdown

__all__ = ["ReportFiles", "write_report"]


@dataclass(frozen=True, eq=False)
class _Section:
    """A section of the page.

    Attributes:
        title: Heading of the section.
        tables: Tables, which are shown first.
        drawings: Figures, each with its PNG.
        faces: Faces with captions.
    """

    title: str
    tables: Sequence[Table] = ()
    drawings: Sequence[tuple[Drawing, bytes]] = ()
    faces: Sequence[ExampleSet] = ()


def _synthetic_sentence(runs: Runs) -> str:
    """Return a sentence on which results were measured on synthetic faces."""
    synthetic = [run.name for run in runs.every if run.data.synthetic]
    if not synthetic:
        return "All results were measured on real faces."
    rest = " All other results of ours were measured on real faces."
    every = len(synthetic) == len(runs.every)
    subject = "All results of ours" if every else "The results of"
    names = ", ".join(dict.fromkeys(synthetic))
    return (
        f"{subject} ({names}) were measured on synthetic faces. They show what the network learns from rendered faces, "
        "say nothing about real people, and are never in a table with published scores." + ("" if every else rest)
    )


def _render_page(runs: Runs, sections: Sequence[_Section], notes: Sequence[str]) -> str:
    """Return the HTML page.

    Args:
        runs: The evaluated runs.
        sections: The sections; empty ones are omitted.
        notes: Notes on missing parts.
    """
    environment = templates("vlfau.paper", ".")
    return environment.get_template("page.html.j2").render(
        sentence=_synthetic_sentence(runs),
        any_synthetic=any(run.data.synthetic for run in runs.every),
        source=read_published().source,
        runs=[(run.name, DataKey.of(run.scores).title, run.scores) for run in runs.every],
        sections=[section for section in sections if section.tables or section.drawings or section.faces],
        notes=notes,
        choice=CHOICE,
        png=partial(data_url, "image/png"),
        jpeg=jpeg_url,
        lay_heat_over=lay_heat_over,
        style=stylesheet(),
    )


STEPS = 6
WRITERS = {".md": to_markdown, ".csv": to_csv, ".tex": to_latex}


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """The files of a report.

    Attributes:
        page: The HTML page.
        tables: Files of the tables, each as Markdown, CSV and LaTeX.
        figures: Files of the figures, each as PNG and PDF.
        notes: Notes on missing parts.
        sentence: Sentence on which results are synthetic.
    """

    page: Path
    tables: tuple[Path, ...]
    figures: tuple[Path, ...]
    notes: tuple[str, ...]
    sentence: str


def write_report(runs: Path, out: Path, progress: Callable[[int, int], None] = lambda done, total: None) -> ReportFiles:
    """Write the paper's tables and figures for evaluated runs.

    Writes `report.html`, which is self-contained, `tables/` and `figures/`.

    Args:
        runs: A folder with cross-validations and ablations, or the folder of one of them.
        out: Folder for the report.
        progress: Called with the number of finished steps and of all steps.

    Raises:
        InputError: There are no runs, a file of a run is damaged, or the report cannot be written.
    """
    found = find_runs(runs)
    for folder in (out / "tables", out / "figures"):
        make_folder(folder)
    done = iter(range(1, STEPS + 1))
    tables, measures = comparison_tables(found), measure_tables(found)
    table_files = [path for table in (*tables, *measures) for path in _write_table(out / "tables", table)]
    progress(next(done), STEPS)
    balances, balance_notes = draw_balance(found)
    intervals = draw_intervals(found)
    progress(next(done), STEPS)
    features, feature_notes = draw_features(found)
    progress(next(done), STEPS)
    examples, example_notes = find_examples(found)
    faces = draw_faces(examples)
    progress(next(done), STEPS)
    figures = {
        drawing.key: write_drawing(out / "figures", drawing) for drawing in (*balances, *intervals, *features, *faces)
    }
    progress(next(done), STEPS)

    def embedded(drawings: Sequence[Drawing]) -> list[tuple[Drawing, bytes]]:
        return [(drawing, figures[drawing.key][0].read_bytes()) for drawing in drawings]

    notes = (*balance_notes, *feature_notes, *example_notes)
    if not found.ablations:
        notes = ("There is no ablation, so table 4 has only published rows.", *notes)
    ours = [table for table in tables if not table.key.startswith("table")]
    sections = [
        _Section("Our runs", ours, embedded(intervals)),
        _Section("All measures", measures),
        _Section("Published methods", [table for table in tables if table not in ours]),
        _Section("Balance across AUs", drawings=embedded(balances)),
        _Section("Features", drawings=embedded(features)),
        _Section("Faces and captions", faces=examples),
    ]
    page = out / "report.html"
    _write_text(page, _render_page(found, sections, notes))
    progress(next(done), STEPS)
    files = tuple(path for paths in figures.values() for path in paths)
    return ReportFiles(page, tuple(table_files), files, notes, _synthetic_sentence(found))


def _write_table(folder: Path, table: Table) -> list[Path]:
    paths = [folder / f"{table.key}{suffix}" for suffix in WRITERS]
    for path, write in zip(paths, WRITERS.values(), strict=True):
        _write_text(path, write(table))
    return paths


def _write_text(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
