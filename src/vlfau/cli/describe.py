"""`vlfau describe`: a data set in words."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["describe"]


def describe(
    manifest: Path,
    out: Path | None = None,
    /,
    *,
    seed: int = 0,
    paraphrases: Annotated[bool, Parameter(negative=())] = False,
    check: Path | None = None,
) -> int:
    """Describe every frame of a manifest: one text per action unit and one for the face, one JSON line per frame.

    The pictures are not needed. The same seed gives the same file.

    Args:
        manifest: The CSV file of frames.
        out: The file to write, such as descriptions.jsonl.
        seed: Random seed for choosing paraphrases.
        paraphrases: Choose every text at random among its paraphrases; otherwise every state has one canonical text.
        check: Write nothing; parse the texts of this file and list the lines that contradict the manifest, such as "at
            rest" for an action unit that may show a trace.
    """
    from rich.progress import Progress

    from vlfau.cli.console import error_console, output_console
    from vlfau.data.check_descriptions import find_mismatches
    from vlfau.data.describe import describe as write
    from vlfau.data.manifest import read_manifest
    from vlfau.errors import ConfigError, DescriptionError

    if (out is None) == (check is None):
        raise ConfigError("name either a file to write or, with --check, a file to check")
    frames = read_manifest(manifest, pictures=False)
    mismatches = 0
    console = output_console()
    with Progress(console=error_console(), transient=True) as bar:
        task = bar.add_task("Frames", total=len(frames.frames))

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        if out is not None:
            write(frames, out, seed=seed, paraphrases=paraphrases, progress=progress)
            console.print(f"descriptions: {out} ({len(frames.frames)} frames)", markup=False)
        if check is not None:
            for mismatch in find_mismatches(frames, check, progress):
                console.print(str(mismatch), markup=False, soft_wrap=True)
                mismatches += 1
    if mismatches:
        raise DescriptionError(
            f"{check} contradicts {manifest} in {mismatches} places, listed above; correct the lines, or "
            "describe the manifest again"
        )
    if check is not None:
        console.print(f"checked: every text of {check} agrees with {manifest}", markup=False)
    return 0
