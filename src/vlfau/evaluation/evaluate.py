"""Evaluate one model on one manifest: predictions, captions and scores."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from vlfau.data.manifest import Manifest
from vlfau.data.regions import REGIONS_FOLDER
from vlfau.errors import InputError
from vlfau.evaluation.au_metrics import Threshold, f1_draws
from vlfau.evaluation.consistency import consistency
from vlfau.evaluation.counterfactuals import counterfactuals, partner_frames
from vlfau.evaluation.figures import caption_scores, drawn_scores, figures, intervals
from vlfau.evaluation.grounding import grounding
from vlfau.evaluation.lost_frames import lost_figures, read_lost_frames
from vlfau.evaluation.prediction_runner import EvalOptions, PredictionRunner
from vlfau.evaluation.predictions import Predictions
from vlfau.evaluation.provenance import calibration_of, epoch_choice, trained_on
from vlfau.evaluation.scores import SCORES_FILE, Scores, read_scores, write_json
from vlfau.evaluation.tested import (
    DataSource,
    Fold,
    Scope,
    ScoredFrames,
    check_other_data,
    check_readable_words,
    check_tuning,
    data_source,
    scored_frames,
    tested_fold,
)
from vlfau.facs import AU_SETS
from vlfau.files.atomic import make_folder
from vlfau.inference.bundle import Bundle, load_bundle
from vlfau.inference.runtimes import open_backend
from vlfau.model.checkpoint import PROTOCOL_THRESHOLD

__all__ = ["evaluate"]

PAIRS_FILE: Final = "pairs.csv"


def evaluate(
    model: str | Path,
    manifest: Path,
    out: Path,
    *,
    fold: Fold = None,
    scope: Scope | None = None,
    options: EvalOptions | None = None,
    description: str | None = None,
    synthetic: bool | None = None,
    allow_tuned: bool = False,
) -> Scores:
    """Evaluate a checkpoint or a bundle on frames that it was not trained on.

    Writes `answers.npz`, `captions.jsonl` and finally `scores.json`. Masks (`regions/`), counterfactual pairs
    (`pairs.csv`) and skipped frames (`skipped.csv`) are used if they are beside the manifest.

    Args:
        model: Folder of a checkpoint or a bundle, or the name of a bundle.
        manifest: Manifest of aligned faces. Only AUs that both it and the model have are scored.
        out: Output folder.
        fold: Test fold; None is the fold that a checkpoint left out, or every frame for a bundle. "all" tests every
            frame, including frames that the model may have been trained on.
        scope: Extent of the evaluation.
        options: How to run the model.
        description: Description of the data; None takes a checkpoint's training data, and for a bundle the record
            beside the manifest, or the manifest's name.
        synthetic: Whether the faces are synthetic; None determines it in the same way.
        allow_tuned: Whether to score a model that was calibrated on test subjects; the scores record it.

    Returns:
        The content of `scores.json`.

    Raises:
        InputError: The model, the manifest or a file beside it is invalid, or the model was trained on the fold or
            calibrated on test subjects.
    """
    scope, options = scope or Scope(), options or EvalOptions()
    bundle = load_bundle(model)
    fold = tested_fold(bundle, fold)
    tested = scored_frames(manifest, bundle, fold)
    found = data_source(bundle, manifest)
    data = DataSource(
        found.description if description is None else description, found.synthetic if synthetic is None else synthetic
    )
    if fold is None and not bundle.is_checkpoint:
        check_other_data(bundle, tested.whole, data.description)
    check_readable_words(bundle, scope)
    tuned = check_tuning(bundle, tested, allow_tuned=allow_tuned)
    lost = read_lost_frames(tested.whole, tested.fold)
    backend = open_backend(bundle, "torch", device=options.device) if bundle.is_checkpoint else open_backend(bundle)
    runner = PredictionRunner(bundle, backend, tested.frames.au_ids, options)
    _make_folder(out)

    frames, threshold = tested.frames, _threshold(bundle, scope, tested)
    predictions = runner.run(frames)
    indices = scope.indices(len(frames.frames))
    if indices:
        predictions = runner.describe(frames, predictions, indices, threshold=threshold)
    predictions.save(out)

    scores = _about(bundle, tested, scope, data, threshold, tuned=tuned) | _numbers(predictions, threshold, tested)
    if lost is not None:
        scores["lost_frames"] = lost_figures(predictions, lost, threshold)
    if indices and runner.has_captions:
        words = caption_scores(predictions, frames.frames, indices)
        if predictions.consistent_captions is not None:
            words |= drawn_scores(predictions, frames.frames, indices, threshold)
        scores["words"] = {"frames": len(indices), **runner.word_shares(), **words}
    scores["truth"] = consistency(predictions, threshold)
    regions = manifest.parent / REGIONS_FOLDER
    if regions.is_dir() and (predictions.attention_maps != 1).any():  # Without DAIR there is no attention.
        sizes = asdict(bundle.info.crop)
        scores["truth"] |= grounding(predictions, regions, **sizes, progress=options.progress)
    pairs = manifest.parent / PAIRS_FILE
    if pairs.is_file():
        chosen = indices if scope.described_frames is not None and indices else range(len(predictions))
        some = replace(frames, frames=tuple(frames.frames[index] for index in chosen))
        scores["counterfactuals"] = _switched(
            runner, some, predictions.take(chosen), pairs, threshold, describe=bool(indices)
        )
    write_json(out / SCORES_FILE, scores)
    return read_scores(out)


def _about(
    bundle: Bundle,
    tested: ScoredFrames,
    scope: Scope,
    data: DataSource,
    threshold: Threshold,
    *,
    tuned: bool,
) -> dict[str, Any]:
    """Return the description of the evaluation for `scores.json`."""
    frames, training, left_out = tested.frames, bundle.info.training, bundle.info.fold
    calibration = calibration_of(training)
    return {
        "data": {**asdict(data), "au_set": _au_set(frames.au_ids)},
        "network": {
            "trained_on": training.get("data", ""),
            "trained_on_synthetic": training.get("synthetic"),
            "from_scratch": training.get("from_scratch"),
            "backbone": str(training.get("backbone", "")),
            "epoch_choice": epoch_choice(training, left_out),
            "calibration": None if calibration is None else calibration.summary(tested=tuned),
            "trained_on_tested": tested.fold is None and trained_on(training, left_out, tested.whole),
        },
        "evaluation": asdict(scope),
        "au_ids": frames.au_ids,
        "fold": tested.fold,
        "frames": len(frames.frames),
        "subjects": len({frame.subject_id for frame in frames.frames}),
        "threshold": np.asarray(threshold).tolist(),
        "threshold_source": _threshold_source(bundle, scope),
    }


def _numbers(predictions: Predictions, threshold: Threshold, tested: ScoredFrames) -> dict[str, Any]:
    """Return the AU recognition scores, with their intervals."""
    found = figures(predictions, threshold)
    draws = f1_draws(predictions, threshold, seed=tested.fold or 0)
    return {
        **found,
        "without_positives": _without_positives(found),
        "intervals": intervals(predictions.au_ids, [draws]),
    }


def _switched(
    runner: PredictionRunner,
    frames: Manifest,
    predictions: Predictions,
    pairs: Path,
    threshold: Threshold,
    *,
    describe: bool,
) -> dict[str, Any]:
    """Run the model on the counterfactual partners of frames, and compare."""
    partners = partner_frames(frames, predictions.images, pairs)
    if not partners.frames:
        return {"pairs": 0}
    theirs = runner.run(partners)
    if describe:
        every = range(len(theirs))
        theirs = runner.describe(partners, theirs, every, threshold=threshold, consistent=False, word_accuracy=False)
    return counterfactuals(predictions, theirs, pairs, threshold)


def _au_set(au_ids: tuple[int, ...]) -> str | None:
    """Return the name of the AU set with exactly these AUs, or None."""
    return next((name for name, members in AU_SETS.items() if members == au_ids), None)


def _has_own_thresholds(bundle: Bundle) -> bool:
    return any(threshold != PROTOCOL_THRESHOLD for threshold in bundle.info.thresholds)


def _threshold(bundle: Bundle, scope: Scope, tested: ScoredFrames) -> Threshold:
    """Return the probability from which each AU counts as active."""
    if scope.threshold is not None:
        return scope.threshold
    if not _has_own_thresholds(bundle):
        return PROTOCOL_THRESHOLD
    own = dict(zip(bundle.info.au_ids, bundle.info.thresholds, strict=True))
    return np.array([own[au_id] for au_id in tested.frames.au_ids])


def _threshold_source(bundle: Bundle, scope: Scope) -> str:
    """Return the source of the thresholds: "protocol" (0.5), "given" by the user, or the "model"."""
    if scope.threshold is not None:
        return "protocol" if scope.threshold == PROTOCOL_THRESHOLD else "given"
    return "model" if _has_own_thresholds(bundle) else "protocol"


def _without_positives(found: Mapping[str, Any]) -> list[int]:
    """Return the AUs that are annotated but never active, which have no F1."""
    accuracy = found["accuracy_per_au"]
    return [int(au_id) for au_id, f1 in found["f1_per_au"].items() if f1 is None and accuracy[au_id] is not None]


def _make_folder(out: Path) -> None:
    make_folder(out)
    try:
        (out / SCORES_FILE).unlink(missing_ok=True)  # Old scores do not belong to the new predictions.
    except OSError as error:
        raise InputError(f"cannot replace {out / SCORES_FILE} ({error.strerror}); choose another folder") from None
