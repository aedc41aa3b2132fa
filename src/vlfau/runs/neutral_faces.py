"""Correction for each person's own neutral face: `--baseline`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from vlfau.errors import ConfigError, NoFaceError
from vlfau.files.names import printable
from vlfau.inference.bundle import BundleInfo
from vlfau.inference.predictor import Predictor
from vlfau.inference.results import FaceResult, PictureResult
from vlfau.measures.measuring import mean_measurements
from vlfau.media.inputs import expand_inputs
from vlfau.video.baseline import Baseline
from vlfau.video.tracks import tracks

__all__ = ["Correction", "clip_correction", "neutral_faces"]


@dataclass(frozen=True, kw_only=True)
class Correction:
    """Corrects the faces of a video for their neutral faces.

    Attributes:
        by_face: Baselines by face number.
        everyone: Baseline of all other faces; None leaves them uncorrected.
        own_rest: Measurements of the neutral face of everyone, by name.
    """

    by_face: Mapping[int, Baseline] = field(default_factory=dict)
    everyone: Baseline | None = None
    own_rest: Mapping[str, float] = field(default_factory=dict)

    def __call__(self, result: PictureResult) -> PictureResult:
        """Return a frame's result, corrected for the neutral faces."""
        return replace(result, faces=tuple(map(self._correct, result.faces)))

    def _correct(self, face: FaceResult) -> FaceResult:
        baseline = self.everyone if face.face_id is None else self.by_face.get(face.face_id, self.everyone)
        corrected = face if baseline is None else baseline.correct(face)
        if self.own_rest and corrected.measured is not None:
            return corrected.measured_by(corrected.measured.compared_to(self.own_rest))
        return corrected


def clip_correction(results: Iterable[PictureResult], model: BundleInfo) -> Correction:
    """Estimate the neutral face of each person in a video.

    Args:
        results: Results of the whole video.
        model: The model that analysed it.
    """
    return Correction(
        by_face={track.face_id: Baseline.from_track(track, model.thresholds) for track in tracks(results, model.au_ids)}
    )


def neutral_faces(choice: Sequence[str], predictor: Predictor) -> Correction | Literal["clip"]:
    """Prepare the correction that the user chose.

    Args:
        choice: "none", "clip", or pictures and folders of pictures of one person's neutral face.
        predictor: Analyses them.

    Returns:
        The correction for all videos, or "clip": each video then has its own, from `clip_correction`.

    Raises:
        ConfigError: The choice is contradictory.
        InputError: A picture cannot be used.
    """
    if not choice or list(choice) == ["none"]:
        return Correction()
    if list(choice) == ["clip"]:
        return "clip"
    if {"none", "clip"} & set(choice):
        raise ConfigError("--baseline takes none, clip, or pictures of a neutral face; give only one of these")
    faces = [_largest_face(path, predictor) for path in expand_inputs(choice)]
    everyone = Baseline.from_faces(faces, predictor.bundle.info.thresholds)
    return Correction(everyone=everyone, own_rest=mean_measurements([face.measurements for face in faces]))


def _largest_face(path: Path, predictor: Predictor) -> FaceResult:
    faces = predictor.predict(path)
    if not faces:
        raise NoFaceError(f"no face found in the neutral picture {printable(path)}; leave it out")
    return faces[0]
