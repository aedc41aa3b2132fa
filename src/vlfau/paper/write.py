"""The whole report: tables, figures and page, from a folder of runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vlfau.drawing.heatmap import lay_heat_over
from vlfau.drawing.pages import data_url, jpeg_url, stylesheet, templates
from vlfau.errors import InputError
from vlfau.files.atomic import replacing
from vlfau.paper.balance import balance_drawings
from vlfau.paper.comparability import DataKey
from vlfau.paper.examples import CHOICE, ExampleSet, find_examples
from vlfau.paper.faces import face_drawings
from vlfau.paper.features import feature_drawings
from vlfau.paper.measures import interval_drawings, measure_tables
from vlfau.paper.plotting import Drawing, write_drawing
from vlfau.paper.published import read_published
from vlfau.paper.runs import Runs, find_runs
from vlfau.paper.table import Table, to_csv, to_latex, to_markdown
from vlfau.paper.tables import comparison_tables

__all__ = ["Section", "Written", "render_page", "synthetic_sentence", "write_report"]


@dataclass(frozen=True, eq=False)
class Section:
    """A heading and what stands under it.

    Attributes:
        title: The heading.
        tables: Tables, shown first.
        drawings: Each with its PNG.
        faces: Faces with words.
    """

    title: str
    tables: Sequence[Table] = ()
    drawings: Sequence[tuple[Drawing, bytes]] = ()
    faces: Sequence[ExampleSet] = ()


def synthetic_sentence(runs: Runs) -> str:
    """Say which results were measured on synthetic faces."""
    synthetic = [run.name for run in runs.every if run.data.synthetic]
    if not synthetic:
        return "Every result here was measured on the faces of real people."
    rest = " All other results of ours were measured on the faces of real people."
    every = len(synthetic) == len(runs.every)
    subject = "All results of ours" if every else "The results of"
    names = ", ".join(dict.fromkeys(synthetic))
    return (
        f"{subject} ({names}) were measured on synthetic faces: they show what the network learns from drawn faces, "
        "say nothing of real people, and stand in no table with published scores." + ("" if every else rest)
    )


def render_page(runs: Runs, sections: Sequence[Section], notes: Sequence[str]) -> str:
    """Return the page.

    Args:
        runs: What was evaluated.
        sections: What to show; empty ones are left out.
        notes: What is missing, and why.
    """
    environment = templates("vlfau.paper", ".")
    return environment.get_template("page.html.j2").render(
        sentence=synthetic_sentence(runs),
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
class Written:
    """What a report consists of.

    Attributes:
        page: The HTML page.
        tables: The tables' files, each as Markdown, CSV and LaTeX.
        figures: The figures' files, each as PNG and PDF.
        notes: What was left out, and why.
        sentence: Which results are synthetic.
    """

    page: Path
    tables: tuple[Path, ...]
    figures: tuple[Path, ...]
    notes: tuple[str, ...]
    sentence: str


def write_report(runs: Path, out: Path, progress: Callable[[int, int], None] = lambda done, total: None) -> Written:
    """Write the paper's tables and figures of evaluated runs.

    The folder gets `report.html`, which needs no other file, `tables/` and `figures/`.

    Args:
        runs: A folder of cross-validations and ablations, or one of them.
        out: Folder for the report.
        progress: Called with the steps done and their number.

    Raises:
        InputError: There is no run, a file of a run is damaged, or the report cannot be written.
    """
    found = find_runs(runs)
    try:
        for folder in (out / "tables", out / "figures"):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {out} ({error.strerror}); choose another") from None
    done = iter(range(1, STEPS + 1))
    tables, measures = comparison_tables(found), measure_tables(found)
    table_files = [path for table in (*tables, *measures) for path in _write_table(out / "tables", table)]
    progress(next(done), STEPS)
    balances, balance_notes = balance_drawings(found)
    intervals = interval_drawings(found)
    progress(next(done), STEPS)
    features, feature_notes = feature_drawings(found)
    progress(next(done), STEPS)
    examples, example_notes = find_examples(found)
    faces = face_drawings(examples)
    progress(next(done), STEPS)
    figures = {
        drawing.key: write_drawing(out / "figures", drawing) for drawing in (*balances, *intervals, *features, *faces)
    }
    progress(next(done), STEPS)

    def embedded(drawings: Sequence[Drawing]) -> list[tuple[Drawing, bytes]]:
        return [(drawing, figures[drawing.key][0].read_bytes()) for drawing in drawings]

    notes = (*balance_notes, *feature_notes, *example_notes)
    if not found.ablations:
        notes = ("There is no ablation, so table 4 holds published rows alone.", *notes)
    ours = [table for table in tables if not table.key.startswith("table")]
    sections = [
        Section("Our runs", ours, embedded(intervals)),
        Section("Intervals, words and their truth", measures),
        Section("Published methods", [table for table in tables if table not in ours]),
        Section("Balance across AUs", drawings=embedded(balances)),
        Section("Features", drawings=embedded(features)),
        Section("Faces and words", faces=examples),
    ]
    page = out / "report.html"
    _write_text(page, render_page(found, sections, notes))
    progress(next(done), STEPS)
    files = tuple(path for paths in figures.values() for path in paths)
    return Written(page, tuple(table_files), files, notes, synthetic_sentence(found))


def _write_table(folder: Path, table: Table) -> list[Path]:
    paths = [folder / f"{table.key}{suffix}" for suffix in WRITERS]
    for path, write in zip(paths, WRITERS.values(), strict=True):
        _write_text(path, write(table))
    return paths


def _write_text(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
