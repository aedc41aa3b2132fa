"""A model on the frames of a manifest: predictions, captions and scores, whatever computes the model.

`evaluate` asks a checkpoint in torch, `vlfau.export.evaluate_bundle` a bundle in ONNX Runtime; both come here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from vlfau.data import Manifest, read_manifest
from vlfau.errors import CheckpointError, ConfigError, InputError, ManifestError
from vlfau.evaluation.au_metrics import Threshold
from vlfau.evaluation.bootstrap import f1_draws
from vlfau.evaluation.consistency import consistency
from vlfau.evaluation.counterfactuals import counterfactuals
from vlfau.evaluation.grounding import grounding
from vlfau.evaluation.lost_frames import lost_figures, read_lost_frames
from vlfau.evaluation.partners import partner_frames
from vlfau.evaluation.prediction_runner import EvalOptions
from vlfau.evaluation.predictions import Predictions
from vlfau.evaluation.provenance import calibration_of, epoch_choice, trained_on, tuned_on_tested
from vlfau.evaluation.scores import (
    SCORES_FILE,
    caption_scores,
    drawn_scores,
    figures,
    intervals,
    read_scores,
    write_json,
)
from vlfau.facs import AU_SETS
from vlfau.training import PROTOCOL_THRESHOLD

__all__ = ["Asked", "Scope", "ScoredFrames", "ScoredModel", "au_set", "check_tuning", "score", "scored_frames"]

REGIONS_FOLDER = "regions"
PAIRS_FILE = "pairs.csv"


@dataclass(frozen=True)
class Scope:
    """How much is measured.

    Attributes:
        threshold: The probability from which an AU counts as active; the protocol's is 0.5. None takes the
            model's own, one an AU.
        describe: Whether frames are described in words and the words scored.
        described_frames: How many frames, evenly spaced, are described; None describes all.
    """

    threshold: float | None = PROTOCOL_THRESHOLD
    describe: bool = True
    described_frames: int | None = None

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 < self.threshold < 1:
            raise ConfigError(f"a threshold is a probability between 0 and 1, not {self.threshold}; choose another")
        if self.described_frames is not None and self.described_frames < 1:
            raise ConfigError(f"{self.described_frames} frames can't be described; give one or more, or --no-describe")

    def places(self, count: int) -> list[int]:
        """Return which of some frames are described.

        >>> Scope(described_frames=3).places(9)
        [0, 4, 8]
        """
        if not self.describe:
            return []
        wanted = min(count, self.described_frames or count)
        return [round(place) for place in np.linspace(0, count - 1, wanted).tolist()]


class Asked(Protocol):
    """Asks a model about frames of its AUs, or of some of them; `PredictionRunner` says what each method does."""

    @property
    def speaks(self) -> bool:
        """Whether the model has words at all."""

    def run(self, manifest: Manifest) -> Predictions:
        """Return the predictions in numbers."""

    def speak(
        self,
        manifest: Manifest,
        predictions: Predictions,
        places: Sequence[int],
        *,
        threshold: Threshold,
        consistent: bool = True,
        watch_words: bool = True,
    ) -> Predictions:
        """Return the predictions with captions of some frames."""

    def word_shares(self) -> dict[str, float]:
        """Return the top-5 word accuracies of the true words that `speak` watched."""


@dataclass(frozen=True)
class ScoredModel:
    """What is known of a model under test.

    Attributes:
        title: What messages call it.
        au_ids: The AUs that it knows.
        thresholds: Its own, one an AU; None stands for the protocol's 0.5.
        fold: The fold that it left out; None where it left out none.
        training: Where it comes from, as a checkpoint's and a bundle's metadata say.
        backbone: The name of its backbone.
        crop_size: Side of the network's crops in pixels.
        aligned_size: Side of the aligned faces that they are taken from.
    """

    title: str
    au_ids: tuple[int, ...]
    thresholds: tuple[float, ...] | None
    fold: int | None
    training: Mapping[str, Any]
    backbone: str
    crop_size: int
    aligned_size: int

    def threshold(self, scope: Scope, au_ids: Sequence[int]) -> Threshold:
        """Return the probability from which each of some AUs counts as active."""
        if scope.threshold is not None:
            return scope.threshold
        if self.thresholds is None:
            return PROTOCOL_THRESHOLD
        return np.array([self.thresholds[self.au_ids.index(au_id)] for au_id in au_ids])


@dataclass(frozen=True)
class ScoredFrames:
    """The frames to test.

    Attributes:
        fold: Their fold; None where all frames are tested.
        whole: The whole manifest, with the AUs that the model knows too.
        frames: Those of the fold.
    """

    fold: int | None
    whole: Manifest
    frames: Manifest


def scored_frames(manifest: Path, model: ScoredModel, fold: int | None) -> ScoredFrames:
    """Read the frames of a fold, with the AUs that the model and the manifest have.

    Raises:
        ManifestError: The manifest is wrong, or has no such AU or frame.
    """
    offered = read_manifest(manifest)
    common = tuple(au_id for au_id in model.au_ids if au_id in offered.au_ids)
    if not common:
        raise ManifestError(
            f"manifest {manifest} has the AUs {list(offered.au_ids)}, of which the network knows none; it knows "
            f"{list(model.au_ids)}, give frames with some of them"
        )
    whole = read_manifest(manifest, common) if common != offered.au_ids else offered
    chosen = tuple(frame for frame in whole.frames if fold is None or frame.fold == fold)
    if not chosen:
        raise ManifestError(
            f"manifest {manifest} has no frame of fold {fold}, which the checkpoint left out; give the manifest that "
            "it was trained with, or --fold all for other faces"
        )
    return ScoredFrames(fold, whole, replace(whole, frames=chosen))


def check_tuning(model: ScoredModel, frames: ScoredFrames, *, allow_tuned: bool) -> bool:
    """Say whether a model was calibrated on people who are tested, which only `allow_tuned` allows.

    Raises:
        CheckpointError: It was, or does not say on whom.
    """
    calibration = calibration_of(model.training)
    if calibration is None:
        return False
    if calibration.source == "unknown":
        tuned, how = frames.fold is not None, "does not say on whom it was calibrated"
    else:
        tuned = tuned_on_tested(calibration, frames.frames, same_names=frames.fold is not None)
        how = "was calibrated on people who are tested"
    if tuned and not allow_tuned:
        raise CheckpointError(
            f"{model.title} {how}, so its scores would be better than on new people; calibrate the uncalibrated "
            "checkpoint again (`vlfau calibrate` leaves the tested fold out), or give --allow-tuned, and every table "
            "marks the scores"
        )
    return tuned


def score(
    asked: Asked,
    model: ScoredModel,
    scored: ScoredFrames,
    out: Path,
    *,
    scope: Scope,
    options: EvalOptions,
    data: Mapping[str, Any],
    tuned: bool,
) -> dict[str, Any]:
    """Ask a model about frames, and write its predictions, captions and, last of all, scores.

    Args:
        asked: Asks the model about the AUs of the frames.
        model: What is known of it.
        scored: The frames.
        out: The folder to write to.
        scope: How much is measured.
        options: Is told of the progress.
        data: What the data are, the entries `description` and `synthetic`.
        tuned: What `check_tuning` found.

    Returns:
        The content of `scores.json`.

    Raises:
        InputError: What lies beside the manifest is wrong, or the folder can't be written.
    """
    frames = scored.frames
    lost = read_lost_frames(scored.whole, scored.fold)
    _make_folder(out)
    threshold = model.threshold(scope, frames.au_ids)
    predictions = asked.run(frames)
    places = scope.places(len(frames.frames))
    if places:
        predictions = asked.speak(frames, predictions, places, threshold=threshold)
    predictions.save(out)
    draws = f1_draws(predictions, threshold, seed=scored.fold or 0)
    found = figures(predictions, threshold)
    scores: dict[str, Any] = {
        "data": {**data, "au_set": au_set(frames.au_ids)},
        "network": {
            "trained_on": model.training.get("data", ""),
            "trained_on_synthetic": model.training.get("synthetic"),
            "from_scratch": model.training.get("from_scratch"),
            "backbone": model.backbone,
            "epoch_choice": epoch_choice(model.training, model.fold),
            "calibration": _calibration(model, tuned=tuned),
            "trained_on_tested": scored.fold is None and trained_on(model.training, model.fold, scored.whole),
        },
        "evaluation": asdict(scope),
        "au_ids": frames.au_ids,
        "fold": scored.fold,
        "frames": len(predictions),
        "subjects": len(set(predictions.subject_ids)),
        "threshold": np.asarray(threshold).tolist(),
        "threshold_source": _threshold_source(model, scope),
        **found,
        "without_positives": _without_positives(found),
        "intervals": intervals(frames.au_ids, [draws]),
    }
    if lost is not None:
        scores["lost_frames"] = lost_figures(predictions, lost, threshold)
    if places and asked.speaks:
        words = caption_scores(predictions, frames.frames, places)
        if predictions.consistent_captions is not None:
            words |= drawn_scores(predictions, frames.frames, places, threshold)
        scores["words"] = {"frames": len(places), **asked.word_shares(), **words}
    scores["truth"] = consistency(predictions, threshold)
    regions = frames.path.parent / REGIONS_FOLDER
    if regions.is_dir() and (predictions.attention_maps != 1).any():  # Without DAIR there is no attention to look at.
        sizes = {"crop_size": model.crop_size, "aligned_size": model.aligned_size}
        scores["truth"] |= grounding(predictions, regions, **sizes, progress=options.progress)
    pairs = frames.path.parent / PAIRS_FILE
    if pairs.is_file():
        chosen = places if scope.described_frames is not None and places else range(len(predictions))
        some = replace(frames, frames=tuple(frames.frames[place] for place in chosen))
        scores["counterfactuals"] = _switched(
            asked, some, predictions.take(chosen), pairs, threshold, describe=bool(places)
        )
    write_json(out / SCORES_FILE, scores)
    return read_scores(out)


def au_set(au_ids: Sequence[int]) -> str | None:
    """Return the name of the set of AUs that these are, or None."""
    return next((name for name, members in AU_SETS.items() if members == tuple(au_ids)), None)


def _switched(
    asked: Asked, frames: Manifest, predictions: Predictions, pairs: Path, threshold: Threshold, *, describe: bool
) -> dict[str, Any]:
    """Ask about the counterfactual partners of frames, and compare."""
    partners = partner_frames(frames, predictions.images, pairs)
    if not partners.frames:
        return {"pairs": 0}
    theirs = asked.run(partners)
    if describe:
        every = range(len(theirs))
        theirs = asked.speak(partners, theirs, every, threshold=threshold, consistent=False, watch_words=False)
    return counterfactuals(predictions, theirs, pairs, threshold)


def _calibration(model: ScoredModel, *, tuned: bool) -> dict[str, Any] | None:
    calibration = calibration_of(model.training)
    return None if calibration is None else calibration.summary(tested=tuned)


def _threshold_source(model: ScoredModel, scope: Scope) -> str:
    """Say where the thresholds come from: "protocol" (0.5), "given" by the user, or the "model"."""
    if scope.threshold is not None:
        return "protocol" if scope.threshold == PROTOCOL_THRESHOLD else "given"
    return "protocol" if model.thresholds is None else "model"


def _without_positives(found: Mapping[str, Any]) -> list[int]:
    """Return the AUs that are annotated and never active, so that they have no F1."""
    accuracy = found["accuracy_per_au"]
    return [int(au_id) for au_id, f1 in found["f1_per_au"].items() if f1 is None and accuracy[au_id] is not None]


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / SCORES_FILE).unlink(missing_ok=True)  # The old scores are not those of the new predictions.
    except OSError as error:
        raise InputError(f"cannot make the folder {out} ({error.strerror}); choose another") from None
