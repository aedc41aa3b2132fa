"""`vlfau prepare`: raw data sets in, aligned faces and a manifest out."""

from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

if TYPE_CHECKING:
    from vlfau.prepare import Source

__all__ = ["prepare"]

prepare = App(name="prepare", help="Turn a raw data set into aligned faces and a manifest that `vlfau train` reads.")


@prepare.command
def bp4d(source: Path, out: Path, /, *, size: int = 256, workers: int = 1, folds: Path | None = None) -> int:
    """Prepare BP4D.

    A run that was stopped goes on where it was when it is started again.

    Args:
        source: Folder with AUCoding/AU_OCC/F001_T1.csv and 2D+3D/F001/T1/2440.jpg (or F001/T1/2440.jpg).
        out: Folder for faces, manifest.csv, skipped.csv and report.md, new or begun before.
        size: Side of the aligned faces in pixels.
        workers: Processes to use.
        folds: A TOML file with other folds: [[bp4d.folds]] tables with subjects = [...].
    """
    from vlfau.prepare import read_bp4d

    return _run(read_bp4d(source, folds), out, size, workers)


@prepare.command
def disfa(source: Path, out: Path, /, *, size: int = 256, workers: int = 1, folds: Path | None = None) -> int:
    """Prepare DISFA.

    A run that was stopped goes on where it was when it is started again.

    Args:
        source: Folder with ActionUnit_Labels/SN001/SN001_au1.txt, Videos_LeftCamera/LeftVideoSN001_comp.avi and, to
            name genders, subjects.csv (subject_id,gender).
        out: Folder for faces, manifest.csv, skipped.csv and report.md, new or begun before.
        size: Side of the aligned faces in pixels.
        workers: Processes to use.
        folds: A TOML file with other folds: [[disfa.folds]] tables with subjects = [...].
    """
    from vlfau.prepare import read_disfa

    return _run(read_disfa(source, folds), out, size, workers)


@prepare.command
def lists(source: Path, out: Path, /, *, images: Path, size: int = 256, workers: int = 1) -> int:
    """Prepare BP4D or DISFA from the list files of ME-GraphAU or JAA-Net.

    A run that was stopped goes on where it was when it is started again.

    Args:
        source: Folder with BP4D_test_img_path_fold1.txt and BP4D_test_label_fold1.txt, or BP4D_part1_path.txt and
            BP4D_part1_AUoccur.txt; likewise for DISFA.
        out: Folder for faces, manifest.csv, skipped.csv and report.md, new or begun before.
        images: Folder to which the paths in the lists are relative.
        size: Side of the aligned faces in pixels.
        workers: Processes to use.
    """
    from vlfau.prepare import read_lists

    return _run(read_lists(source, images), out, size, workers)


def _run(source: "Source", out: Path, size: int, workers: int) -> int:
    from rich.progress import Progress

    from vlfau.cli.console import error_console, output_console
    from vlfau.prepare import prepare as run

    with Progress(console=error_console(), transient=True) as bar:
        task = bar.add_task("Frames", total=None)
        text = run(
            source,
            out,
            size=size,
            workers=workers,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    console = output_console()
    console.print(text, markup=False, soft_wrap=True)
    console.print(f"manifest: {out / 'manifest.csv'}", markup=False)
    return 0
