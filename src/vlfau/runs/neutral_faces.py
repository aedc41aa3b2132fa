"""Each person's own neutral face as the zero point of their videos: what `--baseline` asks for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from vlfau.errors import ConfigError, NoFaceError
from vlfau.files.names import printable
from vlfau.inference.bundle import BundleInfo
from vlfau.inference.predictor import Predictor
from vlfau.inference.results import FaceResult, PictureResult
from vlfau.media.inputs import expand_inputs
from vlfau.video.baseline import Baseline
from vlfau.video.tracks import tracks

__all__ = ["Correction", "clip_correction", "neutral_faces"]


@dataclass(frozen=True, kw_only=True)
class Correction:
    """Corrects the faces of a video.

    Attributes:
        by_face: Each face's own baseline, by its number.
        everyone: The baseline of all other faces; None leaves them as they are.
    """

    by_face: Mapping[int, Baseline] = field(default_factory=dict)
    everyone: Baseline | None = None

    def __call__(self, result: PictureResult) -> PictureResult:
        """Return a frame's result as if everybody rested as most do."""
        return replace(result, faces=tuple(map(self._correct, result.faces)))

    def _correct(self, face: FaceResult) -> FaceResult:
        baseline = self.everyone if face.face_id is None else self.by_face.get(face.face_id, self.everyone)
        return face if baseline is None else baseline.correct(face)


def clip_correction(results: Iterable[PictureResult], model: BundleInfo) -> Correction:
    """Take what is usual of each face in a video as its neutral face.

    Args:
        results: Those of the whole video.
        model: The model that analysed it.
    """
    return Correction(
        by_face={track.face_id: Baseline.from_track(track, model.thresholds) for track in tracks(results, model.au_ids)}
    )


def neutral_faces(choice: Sequence[str], predictor: Predictor) -> Correction | Literal["clip"]:
    """Read what the user gave as a baseline.

    Args:
        choice: "none", "clip", or pictures and folders of pictures of one person's neutral face.
        predictor: Analyses them.

    Returns:
        The same correction for all videos, or "clip": each video has its own, by `clip_correction`.

    Raises:
        ConfigError: The choice contradicts itself.
        InputError: A picture cannot be used.
    """
    if not choice or list(choice) == ["none"]:
        return Correction()
    if list(choice) == ["clip"]:
        return "clip"
    if {"none", "clip"} & set(choice):
        raise ConfigError("--baseline takes none, or clip, or pictures of a neutral face; give one of the three")
    faces = [_largest_face(path, predictor) for path in expand_inputs(choice)]
    return Correction(everyone=Baseline.from_faces(faces, predictor.bundle.info.thresholds))


def _largest_face(path: Path, predictor: Predictor) -> FaceResult:
    faces = predictor.predict(path)
    if not faces:
        raise NoFaceError(
            f"picture {printable(path)} of a neutral face shows no face that could be found; leave it out"
        )
    return faces[0].without_arrays()
