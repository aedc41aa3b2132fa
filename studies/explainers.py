"""How true are the words of different explainers on the same drawn faces, and on pairs that differ in one AU?

The benchmark of `vlfau truth`, run on explainers that need no further package. Each writes one text per face:

* labels: notes composed from the true states, the best that such notes can reach;
* vlfau: the default model, in its default mode and with --free-words;
* blendshapes: sentences made of MediaPipe's blendshapes, as programs for avatars would;
* always smiling: the same sentence on every face.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from benchmarks.rows import Row

from vlfau.data.manifest import read_manifest
from vlfau.evaluation.counterfactuals import partner_frames
from vlfau.evaluation.truth import Share, truth_scores
from vlfau.evaluation.truth_texts import Faces, FaceText, read_faces
from vlfau.faces.blendshapes import BLENDSHAPE_NAMES, Blendshapes
from vlfau.facs import AUState
from vlfau.inference.predictor import Predictor
from vlfau.inference.results import FaceResult
from vlfau.language import face_note
from vlfau.measures.measuring import crop_mesh
from vlfau.synthetic import DatasetSettings, generate

__all__ = ["blendshape_text", "measure"]

SETTINGS: Final = DatasetSettings("all-aus", 20, 2, 4, 256, seed=77, pairs=True)
SHOWN: Final = ("readable", "true", "coverage", "hallucinated", "story", "flips", "others_unchanged")
ACTS: Final = 0.35
"""Blendshape from which a sentence says that it acts."""
SENTENCES: Final[Mapping[str, str]] = {
    "browInnerUp": "The inner brows are raised.",
    "browOuterUp": "The outer brows are raised.",
    "browDown": "The brows are lowered.",
    "eyeWide": "The upper lids are raised.",
    "cheekSquint": "The cheeks are raised.",
    "eyeSquint": "The lids are tightened.",
    "eyeBlink": "The eyes are closed.",
    "noseSneer": "The nose is wrinkled.",
    "mouthUpperUp": "The upper lip is raised.",
    "mouthSmile": "The lip corners are pulled up.",
    "mouthDimple": "The lip corners are tucked in.",
    "mouthFrown": "The lip corners are pulled down.",
    "mouthLowerDown": "The lower lip is pulled down.",
    "mouthPucker": "The lips are puckered.",
    "mouthFunnel": "The lips are funneled.",
    "mouthStretch": "The lips are stretched sideways.",
    "mouthPress": "The lips are pressed together.",
    "mouthShrugLower": "The chin is raised.",
    "mouthRollLower": "The lips are sucked in.",
    "jawOpen": "The jaw is dropped.",
}
"""By blendshape without its side."""


def measure() -> Iterator[Row]:
    """Yield the figures of each explainer."""
    with tempfile.TemporaryDirectory() as name:
        manifest = generate(Path(name), SETTINGS, workers=os.cpu_count() or 1)
        faces = read_faces(manifest)
        truth = _true_states(manifest, faces)
        explainers: Mapping[str, Callable[[Path], FaceText | None]] = {
            "labels": lambda path: _from_labels(path, truth),
            "vlfau": _vlfau(Predictor(max_faces=1)),
            "vlfau --free-words": _vlfau(Predictor(max_faces=1, consistent=False)),
            "blendshapes": _blendshapes(),
            "always smiling": lambda path: FaceText(path.name, "The cheeks and lip corners are raised.", {}, {}),
        }
        for explainer, tell in explainers.items():
            told = {image: tell(manifest.parent / image) for image in faces.subjects}
            shares = truth_scores(faces, {image: text for image, text in told.items() if text})["shares"]
            yield Row(explainer, ", ".join(f"{key} {_percent(shares[key])}" for key in SHOWN if shares[key].count))


def blendshape_text(shapes: Mapping[str, float]) -> str:
    """Return sentences on the blendshapes that act; empty if none does."""
    strength: dict[str, float] = {}
    for name, value in shapes.items():
        plain = name.removesuffix("Left").removesuffix("Right")
        strength[plain] = max(value, strength.get(plain, 0.0))
    return " ".join(sentence for name, sentence in SENTENCES.items() if strength.get(name, 0.0) >= ACTS)


def _true_states(manifest_path: Path, faces: Faces) -> dict[str, tuple[AUState, ...]]:
    manifest = read_manifest(manifest_path)
    images = [frame.image.relative_to(manifest_path.parent).as_posix() for frame in manifest.frames]
    partners = partner_frames(manifest, images, manifest_path.with_name("pairs.csv"))
    return {
        frame.image.relative_to(manifest_path.parent).as_posix(): tuple(state for state in frame.states if state)
        for frame in (*manifest.frames, *partners.frames)
    }


def _from_labels(path: Path, truth: Mapping[str, tuple[AUState, ...]]) -> FaceText:
    name = "/".join(path.parts[-3:])
    return FaceText(name, face_note(truth[name]), {}, {state.au_id: state for state in truth[name]})


def _vlfau(predictor: Predictor) -> Callable[[Path], FaceText | None]:
    def tell(path: Path) -> FaceText | None:
        result = predictor.predict(path)
        return _told(path, result[0]) if result else None

    return tell


def _told(path: Path, face: FaceResult) -> FaceText:
    texts = {au.au_id: au.local_caption for au in face.aus if au.local_caption}
    return FaceText(path.name, face.global_caption, texts, {au.au_id: au.facs_state for au in face.aus})


def _blendshapes() -> Callable[[Path], FaceText | None]:
    predictor, network = Predictor(describe="never", max_faces=1), Blendshapes()

    def tell(path: Path) -> FaceText | None:
        result = predictor.predict(path)
        if not result:
            return None
        found = network(crop_mesh(result[0].crop).landmarks_xy[None])[0]
        text = blendshape_text(dict(zip(BLENDSHAPE_NAMES, found.tolist(), strict=True)))
        return FaceText(path.name, text, {}, {})

    return tell


def _percent(share: Share) -> str:
    return "-" if share.value is None else f"{share.value:.2f}"
