"""Results: one AU, one face, and a picture with its faces.

Results are plain data. The methods that draw, save or tabulate them only call functions of `vlfau.drawing`,
`vlfau.runs` and `vlfau.tables`. These are higher layers, so they are imported when a method is called: the only
exception to the order of imports, made because users expect methods such as `result.plot()`.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlfau.errors import UnknownAUError
from vlfau.faces import FaceGeometry, HeadPose
from vlfau.inference.au_result import AUResult, SideResult
from vlfau.inference.bundle import BundleInfo
from vlfau.measures.geometry import eye_distance
from vlfau.measures.measuring import MeasuredFace, Measurement
from vlfau.measures.quality import FaceQuality
from vlfau.media.images import Picture

if TYPE_CHECKING:
    import pandas

__all__ = ["AUResult", "CropResult", "FaceResult", "PictureResult", "SideResult"]


@dataclass(frozen=True, kw_only=True)
class CropResult:
    """The predictions for an aligned face.

    Attributes:
        aus: One result per AU, in the model's order.
        global_caption: Caption of the whole face; None if not requested or the model has no captions.

    >>> face = CropResult(aus=(AUResult(12, "Lip Corner Puller", 0.75, True), AUResult(4, "Brow Lowerer", 0.25, False)))
    >>> face[12].prob
    0.75
    >>> 45 in face
    False
    >>> face.probs
    array([0.75, 0.25])
    """

    aus: tuple[AUResult, ...]
    global_caption: str | None = None

    def __getitem__(self, au_id: int) -> AUResult:
        """Return one AU by its FACS number.

        Raises:
            UnknownAUError: The model does not predict this AU; the message lists those that it does.
        """
        for au in self.aus:
            if au.au_id == au_id:
                return au
        known = ", ".join(map(str, self.au_ids)) or "none"
        raise UnknownAUError(f"this result has no AU {au_id!r}; the model knows the AUs {known}")

    def __contains__(self, au_id: object) -> bool:
        """Return whether the model predicts an AU."""
        return au_id in self.au_ids

    # Indices are FACS numbers, so iterating from 0 makes no sense; iterate over `aus`.
    __iter__ = None

    @property
    def active_aus(self) -> tuple[AUResult, ...]:
        """The active AUs."""
        return tuple(au for au in self.aus if au.state)

    @property
    def au_ids(self) -> tuple[int, ...]:
        """(N,), the FACS numbers, in the model's order."""
        return tuple(au.au_id for au in self.aus)

    @property
    def probs(self) -> NDArray[np.float64]:
        """(N,), the probabilities, 0 to 1."""
        return np.array([au.prob for au in self.aus], np.float64)

    @property
    def states(self) -> NDArray[np.bool_]:
        """(N,), which AUs are active."""
        return np.array([au.state for au in self.aus], np.bool_)

    @property
    def intensities(self) -> NDArray[np.float64]:
        """(N,), the intensities, 0 to 5; NaN if the model predicts none."""
        return np.array([np.nan if au.intensity is None else au.intensity for au in self.aus], np.float64)

    def to_dict(self, *, measurements: bool = False) -> dict[str, Any]:
        """Return all but the arrays as JSON-compatible data.

        Args:
            measurements: Whether to add what each AU moves.
        """
        return {
            "global_caption": self.global_caption,
            "aus": [au.to_dict(measurements=measurements) for au in self.aus],
        }


@dataclass(frozen=True, kw_only=True)
class FaceResult(CropResult):
    """The predictions for one face of a picture.

    Attributes:
        face_box_xyxy: Left, top, right and bottom of the face, in pixels of the file.
        landmarks_xy: (468, 2), the mesh points, in pixels of the file.
        score: Confidence of the face detector, 0 to 1.
        pose: Head pose in degrees.
        crop: (S, S, 3) uint8 RGB, the aligned face that was passed to the model.
        face_id: Number of the face in its video, from 1, the same in every frame; None in a picture.
        measured: Takes the measurements of the face; None if unknown.
        geometry: Depth of the landmarks, position of the head, and gaze if requested; None for results without them.
        doubt: Why AUs are doubtful, such as "the lower face is hidden"; empty if none is.
        person: Number of the person in the video, from 1; one person may have several faces, after cuts. None unless
            people were told apart.
    """

    face_box_xyxy: tuple[float, float, float, float]
    landmarks_xy: NDArray[np.float32] = field(repr=False, compare=False)
    score: float
    pose: HeadPose
    crop: NDArray[np.uint8] = field(repr=False, compare=False)
    face_id: int | None = None
    person: int | None = None
    geometry: FaceGeometry | None = field(default=None, repr=False, compare=False)
    measured: MeasuredFace | None = field(default=None, repr=False, compare=False)
    doubt: str = ""

    @property
    def doubtful_aus(self) -> tuple[AUResult, ...]:
        """The AUs that cannot be seen well enough."""
        return tuple(au for au in self.aus if au.doubtful)

    @property
    def doubt_text(self) -> str:
        """A sentence on the doubtful AUs; empty if there are none.

        Such as "AU 12, 25 are doubtful: the lower face is hidden."
        """
        doubtful = self.doubtful_aus
        if not doubtful:
            return ""
        if len(doubtful) == len(self.aus):
            return f"All AUs are doubtful: {self.doubt}."
        which = ", ".join(str(au.au_id) for au in doubtful)
        return f"AU {which} {'is' if len(doubtful) == 1 else 'are'} doubtful: {self.doubt}."

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """Distances, angles and folds of the face, taken when first asked for; empty if the head is turned too far."""
        return () if self.measured is None else self.measured.measurements

    @cached_property
    def quality(self) -> FaceQuality | None:
        """How well the face can be read, and which AUs are doubtful; None without a crop."""
        if not self.crop.size:
            return None
        return FaceQuality.of(self.crop, eye_distance(self.landmarks_xy), self.pose)

    def measured_by(self, measured: MeasuredFace | None) -> Self:
        """Return a copy whose measurements, and those of its AUs, are others."""
        return replace(self, measured=measured, aus=tuple(replace(au, measured=measured) for au in self.aus))

    def without_arrays(self) -> Self:
        """Return a copy without landmarks, crop, attention maps and measurements, for keeping many results."""
        return replace(
            self,
            measured=None,
            aus=tuple(replace(au, attention_map=None, measured=None) for au in self.aus),
            landmarks_xy=self.landmarks_xy[:0].copy(),
            crop=self.crop[:0].copy(),
            geometry=None,
        )

    def to_dict(self, *, measurements: bool = False, quality: bool = False) -> dict[str, Any]:
        """Return everything but the landmarks, the crop and the attention maps, as JSON-compatible data.

        Args:
            measurements: Whether to add the measurements of the face, with their rulers in pixels of the file, and what
                each AU moves.
            quality: Whether to add how well the face can be read.
        """
        return {
            **({"face_id": self.face_id} if self.face_id is not None else {}),
            **({"person": self.person} if self.person is not None else {}),
            "face_box_xyxy": [round(value, 1) for value in self.face_box_xyxy],
            "score": round(self.score, 4),
            "pose": {name: round(float(getattr(self.pose, name)), 1) for name in ("yaw", "pitch", "roll")},
            **({"quality": self.quality.to_dict(self.au_ids)} if quality and self.quality is not None else {}),
            **({"measurements": self._measurements_dict()} if measurements else {}),
            **super().to_dict(measurements=measurements),
        }

    def _measurements_dict(self) -> list[dict[str, Any]]:
        if self.measured is None:
            return []
        rulers = self.measured.rulers
        return [{**each.to_dict(), "rulers": rulers(each.definition)} for each in self.measurements]

    def to_pandas(self) -> "pandas.Series[Any]":
        """Return the face as a pandas Series.

        Returns:
            The face's columns of the native table: `box_x1`, ..., `AU12_prob`, ..., `global_text`, without `file`,
            `frame`, `time_s`, `since_first_s` and `face`. The name of the series is the `face_id`.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        from vlfau.tables.frames import face_series  # noqa: PLC0415 - see the text of this file

        return face_series(self)


@dataclass(frozen=True, slots=True)
class PictureResult(Sequence[FaceResult]):
    """All faces of one picture, or of one frame of a video; a sequence of them.

    Attributes:
        file: The path as the user gave it; empty for pixels without a name.
        faces: For a picture, largest first; for a video, by `face_id`.
        frame: Number of the frame in its video, from 0; None for a picture.
        time_s: Time of the frame in seconds, on the clock of its video, which the sound shares; None for a picture.
        since_first_s: The same from the first frame of the video on; None if unknown.
        model: Metadata of the model.
        source: Where the pixels come from: the file, or the picture itself if given as pixels. None for a frame of a
            video, whose pixels are not kept.

    >>> result = PictureResult("empty.jpg", ())
    >>> len(result), bool(result), list(result)
    (0, False, [])
    """

    file: str
    faces: tuple[FaceResult, ...]
    frame: int | None = None
    time_s: float | None = None
    since_first_s: float | None = field(default=None, kw_only=True)
    model: BundleInfo | None = field(default=None, kw_only=True, repr=False, compare=False)
    source: Picture | Path | None = field(default=None, kw_only=True, repr=False, compare=False)

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self.faces)

    @overload
    def __getitem__(self, index: int) -> FaceResult: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[FaceResult, ...]: ...

    def __getitem__(self, index: int | slice) -> FaceResult | tuple[FaceResult, ...]:
        """Return one face, or a slice of faces."""
        return self.faces[index]

    @property
    def au_ids(self) -> tuple[int, ...]:
        """FACS numbers of the model's AUs, in its order; empty if there is neither a model nor a face."""
        if self.model is not None:
            return self.model.au_ids
        return self.faces[0].au_ids if self.faces else ()

    def without_arrays(self) -> Self:
        """Return a copy without the picture and the faces' arrays, for keeping many results."""
        return replace(self, faces=tuple(face.without_arrays() for face in self.faces), source=None)

    def to_pandas(self) -> "pandas.DataFrame":
        """Return the table of this picture: one row per face, with the columns of the native format.

        Returns:
            The same as `vlfau.read_results` returns for a table of this picture: columns, types and rounded numbers,
            and the header in `attrs` if the model is known. Without a face it has no rows.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        from vlfau.tables.frames import result_frame  # noqa: PLC0415 - see the text of this file

        return result_frame(self)

    def plot(self, picture: Picture | NDArray[np.uint8] | None = None) -> Image.Image:
        """Draw the picture with numbered faces and a card of results for each.

        Args:
            picture: The pixels, (H, W, 3) uint8 RGB, if the result does not have them (a frame of a video).

        Returns:
            A PIL picture, which notebooks display.

        Raises:
            ImageError: The file can no longer be read, or the result has no picture.
        """
        from vlfau.drawing.results import plot_result  # noqa: PLC0415 - see the text of this file

        return plot_result(self, picture)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the files that `vlfau predict --out` writes for a picture.

        These are the annotated picture `NAME.vlfau.jpg` and the tables `results.csv` and `results.jsonl`. Rows are
        added to those of pictures saved in the folder earlier. For many files, `vlfau.run` is faster.

        Args:
            folder: The folder; it is created.

        Raises:
            ImageError: The file can no longer be read, or the result has no picture.
            InputError: The result has no name, is a frame of a video, or the tables are from another model.
            OutputError: A file cannot be written, or the tables contain other results of the same picture.
        """
        from vlfau.runs.saving import save_result  # noqa: PLC0415 - see the text of this file

        save_result(self, folder)
