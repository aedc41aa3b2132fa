"""Effect of `--baseline` on synthetic subjects with known AUs: none, from the clip, or from a neutral picture."""

from collections.abc import Iterator, Mapping

import numpy as np
from benchmarks.rows import Row
from numpy.typing import NDArray

from studies.acting import Performance, performances
from vlfau.evaluation.au_metrics import Confusion
from vlfau.evaluation.probability_metrics import roc_auc_per_au
from vlfau.facs import action_unit
from vlfau.inference.predictor import Predictor
from vlfau.video.baseline import Baseline
from vlfau.video.tracks import Track

__all__ = ["measure"]

CLIPS, FRAMES = 24, 260
"""Just over ten seconds; a shorter clip is too short for a baseline."""

Scores = tuple[NDArray[np.float64], NDArray[np.float64]]


def measure() -> Iterator[Row]:
    """Yield mean F1 and AUC with and without baselines, and the AUs that change most."""
    predictor = Predictor(describe="never")
    thresholds = predictor.bundle.info.thresholds
    acted = [each for each in performances(predictor, clips=CLIPS, frames=FRAMES, neutral=True) if each.neutral]
    occurrence = np.concatenate([each.intensities[each.frames] >= 1 for each in acted]).astype(np.int8)
    yield Row("subjects, frames", f"{len(acted)}, {len(occurrence)}")

    def scores(corrected: list[Track]) -> Scores:
        probs = np.concatenate([track.probs for track in corrected])
        f1 = Confusion.of(probs, occurrence, np.array(thresholds)).f1_per_au
        return f1, roc_auc_per_au(probs, occurrence)

    def by_clip(each: Performance) -> Track:
        return Baseline.from_track(each.track, thresholds).apply(each.track)

    def by_picture(each: Performance) -> Track:
        return Baseline.from_faces(list(each.neutral), thresholds).apply(each.track)

    found: Mapping[str, Scores] = {
        "none": scores([each.track for each in acted]),
        "clip": scores([by_clip(each) for each in acted]),
        "a neutral picture": scores([by_picture(each) for each in acted]),
    }
    f1_before, auc_before = found["none"]
    for choice, (f1, auc) in found.items():
        yield Row(f"baseline: {choice}", f"macro F1 {100 * np.nanmean(f1):.1f}, mean AUC {100 * np.nanmean(auc):.1f}")
    for choice in ("clip", "a neutral picture"):
        change = 100 * (found[choice][0] - f1_before)
        order = np.argsort(np.nan_to_num(change))
        extremes = [*order[:3], *order[-3:]]
        text = ", ".join(f"{action_unit(predictor.au_ids[one]).label} {change[one]:+.1f}" for one in extremes)
        yield Row(f"F1 points that change most, {choice}", text)
        yield Row(f"AUC points, {choice}", f"{100 * np.nanmean(found[choice][1] - auc_before):+.1f}")
