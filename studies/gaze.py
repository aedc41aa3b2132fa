"""Accuracy of the gaze, on synthetic faces whose eyes look in a known direction relative to the head."""

import csv
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from benchmarks.rows import Row
from numpy.typing import NDArray

from vlfau.faces import FaceFinder, FaceReader
from vlfau.faces.blendshapes import BLENDSHAPE_NAMES
from vlfau.faces.geometry import estimate_gaze
from vlfau.media.images import read_image
from vlfau.synthetic.dataset import generate
from vlfau.synthetic.settings import DatasetSettings

__all__ = ["measure"]

SUBJECTS = 110
MAX_BLINK = 0.35
_BLINKS = [BLENDSHAPE_NAMES.index(f"eyeBlink{side}") for side in ("Left", "Right")]


def measure() -> Iterator[Row]:
    """Yield the mean error of the gaze and its correlation with the true one."""
    with tempfile.TemporaryDirectory() as folder:
        true, told = _gazes(Path(folder))
    yield Row("faces whose eyes are open", str(len(true)))
    yield Row("mean error sideways", f"{np.abs(told - true).mean():.1f} degrees")
    yield Row("mean error sideways of always answering straight ahead", f"{np.abs(true).mean():.1f} degrees")
    yield Row("correlation sideways", f"{np.corrcoef(told, true)[0, 1]:.2f}")


def _gazes(folder: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the true and the estimated gaze relative to the head, both (F,): yaw in degrees."""
    settings = DatasetSettings(preset="wide", subjects=SUBJECTS, clips=1, frames=1, size=192, seed=501)
    manifest = generate(folder, settings)
    finder, reader = FaceFinder(max_faces=1), FaceReader()
    true: list[float] = []
    told: list[float] = []
    with manifest.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            image = read_image(folder / row["image"])
            faces = finder.find(image)
            for face, reading in zip(faces, reader(image, faces), strict=True):
                if reading.blendshapes[_BLINKS].mean() < MAX_BLINK:
                    true.append(float(row["gaze_yaw"]))
                    told.append(estimate_gaze(reading, face.pose).eyes_yaw)
    return np.array(true), np.array(told)
