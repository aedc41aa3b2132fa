"""Probabilities that mean what they say, and thresholds that decide best, fitted without the fold that is tested.

Class weights and a preset's rates pull a network's probabilities away from how often an AU occurs. Two numbers an AU
(Platt, "Probabilistic Outputs for Support Vector Machines", 1999) put them right, and go into the network itself.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve

from vlfau.data import Manifest, read_manifest
from vlfau.errors import ConfigError, ManifestError
from vlfau.evaluation.prediction_runner import EvalOptions, PredictionRunner
from vlfau.evaluation.predictions import UNKNOWN
from vlfau.evaluation.provenance import CALIBRATION, OLD_CALIBRATION, Calibration, Source, held_out_subjects
from vlfau.facs import action_unit
from vlfau.model.checkpoint import Checkpoint, load_checkpoint
from vlfau.training import save_checkpoint

__all__ = ["PlattScaling", "best_threshold", "calibrate", "platt_scaling"]

MIN_STATES = 10
"""Frames that an AU needs in either state."""
MIN_SLOPE = 1e-3
SOURCES: Final[Mapping[str, str]] = {
    "held-out": "of the people held out of training",
    "training-folds": "of the training folds",
    "other-manifest": "of the manifest",
}


def calibrate(checkpoint: Path, manifest: Path, out: Path, *, options: EvalOptions | None = None) -> Checkpoint:
    """Write a checkpoint whose probabilities are calibrated and whose thresholds give the highest F1.

    Of a manifest with folds, the fold that the checkpoint left out is never looked at: it is there to be tested. People
    whom the training held out are taken where there are any, else those of the training folds, on whose faces the
    network is surer than on new ones. A checkpoint that left out no fold takes every frame. The new checkpoint's
    metadata say under `training.calibration` on whom it was calibrated.

    Args:
        checkpoint: The folder that training left.
        manifest: Frames with all of its AUs: the data set that it was trained on, or other people.
        out: The folder of the new checkpoint; it must not exist yet.
        options: How to run the network.

    Returns:
        Its metadata.

    Raises:
        InputError: The checkpoint or the manifest is wrong, an AU has too few frames in a state, or the folder exists.
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
    """Return the frames to fit to, and what they are."""
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
    """What a logit is multiplied with, and what is then added."""

    slope: float
    shift: float


def platt_scaling(au_logits: NDArray[np.float64], active: NDArray[np.bool_]) -> PlattScaling:
    """Return the scaling that makes one AU's logits (F,) the likeliest for its states (F,)."""
    model = LogisticRegression(C=100, max_iter=1000).fit(au_logits[:, None], active)
    slope, shift = float(model.coef_[0, 0]), float(model.intercept_[0])
    if slope < MIN_SLOPE:  # No better than chance: it says how often the AU occurs, rather than being turned around.
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
