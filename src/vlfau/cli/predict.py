"""`vlfau predict`: pictures, videos and cameras in, action units and words out."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vlfau.cli.garbage import quick_imports
from vlfau.runs.options import PredictOptions

__all__ = ["predict"]

_DEFAULTS = PredictOptions()


def predict(
    inputs: Annotated[list[str], Parameter(name="INPUT", negative=())],
    /,
    *,
    options: PredictOptions = _DEFAULTS,
    quiet: Annotated[bool, Parameter(alias="-q", negative=(), show_default=False)] = False,
) -> int:
    """Recognise the action units of faces in pictures and videos, and describe them in words.

    Without --out and --table, results are only printed. If an input cannot be read or shows no face, this is reported
    and the others are still processed; the exit code is then 2.

    Args:
        inputs: Pictures, videos, folders of them, and cameras such as camera:0 (stop with Ctrl-C).
        options: What to do with them.
        quiet: Print no results.
    """
    with quick_imports():
        import cv2

        from vlfau.cli.progress_display import ProgressDisplay
        from vlfau.files.workers import MAX_WORKERS, check_number
        from vlfau.runs.engine import run
        from vlfau.runs.interrupts import termination_as_interrupt
        from vlfau.runs.live import STANDARD_OUTPUT

    check_number("threads", options.threads, MAX_WORKERS)
    # OpenCV would take all CPUs for every small step, which costs more than it saves.
    cv2.setNumThreads(options.threads)
    shown = {"measurements": options.measurements, "quality": options.quality}
    # Live results have standard output to themselves.
    quiet = quiet or STANDARD_OUTPUT in options.live
    with termination_as_interrupt(), ProgressDisplay(quiet=quiet, **shown) as display:
        summary = run(inputs, options, observer=display)
        display.print(str(summary))
        for path in filter(Path.exists, summary.outputs):  # A table without rows is not written.
            display.print(f"results: {path}")
    return 2 if summary.has_failures else 0
