"""`vlfau calibrate`: a checkpoint in, one with calibrated probabilities and thresholds out."""

from pathlib import Path

__all__ = ["calibrate"]


def calibrate(checkpoint: Path, manifest: Path, output: Path, /, *, batch_size: int = 32, workers: int = 0) -> int:
    """Make a checkpoint's probabilities mean what they say, and choose the thresholds with the highest F1.

    Args:
        checkpoint: The folder that `vlfau train` left, such as runs/small-fold1/checkpoint.
        manifest: Frames of people that it was not trained on.
        output: A new folder for the calibrated checkpoint.
        batch_size: Faces at once.
        workers: Processes that read pictures, besides this one.
    """
    from vlfau.cli.console import output_console
    from vlfau.cli.measuring import ProgressBar
    from vlfau.evaluation import Look
    from vlfau.evaluation import calibrate as run

    with ProgressBar("Frames") as progress:
        papers = run(checkpoint, manifest, output, look=Look(batch_size, workers, progress=progress))
    pairs = zip(papers.au_ids, papers.thresholds or (), strict=True)
    thresholds = ", ".join(f"AU{au_id} {threshold:.2f}" for au_id, threshold in pairs)
    output_console().print(f"checkpoint: {output} (thresholds: {thresholds})", markup=False)
    return 0
