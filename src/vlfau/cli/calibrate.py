"""`vlfau calibrate`: a checkpoint in, one with calibrated probabilities and thresholds out."""

from pathlib import Path

__all__ = ["calibrate"]

SOURCES = {
    "held-out": "who were held out of training",
    "training-folds": "of the training folds, which the network has seen: it is less confident on new people",
    "other-manifest": "of the manifest",
}


def calibrate(checkpoint: Path, manifest: Path, output: Path, /, *, batch_size: int = 32, workers: int = 0) -> int:
    """Calibrate a checkpoint's probabilities, and choose the thresholds with the highest F1.

    The test fold of the checkpoint is not used, so it can still be tested. From a manifest with folds, the people held
    out of training are used if there are any, otherwise those of the training folds. A checkpoint without a test fold
    needs a manifest of other people.

    Args:
        checkpoint: Folder written by `vlfau train`, such as runs/small-fold1/checkpoint.
        manifest: The manifest it was trained on, with folds, or one of other people.
        output: New folder for the calibrated checkpoint.
        batch_size: Batch size.
        workers: Number of additional processes for reading pictures.
    """
    from vlfau.cli.console import output_console
    from vlfau.cli.measuring import ProgressBar
    from vlfau.evaluation.calibration import calibrate as run
    from vlfau.evaluation.prediction_runner import EvalOptions
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
