"""The result of every data set reader: labelled frames, grouped into clips."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vlfau.prepare.protocol import Protocol

__all__ = ["Clip", "LabelledFrame", "Skipped", "Source"]

NO_PICTURE = "no picture"


@dataclass(frozen=True, slots=True)
class LabelledFrame:
    """The labels of one frame.

    Attributes:
        number: Frame number in the data set.
        occurrence: (N,) 0 or 1 for each AU; None where unknown.
        intensity: (N,) 0 to 5 for each AU, None where unknown; empty if the data set has no intensities.
        picture: Picture file; None if it is missing, or if the clip is a video.
        side: (N,) left, right, both or an empty string for each AU; empty if the data set has no sides.
        coded: Whether a coder annotated the frame; False for a frame that is neutral by design of the data set.
    """

    number: int
    occurrence: tuple[int | None, ...]
    intensity: tuple[int | None, ...] = ()
    picture: Path | None = None
    side: tuple[str, ...] = ()
    coded: bool = True


@dataclass(frozen=True, slots=True)
class Clip:
    """The frames of one subject in one task.

    Attributes:
        subject_id: Name of the subject.
        task: Name of the task or the camera.
        fold: The test fold of the subject.
        gender: F, M or empty.
        frames: The labelled frames, by number.
        video: Video file, whose frames are counted from 1; None if every frame has a picture file.
        unlabelled: Number of pictures without labels.
    """

    subject_id: str
    task: str
    fold: int
    gender: str
    frames: tuple[LabelledFrame, ...]
    video: Path | None = None
    unlabelled: int = 0

    def crop(self, frame: LabelledFrame) -> str:
        """Return the path of a frame's aligned face, relative to the manifest's folder."""
        return f"faces/{self.subject_id}/{self.task}/{frame.number:05d}.jpg"

    def has_picture(self, frame: LabelledFrame) -> bool:
        """Return whether there is a picture or a video to crop the face from."""
        return self.video is not None or frame.picture is not None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A labelled frame that the manifest leaves out.

    Attributes:
        subject_id: Name of the subject.
        fold: The test fold of the subject.
        task: Name of the task or the camera.
        number: Frame number in the data set.
        reason: Reason for leaving the frame out.
        occurrence: (N,) 0 or 1 for each AU; None where unknown.
    """

    subject_id: str
    fold: int
    task: str
    number: int
    reason: str
    occurrence: tuple[int | None, ...]

    @classmethod
    def of(cls, clip: Clip, frame: LabelledFrame, reason: str) -> "Skipped":
        """Return the entry for a frame of a clip."""
        return cls(clip.subject_id, clip.fold, clip.task, frame.number, reason, frame.occurrence)


@dataclass(frozen=True, slots=True)
class Source:
    """A raw data set, read and checked.

    Attributes:
        protocol: AUs and folds of the data set.
        clips: The clips with labels.
        unlabelled: Number of pictures in clips without any labels.
        skipped: Frames whose labels could not be read.
        notes: Sentences for the report, on files that are missing or not used.
    """

    protocol: Protocol
    clips: tuple[Clip, ...]
    unlabelled: int = 0
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()

    def frames(self) -> Iterator[tuple[Clip, LabelledFrame]]:
        """Yield every labelled frame with its clip."""
        for clip in self.clips:
            for frame in clip.frames:
                yield clip, frame
