"""`vlfau synth`: faces with known action units, drawn."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

__all__ = ["synth"]


def synth(
    out: Path,
    /,
    *,
    preset: Literal["wide", "loose", "wild", "all-aus", "posed", "natural", "bp4d-like", "disfa-like"] = "wide",
    subjects: int | None = None,
    clips: int = 6,
    frames: int = 6,
    size: int = 256,
    seed: int = 0,
    workers: int = 1,
    pairs: Annotated[bool, Parameter(negative=())] = False,
    regions: Annotated[bool, Parameter(negative=())] = False,
    stills: Annotated[bool, Parameter(negative=())] = False,
    sheet: Annotated[bool, Parameter(negative=())] = False,
    intensity: float = 5.0,
) -> int:
    """Draw a data set of synthetic faces with exact labels: frames, manifest.csv and a data card.

    The same settings give the same bytes for any number of workers. Resumes an interrupted run when called again.

    Args:
        out: Folder for the data set; new, or from an interrupted run with the same settings.
        preset: Which action units, how often they occur, and how varied the faces are.
        subjects: Number of people; that of the preset if omitted.
        clips: Clips per person.
        frames: Frames per clip.
        size: Side length of the aligned frames, in pixels.
        seed: Random seed; another seed gives other people.
        workers: Number of processes.
        pairs: Draw every frame a second time with exactly one action unit switched; pairs.csv lists them.
        regions: Write a mask of the moving skin for every action unit that is present.
        stills: Leave labels empty that a single picture cannot show: AU 43 beside 45, 45 beside 43, and 26 beside 27.
        sheet: Instead of a data set, draw contact sheets of the preset's action units on four people.
        intensity: Intensity on the sheets, 1 (A) to 5 (E).
    """
    from rich.progress import Progress

    from vlfau.cli.console import error_console, output_console
    from vlfau.synthetic import DatasetSettings, generate
    from vlfau.synthetic.presets import preset as named_preset
    from vlfau.synthetic.sheet import sheet_subjects, write_sheets

    console = output_console()
    if sheet:
        for path in write_sheets(out, sheet_subjects(seed), intensity, named_preset(preset).au_ids):
            console.print(f"sheet: {path}", markup=False)
        return 0
    settings = DatasetSettings(preset, subjects, clips, frames, size, seed, pairs, regions, stills)
    with Progress(console=error_console(), transient=True) as bar:
        task = bar.add_task("People", total=None)
        manifest = generate(
            out, settings, workers=workers, progress=lambda done, total: bar.update(task, completed=done, total=total)
        )
    console.print(f"manifest: {manifest}", markup=False)
    return 0
