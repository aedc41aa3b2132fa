"""One checkpoint on the frames of one manifest: predictions, captions and scores."""

from pathlib import Path
from typing import Any, Literal

from vlfau.errors import CheckpointError
from vlfau.evaluation.prediction_runner import EvalOptions, PredictionRunner
from vlfau.evaluation.scoring import Scope, ScoredModel, au_set, check_tuning, score, scored_frames
from vlfau.training import Checkpoint, load_checkpoint, read_metadata

__all__ = ["Scope", "au_set", "evaluate"]


def evaluate(
    checkpoint: Path,
    manifest: Path,
    out: Path,
    *,
    fold: int | Literal["all"] | None = None,
    scope: Scope | None = None,
    options: EvalOptions | None = None,
    description: str | None = None,
    synthetic: bool | None = None,
    allow_tuned: bool = False,
) -> dict[str, Any]:
    """Measure a network on frames that it never saw.

    Writes `answers.npz`, `captions.jsonl` and, last of all, `scores.json`. Masks (`regions/`), counterfactual pairs
    (`pairs.csv`) and the frames that the manifest leaves out (`skipped.csv`) are used where they lie beside it.

    Args:
        checkpoint: The folder that training left.
        manifest: The frames. Where its AUs are others than the network's, those that both have are scored.
        out: The folder to write to.
        fold: The fold to test; None is the one that the checkpoint left out, "all" takes every frame, also those
            that the network may have been trained on.
        scope: How much is measured.
        options: How to run the network.
        description: What the data are; None says what the checkpoint says of its training data.
        synthetic: Whether the faces are synthetic; None likewise.
        allow_tuned: Whether to score a checkpoint that was calibrated on people who are tested; the scores say so.

    Returns:
        The content of `scores.json`.

    Raises:
        InputError: The checkpoint, the manifest or its company is wrong, or the network was trained on the fold, or
            calibrated on people who are tested.
    """
    scope, options = scope or Scope(), options or EvalOptions()
    metadata = read_metadata(checkpoint)
    model = ScoredModel(
        title=f"checkpoint {checkpoint}",
        au_ids=metadata.au_ids,
        thresholds=metadata.thresholds,
        fold=metadata.fold,
        training=metadata.training,
        backbone=metadata.model.backbone,
        crop_size=metadata.model.crop_size,
        aligned_size=metadata.aligned_size,
    )
    scored = scored_frames(manifest, model, _tested_fold(checkpoint, metadata, fold))
    if metadata.speaks and metadata.descriptions is None:
        raise CheckpointError(
            f"checkpoint {checkpoint} does not carry the descriptions that it learned, and this vlfau's are others, so "
            "its words cannot be measured; train again, or use the version of vlfau that trained it"
        )
    network, _ = load_checkpoint(checkpoint, fold=scored.fold)
    tuned = check_tuning(model, scored, allow_tuned=allow_tuned)
    runner = PredictionRunner(network, metadata, scored.frames.au_ids, options)
    data = {
        "description": metadata.training.get("data", "") if description is None else description,
        "synthetic": bool(metadata.training.get("synthetic")) if synthetic is None else synthetic,
    }
    return score(runner, model, scored, out, scope=scope, options=options, data=data, tuned=tuned)


def _tested_fold(checkpoint: Path, metadata: Checkpoint, fold: int | Literal["all"] | None) -> int | None:
    if fold == "all":
        return None
    if fold is None and metadata.fold is None:
        raise CheckpointError(
            f"checkpoint {checkpoint} left out no fold: it was trained on every frame of its data; give other faces "
            "and --fold all, or a checkpoint that left a fold out"
        )
    if fold is not None and fold != metadata.fold:
        raise CheckpointError(
            f"checkpoint {checkpoint} left out {'no fold' if metadata.fold is None else f'fold {metadata.fold}'}, so "
            f"it was trained on fold {fold}; use the checkpoint of fold {fold}, or --fold all for other faces"
        )
    return metadata.fold
