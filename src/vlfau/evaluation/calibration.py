"""Probabilities that mean what they say, and thresholds that decide best, learned on people who were not trained on.

Class weights and a preset's rates pull a network's probabilities away from how often an AU occurs. Two numbers an AU
(Platt, "Probabilistic Outputs for Support Vector Machines", 1999) put them right, and go into the network itself.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve

from vlfau.data import read_manifest
from vlfau.errors import ConfigError, ManifestError
from vlfau.evaluation.answering import Answerer, Look
from vlfau.evaluation.answers import UNKNOWN
from vlfau.facs import action_unit
from vlfau.training import Checkpoint, load_checkpoint, save_checkpoint

__all__ = ["best_threshold", "calibrate", "platt_scaling"]

LEAST_STATES = 10
"""Frames that an AU needs in either state."""
LEAST_SLOPE = 1e-3


def calibrate(checkpoint: Path, manifest: Path, out: Path, *, look: Look | None = None) -> Checkpoint:
    """Write a checkpoint whose probabilities are calibrated and whose thresholds give the highest F1.

    Args:
        checkpoint: The folder that training left.
        manifest: Frames of people that it was not trained on, with all of its AUs.
        out: The folder of the new checkpoint; it must not exist yet.
        look: How to run the network.

    Returns:
        Its papers.

    Raises:
        InputError: The checkpoint or the manifest is wrong, an AU has too few frames in a state, or the folder exists.
    """
    if out.exists():
        raise ConfigError(f"{out} exists already; remove it, or name another folder")
    network, papers = load_checkpoint(checkpoint)
    frames = read_manifest(manifest, papers.au_ids)
    answers = Answerer(network, papers, papers.au_ids, look or Look()).see(frames)
    limit = np.finfo(np.float32).eps
    probs = answers.au_probs.astype(np.float64).clip(limit, 1 - limit)
    au_logits = np.log(probs) - np.log1p(-probs)
    thresholds = []
    for column, au_id in enumerate(papers.au_ids):
        known = answers.occurrence[:, column] != UNKNOWN
        scores, active = au_logits[known, column], answers.occurrence[known, column] == 1
        if min(active.sum(), (~active).sum()) < LEAST_STATES:
            raise ManifestError(
                f"in {manifest} {action_unit(au_id).label} is active in {active.sum()} of {len(active)} annotated "
                f"frames; calibration needs {LEAST_STATES} frames of either kind at least, add some"
            )
        slope, shift = platt_scaling(scores, active)
        network.rescale_logits(column, slope, shift)
        calibrated = 1 / (1 + np.exp(-(slope * scores + shift)))
        thresholds.append(best_threshold(calibrated, active))
    training = papers.training | {"calibrated_on_frames": len(frames.frames)}
    calibrated_papers = replace(papers, thresholds=tuple(thresholds), training=training)
    save_checkpoint(out, network.cpu(), calibrated_papers)
    return calibrated_papers


def platt_scaling(au_logits: NDArray[np.float64], active: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the slope and the shift that make one AU's logits (F,) the likeliest for its states (F,)."""
    model = LogisticRegression(C=100, max_iter=1000).fit(au_logits[:, None], active)
    slope, shift = float(model.coef_[0, 0]), float(model.intercept_[0])
    if slope < LEAST_SLOPE:  # No better than chance: it says how often the AU occurs, rather than being turned around.
        rate = active.mean()
        slope, shift = LEAST_SLOPE, float(np.log(rate / (1 - rate)) - LEAST_SLOPE * au_logits.mean())
    return slope, shift


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
