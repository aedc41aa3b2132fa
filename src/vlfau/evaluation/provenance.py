"""How a model was tuned: how its epoch was chosen, and on whom its probabilities and thresholds were fitted.

Scores generalise to new people only if no part of the model was fitted to test subjects. Training and `vlfau calibrate`
record this in the model's metadata.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from pydantic import TypeAdapter, ValidationError

from vlfau.data.manifest import Manifest
from vlfau.errors import CheckpointError, InputError

__all__ = [
    "CALIBRATION",
    "OLD_CALIBRATION",
    "Calibration",
    "Source",
    "calibration_of",
    "epoch_choice",
    "file_digest",
    "held_out_subjects",
    "trained_on",
    "tuned_on_tested",
]

CALIBRATION: Final = "calibration"
"""Key of the calibration record in a model's `training` metadata."""
OLD_CALIBRATION: Final = "calibrated_on_frames"
"""Key that earlier versions used."""
Source: TypeAlias = Literal["held-out", "training-folds", "other-manifest", "unknown"]
PICTURES_PER_SUBJECT: Final = 4
DIGEST_LENGTH: Final = 16


@dataclass(frozen=True)
class Calibration:
    """The frames on which probabilities and thresholds were fitted.

    Attributes:
        source: "held-out" (people held out of training), "training-folds" (people of the training folds),
            "other-manifest" (frames not separated from the test by a fold), or "unknown".
        frames: Number of frames.
        folds: Their folds in the manifest; empty if it has none.
        subjects: Names of the people; empty if unknown or removed from a bundle.
        manifest_sha256: SHA-256 of the manifest's file.
        pictures: Digests of a few pictures per person, to recognise the same faces under other names.
    """

    source: Source
    frames: int
    folds: tuple[int, ...] = ()
    subjects: tuple[str, ...] = ()
    manifest_sha256: str = ""
    pictures: tuple[str, ...] = ()

    @classmethod
    def on(cls, frames: Manifest, source: Source) -> "Calibration":
        """Describe the frames of a manifest on which a model is calibrated."""
        digests: dict[str, list[str]] = {}
        for frame in frames.frames:
            digests.setdefault(frame.subject_id, []).append(file_digest(frame.image)[:DIGEST_LENGTH])
        return cls(
            source=source,
            frames=len(frames.frames),
            folds=tuple(sorted({frame.fold for frame in frames.frames if frame.fold is not None})),
            subjects=tuple(sorted(digests)),
            manifest_sha256=file_digest(frames.path),
            # The smallest digests are as good as a random sample, and do not depend on the order and number of frames.
            pictures=tuple(
                digest for _, own in sorted(digests.items()) for digest in sorted(set(own))[:PICTURES_PER_SUBJECT]
            ),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the record for a model's metadata, as JSON-compatible data."""
        entry: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return entry

    def summary(self, *, tested: bool) -> dict[str, Any]:
        """Return the record for `scores.json`; `tested` is whether test subjects are among these people."""
        return {
            "source": self.source,
            "frames": self.frames,
            "subjects": len(self.subjects),
            "folds": list(self.folds),
            "on_tested_people": tested,
        }


def calibration_of(training: Mapping[str, Any]) -> Calibration | None:
    """Return the calibration recorded in `training` metadata; None if the model was not calibrated.

    Raises:
        CheckpointError: The entry is damaged.
    """
    entry = training.get(CALIBRATION)
    if entry is None:
        frames = training.get(OLD_CALIBRATION)
        return None if frames is None else Calibration("unknown", frames if isinstance(frames, int) else 0)
    try:
        return TypeAdapter(Calibration).validate_python(entry)
    except ValidationError as error:
        raise CheckpointError(
            f"the model's metadata say under training.{CALIBRATION} nothing that can be read "
            f"({error.errors()[0]['msg']}); calibrate it again"
        ) from None


def held_out_subjects(training: Mapping[str, Any]) -> frozenset[str]:
    """Return the people of the training folds who were held out to choose the epoch."""
    names = training.get("held_out_subjects")
    return frozenset(map(str, names)) if isinstance(names, list | tuple) else frozenset()


def trained_on(training: Mapping[str, Any], fold: int | None, manifest: Manifest) -> bool:
    """Return whether a manifest has as many training frames as a model was trained on, and so is very likely the same.

    Args:
        training: The model's `training` metadata.
        fold: The fold that it left out.
        manifest: The manifest with all folds.
    """
    held_out = held_out_subjects(training)
    frames = sum((fold is None or frame.fold != fold) and frame.subject_id not in held_out for frame in manifest.frames)
    return frames == training.get("train_frames")


def epoch_choice(training: Mapping[str, Any], fold: int | None) -> str | None:
    """Return how the epoch of a model was chosen: "last", "held-out" or "test-fold".

    Earlier versions did not record it: they kept the validated epoch that was best on the test fold.

    Args:
        training: The model's `training` metadata.
        fold: The fold that it left out.

    Returns:
        None if an earlier version trained on all folds.
    """
    stated = training.get("epoch_choice")
    if stated is not None:
        return str(stated)
    recipe = training.get("recipe")
    run = recipe.get("run") if isinstance(recipe, Mapping) else None
    if isinstance(run, Mapping) and run.get("validate_every_epochs") == run.get("max_epochs") is not None:
        return "last"
    return None if fold is None else "test-fold"


def tuned_on_tested(calibration: Calibration, frames: Manifest, *, same_names: bool) -> bool:
    """Return whether test frames show people on whom a model was calibrated.

    Args:
        calibration: Calibration of the model.
        frames: The test frames.
        same_names: Whether equal names mean the same person, as within one data set. Otherwise people are recognised by
            their pictures: many data sets have a subject S1.
    """
    if same_names and set(calibration.subjects) & {frame.subject_id for frame in frames.frames}:
        return True
    known = set(calibration.pictures)
    return bool(known) and any(file_digest(frame.image)[:DIGEST_LENGTH] in known for frame in frames.frames)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal.

    Raises:
        InputError: The file can't be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror}); check its permissions") from error
