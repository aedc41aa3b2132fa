"""Reads the predictions and the pictures of a run."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from vlfau.errors import ImageError, InputError
from vlfau.evaluation.predictions import PREDICTIONS_FILE, Predictions
from vlfau.media.crops import read_crop
from vlfau.paper.runs import Run

__all__ = ["Faces", "read_faces", "read_predictions"]


def read_predictions(run: Run) -> Predictions | None:
    """Return the predictions of a run; None if there are none.

    Raises:
        InputError: The predictions are damaged, or have other AUs than the scores.
    """
    if not (run.folder / PREDICTIONS_FILE).is_file():
        return None
    predictions = Predictions.load(run.folder)
    if predictions.au_ids != run.scores.au_ids:
        raise InputError(
            f"{run.folder / PREDICTIONS_FILE} contains AUs {list(predictions.au_ids)}, but the scores beside it are "
            f"for AUs {list(run.scores.au_ids)}; evaluate the run again"
        )
    return predictions


@dataclass(frozen=True, slots=True)
class Faces:
    """The pictures of a run, cropped as for its network.

    Attributes:
        folder: Folder that the pictures' paths are relative to.
        aligned_size: Side length of the aligned faces.
        crop_size: Side length of the central crop, the input of the network.
    """

    folder: Path
    aligned_size: int
    crop_size: int

    def crop(self, image: str) -> NDArray[np.uint8] | None:
        """Return a face (crop_size, crop_size, 3) in RGB; None if the picture no longer exists."""
        try:
            aligned = read_crop(self.folder / image, self.aligned_size).pixels
        except ImageError:
            return None
        start = (self.aligned_size - self.crop_size) // 2
        return aligned[start : start + self.crop_size, start : start + self.crop_size]


class _DataPart(BaseModel):
    manifest: Path
    aligned_size: int


class _ModelPart(BaseModel):
    crop_size: int


class _Config(BaseModel):
    data: _DataPart
    model: _ModelPart


def read_faces(run: Run) -> Faces | None:
    """Return the pictures of a run; None if its config.json is missing or damaged."""
    try:
        config = _Config.model_validate_json((run.folder / "config.json").read_bytes())
    except (OSError, ValidationError):
        return None
    return Faces(config.data.manifest.parent, config.data.aligned_size, config.model.crop_size)
