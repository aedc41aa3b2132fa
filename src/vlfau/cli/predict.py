"""`vlfau predict`: pictures, videos and cameras in, action units and words out."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vlfau.runs.options import PredictOptions

__all__ = ["predict"]

_DEFAULTS = PredictOptions()


def predict(
    inputs: Annotated[list[Path], Parameter(name="INPUT", negative=())],
    /,
    *,
    options: PredictOptions = _DEFAULTS,
    quiet: Annotated[bool, Parameter(alias="-q", negative=(), show_default=False)] = False,
) -> int:
    """Say which action units act on the faces of pictures and videos, in numbers and in words.

    Without --out and --table the results are only printed. An input that cannot be read, or without a face, is
    reported and the others are still processed; the exit code is then 2.

    Args:
        inputs: Pictures, videos, folders of them, and cameras such as camera:0, which Ctrl-C ends.
        options: What to do with them.
        quiet: Print no results.
    """
    from vlfau.cli.progress_display import ProgressDisplay
    from vlfau.runs.engine import run
    from vlfau.runs.interrupts import termination_as_interrupt

    with termination_as_interrupt(), ProgressDisplay(quiet=quiet) as display:
        summary = run(inputs, options, observer=display)
        display.print(str(summary))
        for path in summary.outputs:
            display.print(f"results: {path}")
    return 2 if summary.has_failures else 0
