"""`vlfau landmarks`: a manifest of real faces in, the same with FaceMesh's landmarks out."""

from pathlib import Path

__all__ = ["landmarks"]


def landmarks(manifest: Path, /) -> int:
    """Add the places of 37 FaceMesh landmarks to a manifest, which some methods of `configs/rivals` need.

    Writes into the file. Drawn faces have them already.

    Args:
        manifest: Manifest of aligned faces, as `vlfau prepare` writes it.
    """
    from rich.progress import Progress

    from vlfau.cli.console import error_console, output_console
    from vlfau.prepare.landmarks import add_landmarks

    with Progress(console=error_console(), transient=True) as bar:
        task = bar.add_task("Landmarks", total=None)
        missed = add_landmarks(manifest, progress=lambda done, total: bar.update(task, completed=done, total=total))
    left_empty = "" if not missed else f" (no face found in {missed} pictures, whose cells stay empty)"
    output_console().print(f"landmarks: {manifest}{left_empty}", markup=False)
    return 0
