"""Calibrated probabilities and thresholds with the highest F1, fitted without the test fold.

Class weights and the AU rates of synthetic presets bias a network's probabilities. Platt scaling (Platt, "Probabilistic
Outputs for Support Vector Machines", 1999) corrects them with two numbers per AU, which are stored in the network.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve

from vlfau.data.manifest import Manifest, read_manifest
from vlfau.errors import ConfigError, ManifestError
from vlfau.evaluation.prediction_runner import EvalOptions, PredictionRunner
from vlfau.evaluation.predictions import UNKNOWN
from vlfau.evaluation.provenance import CALIBRATION, OLD_CALIBRATION, Calibration, Source, held_out_subjects
from vlfau.facs import action_unit
from vlfau.model.checkpoint import Checkpoint, load_checkpoint
from vlfau.training import save_checkpoint

__all__ = ["PlattScaling", "best_threshold", "calibrate", "platt_scaling"]

MIN_STATES = 10
"""Minimum number of frames per state of an AU."""
MIN_SLOPE = 1e-3
SOURCES: Final[Mapping[str, str]] = {
    "held-out": "of the people held out of training",
    "training-folds": "of the training folds",
    "other-manifest": "of the manifest",
}


def calibrate(checkpoint: Path, manifest: Path, out: Path, *, options: EvalOptions | None = None) -> Checkpoint:
    """Write a checkpoint whose probabilities are calibrated and whose thresholds give the highest F1.

    The test fold of the checkpoint is not used. From a manifest with folds, people held out of training are used if
    there are any, otherwise those of the training folds, on which the network is more confident than on new people. A
    checkpoint without a test fold uses every frame. The new checkpoint's metadata record the calibration under
    `training.calibration`.

    Args:
        checkpoint: Folder of the checkpoint.
        manifest: Frames with all of its AUs: the data set that it was trained on, or other people.
        out: The folder of the new checkpoint; it must not exist yet.
        options: How to run the network.

    Returns:
        Its metadata.

    Raises:
        InputError: The checkpoint or the manifest is invalid, an AU has too few frames in a state, or the folder
            exists.
    """
    if out.exists():
        raise ConfigError(f"{out} exists already; remove it, or name another folder")
    network, metadata = load_checkpoint(checkpoint)
    frames, source = _fitting_frames(read_manifest(manifest, metadata.au_ids), metadata)
    runner = PredictionRunner.of_network(network, metadata, metadata.au_ids, options or EvalOptions())
    predictions = runner.run(frames)
    limit = np.finfo(np.float32).eps
    probs = predictions.au_probs.astype(np.float64).clip(limit, 1 - limit)
    au_logits = np.log(probs) - np.log1p(-probs)
    thresholds = []
    for column, au_id in enumerate(metadata.au_ids):
        known = predictions.occurrence[:, column] != UNKNOWN
        scores, active = au_logits[known, column], predictions.occurrence[known, column] == 1
        if min(active.sum(), (~active).sum()) < MIN_STATES:
            raise ManifestError(
                f"in {manifest} {action_unit(au_id).label} is active in {active.sum()} of the {len(active)} annotated "
                f"frames {SOURCES[source]}; calibration needs {MIN_STATES} frames of either kind at least, add some"
            )
        scaling = platt_scaling(scores, active)
        network.rescale_logits(column, scaling.slope, scaling.shift)
        calibrated = 1 / (1 + np.exp(-(scaling.slope * scores + scaling.shift)))
        thresholds.append(best_threshold(calibrated, active))
    training = metadata.training | {CALIBRATION: Calibration.on(frames, source).as_json()}
    training.pop(OLD_CALIBRATION, None)
    calibrated = replace(metadata, thresholds=tuple(thresholds), training=training)
    save_checkpoint(out, network.cpu(), calibrated)
    return calibrated


def _fitting_frames(offered: Manifest, metadata: Checkpoint) -> tuple[Manifest, Source]:
    """Return the frames to fit to, and their source."""
    with_folds = metadata.fold is not None and any(frame.fold is not None for frame in offered.frames)
    rest = tuple(frame for frame in offered.frames if not with_folds or frame.fold != metadata.fold)
    if not rest:
        raise ManifestError(
            f"{offered.path} has frames of fold {metadata.fold} alone, which the checkpoint left out to be tested on; "
            "give the whole data set, whose other folds are calibrated on"
        )
    held_out = held_out_subjects(metadata.training)
    kept = tuple(frame for frame in rest if frame.subject_id in held_out)
    if kept and (with_folds or held_out <= {frame.subject_id for frame in kept}):
        return replace(offered, frames=kept), "held-out"
    return replace(offered, frames=rest), "training-folds" if with_folds else "other-manifest"


class PlattScaling(NamedTuple):
    """Factor and offset of a logit."""

    slope: float
    shift: float


def platt_scaling(au_logits: NDArray[np.float64], active: NDArray[np.bool_]) -> PlattScaling:
    """Return the maximum-likelihood scaling of one AU's logits (F,) for its states (F,)."""
    model = LogisticRegression(C=100, max_iter=1000).fit(au_logits[:, None], active)
    slope, shift = float(model.coef_[0, 0]), float(model.intercept_[0])
    if slope < MIN_SLOPE:  # No better than chance: predict the base rate instead of inverting the logits.
        rate = active.mean()
        slope, shift = MIN_SLOPE, float(np.log(rate / (1 - rate)) - MIN_SLOPE * au_logits.mean())
    return PlattScaling(slope, shift)


def best_threshold(probs: NDArray[np.float64], active: NDArray[np.bool_]) -> float:
    """Return the threshold with the highest F1 of the active state, from probabilities (F,) and states (F,).

    >>> best_threshold(np.array([0.1, 0.2, 0.3, 0.6]), np.array([False, False, True, True]))
    0.25
    """
    precision, recall, levels = precision_recall_curve(active, probs)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    best = int(f1[:-1].argmax())
    below = levels[best - 1] if best > 0 else 0.0
    return float(round((levels[best] + below) / 2, 4))
