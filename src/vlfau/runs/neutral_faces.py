"""Correction for each person's own neutral face: `--baseline`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
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
        return self._compared(face if baseline is None else baseline.correct(face))

    def compared(self, result: PictureResult) -> PictureResult:
        """Return a picture's result, not corrected, but with this person's rest beside its measurements."""
        return replace(result, faces=tuple(map(self._compared, result.faces)))

    def _compared(self, face: FaceResult) -> FaceResult:
        if not self.own_rest or face.measured is None:
            return face
        return face.measured_by(face.measured.compared_to(self.own_rest))


def clip_correction(results: Iterable[PictureResult], model: BundleInfo) -> Correction:
    """Estimate the neutral face of each person in a video.

    Args:
        results: Results of the whole video.
        model: The model that analysed it.
    """
    return Correction(
        by_face={track.face_id: Baseline.from_track(track, model.thresholds) for track in tracks(results, model.au_ids)}
    )


def neutral_faces(
    choice: Sequence[str],
    predictor: Predictor,
    *,
    face: int | None = None,
    notice: Callable[[str], None] = lambda text: None,
) -> Correction | Literal["clip"]:
    """Prepare the correction that the user chose.

    Args:
        choice: "none", "clip", or pictures and folders of pictures of one person's neutral face.
        predictor: Analyses them.
        face: Which face of a picture with several, from 1, the largest; None takes the largest.
        notice: Called with what the user should know.

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
    faces = [_neutral_face(path, predictor, face, notice) for path in expand_inputs(choice)]
    everyone = Baseline.from_faces(faces, predictor.bundle.info.thresholds)
    return Correction(everyone=everyone, own_rest=mean_measurements([face.measurements for face in faces]))


def _neutral_face(path: Path, predictor: Predictor, number: int | None, notice: Callable[[str], None]) -> FaceResult:
    faces = predictor.predict(path)
    if not faces:
        raise NoFaceError(f"no face found in the neutral picture {printable(path)}; leave it out")
    if number is not None and number > len(faces):
        raise NoFaceError(
            f"the neutral picture {printable(path)} has no face {number}, only {len(faces)}; correct --face"
        )
    chosen = faces[(number or 1) - 1]
    if len(faces) > 1:
        left, top, right, bottom = (round(value) for value in chosen.face_box_xyxy)
        which = "the largest" if number is None else f"face {number}"
        notice(
            f"the neutral picture {printable(path)} shows {len(faces)} faces; took {which}, from x {left} to {right} "
            f"and y {top} to {bottom}{'; --face chooses another' if number is None else ''}"
        )
    return chosen
