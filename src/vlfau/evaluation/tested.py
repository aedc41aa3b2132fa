"""Selects the frames to test a model on, and checks that they show new people."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np

from vlfau.data.manifest import Manifest, read_manifest
from vlfau.errors import BundleError, CheckpointError, ConfigError, ManifestError
from vlfau.evaluation.provenance import calibration_of, trained_on, tuned_on_tested
from vlfau.files.records import parse_json
from vlfau.inference.bundle import Bundle
from vlfau.model.checkpoint import PROTOCOL_THRESHOLD

__all__ = [
    "DataSource",
    "Fold",
    "Scope",
    "ScoredFrames",
    "check_other_data",
    "check_readable_words",
    "check_tuning",
    "data_source",
    "recorded_source",
    "scored_frames",
    "tested_fold",
]

Fold = int | Literal["all"] | None
"""The test fold: its number, "all" frames, or None for the one that the model left out."""
SETTINGS_FILE: Final = "settings.json"


@dataclass(frozen=True)
class Scope:
    """The extent of an evaluation.

    Attributes:
        threshold: Probability from which an AU counts as active; the protocol's is 0.5. None takes the model's own, one
            per AU.
        describe: Whether captions are generated and scored.
        described_frames: Number of evenly spaced frames to caption; None captions all.
    """

    threshold: float | None = PROTOCOL_THRESHOLD
    describe: bool = True
    described_frames: int | None = None

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 < self.threshold < 1:
            raise ConfigError(f"a threshold is a probability between 0 and 1, not {self.threshold}; choose another")
        if self.described_frames is not None and self.described_frames < 1:
            raise ConfigError(f"{self.described_frames} frames can't be described; give one or more, or --no-describe")

    def indices(self, count: int) -> list[int]:
        """Return the indices of the frames to caption.

        >>> Scope(described_frames=3).indices(9)
        [0, 4, 8]
        """
        if not self.describe:
            return []
        wanted = min(count, self.described_frames or count)
        return [round(index) for index in np.linspace(0, count - 1, wanted).tolist()]


@dataclass(frozen=True)
class ScoredFrames:
    """The frames to test.

    Attributes:
        fold: Their fold; None if all frames are tested.
        whole: The whole manifest, with the AUs that it shares with the model.
        frames: The frames of the fold.
    """

    fold: int | None
    whole: Manifest
    frames: Manifest


@dataclass(frozen=True)
class DataSource:
    """A description of the faces, and whether they are synthetic."""

    description: str
    synthetic: bool


def _title(bundle: Bundle) -> str:
    """Return how messages refer to a model."""
    return f"{'checkpoint' if bundle.is_checkpoint else 'bundle'} {bundle.folder}"


def tested_fold(bundle: Bundle, fold: Fold) -> int | None:
    """Return the test fold, None for all frames.

    A checkpoint is tested on the fold that it left out, a bundle on every frame, unless the fold is given.

    Raises:
        CheckpointError: The checkpoint was trained on the fold, or left out none.
        BundleError: The bundle may have been trained on the fold.
    """
    left_out, title = bundle.info.fold, _title(bundle)
    if fold == "all" or (fold is None and not bundle.is_checkpoint):
        return None
    if fold is not None and fold != left_out and not bundle.is_checkpoint:
        what = "no fold that it says" if left_out is None else f"fold {left_out}"
        raise BundleError(
            f"{title} left out {what}, so it may have been trained on fold {fold}; use the bundle of fold {fold}, or "
            "--fold all for other faces"
        )
    if fold is not None and fold != left_out:
        raise CheckpointError(
            f"{title} left out {'no fold' if left_out is None else f'fold {left_out}'}, so it was trained on fold "
            f"{fold}; use the checkpoint of fold {fold}, or --fold all for other faces"
        )
    if left_out is None:
        raise CheckpointError(
            f"{title} left out no fold: it was trained on every frame of its data; give other faces and --fold all, or "
            "a checkpoint that left a fold out"
        )
    return left_out


def scored_frames(manifest: Path, bundle: Bundle, fold: int | None) -> ScoredFrames:
    """Read the frames of a fold, with the AUs that the model and the manifest have.

    Raises:
        ManifestError: The manifest is wrong, or has no such AU or frame.
    """
    offered, known = read_manifest(manifest), bundle.info.au_ids
    common = tuple(au_id for au_id in known if au_id in offered.au_ids)
    if not common:
        raise ManifestError(
            f"manifest {manifest} has the AUs {list(offered.au_ids)}, none of which the network predicts; give one "
            f"with some of {list(known)}"
        )
    whole = read_manifest(manifest, common) if common != offered.au_ids else offered
    chosen = tuple(frame for frame in whole.frames if fold is None or frame.fold == fold)
    if not chosen:
        raise ManifestError(
            f"manifest {manifest} has no frame of fold {fold}, which the checkpoint left out; give the manifest that "
            "it was trained with, or --fold all for other faces"
        )
    return ScoredFrames(fold, whole, replace(whole, frames=chosen))


def data_source(bundle: Bundle, manifest: Path) -> DataSource:
    """Return the default description of the faces.

    For a checkpoint, it is that of its training data. For a bundle, it is what `prepare` or `synth` recorded beside the
    manifest, or else the manifest's name.
    """
    if bundle.is_checkpoint:
        training = bundle.info.training
        return DataSource(training.get("data", ""), bool(training.get("synthetic")))
    return recorded_source(manifest) or DataSource(manifest.name, False)


def recorded_source(manifest: Path) -> DataSource | None:
    """Return what `prepare` or `synth` recorded beside a manifest; None if neither made it."""
    try:
        settings = parse_json((manifest.parent / SETTINGS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        settings = None
    if isinstance(settings, dict) and "generator" in settings:
        return DataSource(f"synthetic FACS faces, preset {settings.get('preset')}", True)
    if isinstance(settings, dict) and "data set" in settings:
        return DataSource(str(settings["data set"]).upper(), False)
    return None


def check_other_data(bundle: Bundle, manifest: Manifest, description: str) -> None:
    """Refuse to test a bundle on all frames of a manifest if its metadata say that it was trained on some of them.

    Raises:
        BundleError: It was.
    """
    training, left_out = bundle.info.training, bundle.info.fold
    if all(frame.fold is None for frame in manifest.frames):
        return
    same_name = description.casefold() == str(training.get("data", "")).casefold()
    if same_name or trained_on(training, left_out, manifest):
        how = f"its training data are called '{training['data']}' too" if same_name else "as many frames train"
        remedy = (
            f"give --fold {left_out}, which it left out"
            if left_out is not None
            else "give other faces, and describe them with --data"
        )
        raise BundleError(f"{_title(bundle)} was trained on folds of {manifest.path} ({how}); {remedy}")


def check_tuning(bundle: Bundle, tested: ScoredFrames, *, allow_tuned: bool) -> bool:
    """Return whether a model was calibrated on test subjects, which is refused without `allow_tuned`.

    Raises:
        CheckpointError: It was, or this is unknown, and `allow_tuned` is not set.
    """
    calibration = calibration_of(bundle.info.training)
    if calibration is None:
        return False
    if calibration.source == "unknown":
        tuned, how = tested.fold is not None, "does not record on whom it was calibrated"
    else:
        tuned = tuned_on_tested(calibration, tested.frames, same_names=tested.fold is not None)
        how = "was calibrated on test subjects"
    if tuned and not allow_tuned:
        raise CheckpointError(
            f"{_title(bundle)} {how}, so its scores would be too high; calibrate the uncalibrated checkpoint "
            "again (`vlfau calibrate` leaves the test fold out), or use --allow-tuned, which marks the scores in every "
            "table"
        )
    return tuned


def check_readable_words(bundle: Bundle, scope: Scope) -> None:
    """Refuse to score captions of a model without known descriptions.

    Raises:
        InputError: Captions are requested.
    """
    if scope.describe and bundle.has_captions and bundle.info.words_warning:
        kind = CheckpointError if bundle.is_checkpoint else BundleError
        raise kind(f"{bundle.info.words_warning}, or use --no-describe to evaluate AU recognition only")
