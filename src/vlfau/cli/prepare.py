"""`vlfau prepare`: raw data sets in, aligned faces and a manifest out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

if TYPE_CHECKING:
    from vlfau.prepare import Source

__all__ = ["prepare"]

prepare = App(name="prepare", help="Turn a raw data set into aligned faces and a manifest that `vlfau train` reads.")


@prepare.command
def bp4d(
    source: Path,
    out: Path,
    /,
    *,
    size: int = 256,
    workers: int = 1,
    folds: Path | None = None,
    partial: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Prepare BP4D.

    Resumes an interrupted run when called again.

    Args:
        source: Folder with AUCoding/AU_OCC/F001_T1.csv and 2D+3D/F001/T1/2440.jpg (or F001/T1/2440.jpg).
        out: Folder for faces, manifest.csv, skipped.csv and report.md; new, or from an earlier run.
        size: Side length of the aligned faces, in pixels.
        workers: Number of processes.
        folds: A TOML file with other folds: [[bp4d.folds]] tables with subjects = [...].
        partial: Continue even if a subject lacks the codes of a task that other subjects have.
    """
    from vlfau.prepare import read_bp4d

    return _run(read_bp4d(source, folds, partial=partial), out, size, workers)


@prepare.command
def disfa(source: Path, out: Path, /, *, size: int = 256, workers: int = 1, folds: Path | None = None) -> int:
    """Prepare DISFA.

    Resumes an interrupted run when called again.

    Args:
        source: Folder with ActionUnit_Labels/SN001/SN001_au1.txt, Videos_LeftCamera/LeftVideoSN001_comp.avi and, to
            name genders, subjects.csv (subject_id,gender).
        out: Folder for faces, manifest.csv, skipped.csv and report.md; new, or from an earlier run.
        size: Side length of the aligned faces, in pixels.
        workers: Number of processes.
        folds: A TOML file with other folds: [[disfa.folds]] tables with subjects = [...].
    """
    from vlfau.prepare import read_disfa

    return _run(read_disfa(source, folds), out, size, workers)


@prepare.command
def ckplus(
    source: Path,
    out: Path,
    /,
    *,
    size: int = 256,
    workers: int = 1,
    folds: Path | None = None,
    with_neutral: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Prepare CK+ (the extended Cohn-Kanade data set).

    Takes the last frame of every sequence, which alone is coded. Resumes an interrupted run when called again.

    Args:
        source: Folder with FACS/S005/001/S005_001_00000011_facs.txt,
            cohn-kanade-images/S005/001/S005_001_00000011.png and, to name genders, subjects.csv (subject_id,gender).
        out: Folder for faces, manifest.csv, skipped.csv, folds.toml and report.md; new, or from an earlier run.
        size: Side length of the aligned faces, in pixels.
        workers: Number of processes.
        folds: A TOML file with folds: [[ckplus.folds]] tables with subjects = [...]. Without it, a fixed rule divides
            subjects into three folds, since none are published.
        with_neutral: Also take the first frame of every sequence, with all AUs absent. Sequences begin neutral by
            design, but these frames are not coded.
    """
    from vlfau.prepare import read_ckplus

    return _run(read_ckplus(source, folds, with_neutral=with_neutral), out, size, workers)


@prepare.command
def disfaplus(source: Path, out: Path, /, *, size: int = 256, workers: int = 1, folds: Path | None = None) -> int:
    """Prepare DISFA+ (the extended DISFA data set).

    Resumes an interrupted run when called again.

    Args:
        source: Folder with Labels/SN001/A1_AU1_TrailNo_1/AU1.txt, Images/SN001/A1_AU1_TrailNo_1/000.jpg and, to name
            genders, subjects.csv (subject_id,gender).
        out: Folder for faces, manifest.csv, skipped.csv and report.md; new, or from an earlier run.
        size: Side length of the aligned faces, in pixels.
        workers: Number of processes.
        folds: A TOML file with other folds: [[disfaplus.folds]] tables with subjects = [...]. Without it, people are in
            the same folds as in DISFA.
    """
    from vlfau.prepare import read_disfaplus

    return _run(read_disfaplus(source, folds), out, size, workers)


@prepare.command
def lists(source: Path, out: Path, /, *, images: Path, size: int = 256, workers: int = 1) -> int:
    """Prepare BP4D or DISFA from the list files of ME-GraphAU or JAA-Net.

    Resumes an interrupted run when called again.

    Args:
        source: Folder with BP4D_test_img_path_fold1.txt and BP4D_test_label_fold1.txt, or BP4D_part1_path.txt and
            BP4D_part1_AUoccur.txt; likewise for DISFA.
        out: Folder for faces, manifest.csv, skipped.csv and report.md; new, or from an earlier run.
        images: Folder to which the paths in the lists are relative.
        size: Side length of the aligned faces, in pixels.
        workers: Number of processes.
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
