"""A bundle on the frames of a manifest, with the scores of a checkpoint."""

from pathlib import Path
from typing import Any, Literal

from vlfau.data import Manifest
from vlfau.errors import BundleError
from vlfau.evaluation import EvalOptions, Scope
from vlfau.evaluation.provenance import trained_on
from vlfau.evaluation.scoring import ScoredModel, check_tuning, score, scored_frames
from vlfau.export.answering import BundleAnswerer
from vlfau.files.records import parse_json
from vlfau.inference.bundle import Bundle, load_bundle
from vlfau.training import PROTOCOL_THRESHOLD

__all__ = ["evaluate_bundle"]

SETTINGS_FILE = "settings.json"


def evaluate_bundle(
    model: str | Path,
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
    """Measure a bundle on frames that it never saw; the files are those of `vlfau.evaluation.evaluate`.

    Args:
        model: The bundle's folder, or its name.
        manifest: The frames, aligned as for training. Where its AUs are others than the bundle's, those that both have
            are scored.
        out: The folder to write to.
        fold: The fold to test, where the bundle was exported from a checkpoint that left it out; None and "all" take
            every frame.
        scope: How much is measured.
        options: How to run the bundle.
        description: What the data are; None says what lies beside the manifest says, or the manifest's name.
        synthetic: Whether the faces are synthetic; None asks what lies beside the manifest.
        allow_tuned: Whether to score a bundle that was calibrated on people who are tested; the scores say so.

    Returns:
        The content of `scores.json`.

    Raises:
        InputError: The bundle, the manifest or its company is wrong, or the bundle was trained on these data or
            calibrated on people who are tested.
    """
    scope, options = scope or Scope(), options or EvalOptions()
    bundle = load_bundle(model)
    info = bundle.info
    left_out = info.training.get("fold")
    default_thresholds = all(threshold == PROTOCOL_THRESHOLD for threshold in info.thresholds)
    scored_model = ScoredModel(
        title=f"bundle {model}",
        au_ids=info.au_ids,
        thresholds=None if default_thresholds else info.thresholds,
        fold=left_out,
        training=info.training,
        backbone=str(info.training.get("backbone", "")),
        crop_size=info.crop.crop_size,
        aligned_size=info.crop.aligned_size,
    )
    tested = fold if isinstance(fold, int) else None
    if tested is not None and tested != left_out:
        what = "no fold that it says" if left_out is None else f"fold {left_out}"
        raise BundleError(
            f"bundle {model} left out {what}, so it may have been trained on fold {tested}; use the bundle of fold "
            f"{tested}, or --fold all for other faces"
        )
    scored = scored_frames(manifest, scored_model, tested)
    about, drawn = _data_of(manifest)
    description = about if description is None else description
    if tested is None:
        _check_other_data(model, bundle, scored.whole, description)
    tuned = check_tuning(scored_model, scored, allow_tuned=allow_tuned)
    if scope.describe and (bundle.has_local_captions or bundle.has_global_captions) and info.words_warning:
        raise BundleError(f"{info.words_warning}, or give --no-describe to measure its scores alone")
    runner = BundleAnswerer(bundle, scored.frames.au_ids, options)
    data = {"description": description, "synthetic": drawn if synthetic is None else synthetic}
    return score(runner, scored_model, scored, out, scope=scope, options=options, data=data, tuned=tuned)


def _data_of(manifest: Path) -> tuple[str, bool]:
    """Return what a manifest's data are, and whether they are synthetic: what `prepare` or `synth` left beside it."""
    try:
        settings = parse_json((manifest.parent / SETTINGS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        settings = None
    if isinstance(settings, dict) and "generator" in settings:
        return f"synthetic FACS faces, preset {settings.get('preset')}", True
    if isinstance(settings, dict) and "data set" in settings:
        return str(settings["data set"]).upper(), False
    return manifest.name, False


def _check_other_data(model: str | Path, bundle: Bundle, manifest: Manifest, description: str) -> None:
    """Refuse a manifest on whose folds a bundle was trained, as far as its metadata tell."""
    training, left_out = bundle.info.training, bundle.info.training.get("fold")
    if all(frame.fold is None for frame in manifest.frames):
        return
    same_name = description.casefold() == str(training.get("data", "")).casefold()
    if same_name or trained_on(training, left_out, manifest):
        how = f"its training data are called '{training['data']}' too" if same_name else "as many frames train"
        remedy = (
            f"give --fold {left_out}, which it left out"
            if left_out is not None
            else "give other faces, and say with --data what they are"
        )
        raise BundleError(f"bundle {model} was trained on folds of {manifest.path} ({how}); {remedy}")
