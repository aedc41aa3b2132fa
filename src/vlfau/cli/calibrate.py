"""`vlfau calibrate`: a checkpoint in, one with calibrated probabilities and thresholds out."""

from pathlib import Path

__all__ = ["calibrate"]

SOURCES = {
    "held-out": "who were held out of training",
    "training-folds": "of the training folds, whose faces the network knows: on new people it is less sure",
    "other-manifest": "of the manifest",
}


def calibrate(checkpoint: Path, manifest: Path, output: Path, /, *, batch_size: int = 32, workers: int = 0) -> int:
    """Make a checkpoint's probabilities mean what they say, and choose the thresholds with the highest F1.

    The fold that the checkpoint left out is never looked at, so it can still be tested: of a manifest with folds, the
    people whom training held out are taken where there are any, else those of the training folds. A checkpoint that
    left out no fold needs a manifest of other people.

    Args:
        checkpoint: The folder that `vlfau train` left, such as runs/small-fold1/checkpoint.
        manifest: The frames that it was trained on, with their folds, or those of other people.
        output: A new folder for the calibrated checkpoint.
        batch_size: Faces at once.
        workers: Processes that read pictures, besides this one.
    """
    from vlfau.cli.console import output_console
    from vlfau.cli.measuring import ProgressBar
    from vlfau.evaluation import EvalOptions
    from vlfau.evaluation import calibrate as run
    from vlfau.evaluation.provenance import calibration_of

    with ProgressBar("Frames") as progress:
        metadata = run(checkpoint, manifest, output, options=EvalOptions(batch_size, workers, progress=progress))
    pairs = zip(metadata.au_ids, metadata.thresholds or (), strict=True)
    thresholds = ", ".join(f"AU{au_id} {threshold:.2f}" for au_id, threshold in pairs)
    console = output_console()
    used = calibration_of(metadata.training)
    assert used is not None
    console.print(
        f"calibrated on {used.frames:,} frames of {len(used.subjects):,} people {SOURCES[used.source]}", markup=False
    )
    console.print(f"checkpoint: {output} (thresholds: {thresholds})", markup=False)
    return 0
