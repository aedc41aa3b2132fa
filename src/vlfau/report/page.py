"""The report as one HTML page that needs no other file and no network."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from vlfau.pages import data_url, jpeg_url, templates
from vlfau.report.data_key import DataKey
from vlfau.report.examples import CHOICE, ExampleSet
from vlfau.report.faces import attention_over
from vlfau.report.plotting import Drawing
from vlfau.report.published import read_published
from vlfau.report.runs import Runs
from vlfau.report.table import Table

__all__ = ["Section", "render_page", "synthetic_sentence"]

JPEG_QUALITY: Final = 88


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
    environment = templates("vlfau.report", ".")
    return environment.get_template("page.html.j2").render(
        sentence=synthetic_sentence(runs),
        any_synthetic=any(run.data.synthetic for run in runs.every),
        source=read_published().source,
        runs=[(run.name, DataKey.of(run.scores).title, run.scores) for run in runs.every],
        sections=[section for section in sections if section.tables or section.drawings or section.faces],
        notes=notes,
        choice=CHOICE,
        png=partial(data_url, "image/png"),
        jpeg=partial(jpeg_url, quality=JPEG_QUALITY),
        attention_over=attention_over,
    )
