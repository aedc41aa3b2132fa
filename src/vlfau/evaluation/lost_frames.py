"""Labelled frames missing from the manifest, mostly because no face was found, and scores that include them.

`vlfau prepare` writes them to `skipped.csv` beside the manifest. Users of the model get no prediction for such a frame,
so scores are also computed with all its AUs counted as inactive.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vlfau.data.manifest import Manifest
from vlfau.errors import ManifestError
from vlfau.evaluation.au_metrics import Confusion, Threshold, finite_mean
from vlfau.evaluation.figures import by_au
from vlfau.evaluation.predictions import UNKNOWN, Predictions

__all__ = ["SKIPPED_FILE", "LostFrames", "lost_figures", "read_lost_frames"]

SKIPPED_FILE: Final = "skipped.csv"
STATES: Final = {"": UNKNOWN, "0": 0, "1": 1}


@dataclass(frozen=True, eq=False)
class LostFrames:
    """Labelled frames missing from a manifest.

    Attributes:
        subject_ids: (M,), names of the people.
        occurrence: (M, N), 1 present, 0 absent, -1 unknown; None where the table has no labels.
    """

    subject_ids: tuple[str, ...]
    occurrence: NDArray[np.int8] | None


def read_lost_frames(manifest: Manifest, fold: int | None) -> LostFrames | None:
    """Read the labelled frames missing from a manifest, with the labels of its AUs.

    Args:
        manifest: The manifest with all folds.
        fold: Test fold; None takes every frame.

    Returns:
        The frames; None without a `skipped.csv` beside the manifest.

    Raises:
        ManifestError: The table can't be read, or a cell is invalid.
    """
    path = manifest.path.parent / SKIPPED_FILE
    if not path.is_file():
        return None
    folds = {frame.subject_id: frame.fold for frame in manifest.frames}
    subjects: list[str] = []
    states: list[list[int]] = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            columns = reader.fieldnames or ()
            if "subject" not in columns:
                raise ManifestError(f"{path} lacks the column subject; prepare the data set again")
            known = [f"AU{au_id}" for au_id in manifest.au_ids if f"AU{au_id}" in columns]
            for row in reader:
                subject = (row["subject"] or "").strip()
                if fold is None or _fold(path, reader.line_num, row, folds.get(subject)) == fold:
                    subjects.append(subject)
                    states.append([_state(path, reader.line_num, row, f"AU{au_id}") for au_id in manifest.au_ids])
    except OSError as error:
        raise ManifestError(f"{path} can't be opened ({error.strerror}); check its permissions") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ManifestError(f"{path} is not a UTF-8 CSV file ({error}); prepare the data set again") from error
    occurrence = np.array(states, np.int8).reshape(len(subjects), len(manifest.au_ids)) if known else None
    return LostFrames(tuple(subjects), occurrence)


def lost_figures(predictions: Predictions, lost: LostFrames, threshold: Threshold) -> dict[str, Any]:
    """Return the number of lost frames, and F1 and accuracy if all their AUs count as inactive.

    Args:
        predictions: Predictions for the other frames.
        lost: The lost frames.
        threshold: Probability from which an AU counts as active.

    Returns:
        `frames`, the number of lost frames; `subjects`, the number of people in all frames; and the scores as in
        `scores.figures`, None if the labels of lost frames are unknown.
    """
    people = {*predictions.subject_ids, *lost.subject_ids}
    found: dict[str, Any] = {"frames": len(lost.subject_ids), "subjects": len(people)}
    occurrence = lost.occurrence
    if occurrence is None and found["frames"]:
        return found | dict.fromkeys(("f1_macro", "accuracy_macro"))
    if occurrence is None:
        occurrence = np.zeros((0, len(predictions.au_ids)), np.int8)
    probs = np.concatenate([predictions.au_probs, np.zeros(occurrence.shape, np.float32)])
    confusion = Confusion.of(probs, np.concatenate([predictions.occurrence, occurrence]), threshold)
    for name, values in (("f1", confusion.f1_per_au), ("accuracy", confusion.accuracy_per_au)):
        found[f"{name}_per_au"] = by_au(predictions.au_ids, values)
        found[f"{name}_macro"] = finite_mean(values.tolist())
    return found | {"f1_micro": float(confusion.f1_micro)}


def _fold(path: Path, line: int, row: Mapping[str, str | None], of_subject: int | None) -> int | None:
    """Return the fold of a row; without the column, that of the subject in the manifest."""
    cell = (row.get("fold") or "").strip()
    if not cell:
        return of_subject
    if not (cell.isdecimal() and len(cell) < 10):
        raise ManifestError(f"{path}, line {line}: expected a number under fold, found '{cell}'; correct the line")
    return int(cell)


def _state(path: Path, line: int, row: Mapping[str, str | None], column: str) -> int:
    cell = (row.get(column) or "").strip()
    if cell not in STATES:
        raise ManifestError(
            f"{path}, line {line}: expected 1, 0 or nothing under {column}, found '{cell}'; correct the line"
        )
    return STATES[cell]
