"""What vlfau says of a face."""

from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from vlfau.faces import HeadPose

__all__ = ["AUResult", "CropResult", "FaceResult", "PictureResult"]


@dataclass(frozen=True, slots=True)
class AUResult:
    """One AU of one face.

    Attributes:
        au_id: FACS number.
        name: FACS name.
        prob: Probability that the AU occurs, 0 to 1.
        state: Whether it occurs: `prob` is at least the model's threshold for this AU.
        local_caption: The AU in words; None where no words were asked for or the model has none.
        intensity: How strongly it acts, 0 to 5 (A = 1 to E = 5); None from a model that has no intensities.
        attention_map: (H, W), where on the crop the model looked for this AU.
    """

    au_id: int
    name: str
    prob: float
    state: bool
    local_caption: str | None = None
    intensity: float | None = None
    attention_map: NDArray[np.float32] | None = field(default=None, repr=False, compare=False)

    @property
    def label(self) -> str:
        """The usual short form, such as `AU12`."""
        return f"AU{self.au_id}"

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold: everything but the attention map."""
        return {
            "au_id": self.au_id,
            "name": self.name,
            "prob": round(self.prob, 4),
            "state": self.state,
            "intensity": round(self.intensity, 2) if self.intensity is not None else None,
            "local_caption": self.local_caption,
        }


@dataclass(frozen=True, kw_only=True)
class CropResult:
    """An aligned face in numbers and words.

    Attributes:
        aus: One result an AU, in the model's order.
        global_caption: The whole face in words; None where no words were asked for or the model has none.
    """

    aus: tuple[AUResult, ...]
    global_caption: str | None = None

    @property
    def active_aus(self) -> tuple[AUResult, ...]:
        """The AUs that occur."""
        return tuple(au for au in self.aus if au.state)

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {"global_caption": self.global_caption, "aus": [au.to_dict() for au in self.aus]}


@dataclass(frozen=True, kw_only=True)
class FaceResult(CropResult):
    """A face of a picture in numbers and words.

    Attributes:
        face_box_xyxy: Left, top, right and bottom of the face, in pixels of the file.
        landmarks_xy: (468, 2), the points of the mesh, in pixels of the file.
        score: How sure the face finder is, 0 to 1.
        pose: Head pose in degrees.
        crop: (S, S, 3) uint8 RGB, the aligned face that the model saw.
        face_id: The number of the face in its video, the same in every frame, from 1; None in a picture.
    """

    face_box_xyxy: tuple[float, float, float, float]
    landmarks_xy: NDArray[np.float32] = field(repr=False, compare=False)
    score: float
    pose: HeadPose
    crop: NDArray[np.uint8] = field(repr=False, compare=False)
    face_id: int | None = None

    def without_arrays(self) -> Self:
        """Return a copy without landmarks, crop and attention maps, to keep the results of many pictures."""
        return replace(
            self,
            aus=tuple(replace(au, attention_map=None) for au in self.aus),
            landmarks_xy=self.landmarks_xy[:0].copy(),
            crop=self.crop[:0].copy(),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold: everything but the landmarks, the crop and the attention maps."""
        return {
            **({"face_id": self.face_id} if self.face_id is not None else {}),
            "face_box_xyxy": [round(value, 1) for value in self.face_box_xyxy],
            "score": round(self.score, 4),
            "pose": {name: round(float(getattr(self.pose, name)), 1) for name in ("yaw", "pitch", "roll")},
            **super().to_dict(),
        }


@dataclass(frozen=True, slots=True)
class PictureResult:
    """All faces of one picture, or of one frame of a video.

    Attributes:
        file: The path as the user gave it.
        faces: Of a picture the largest first, of a video by `face_id`.
        frame: The number of the frame in its video, from 0; None for a picture.
        time_s: When the frame is shown, in seconds from the start of its video; None for a picture.
    """

    file: str
    faces: tuple[FaceResult, ...]
    frame: int | None = None
    time_s: float | None = None
