"""What every reader of a raw data set hands on: labelled frames, clip by clip."""

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
        number: As the data set counts.
        occurrence: (N,), 0 or 1 for each AU; None where unknown.
        intensity: (N,), 0 to 5 for each AU, None where unknown; empty if the data set codes none.
        picture: Its file; None if there is none, or if the clip is a video.
        side: (N,), left, right, both or an empty text for each AU; empty if the data set codes none.
        coded: Whether a coder looked at the frame; a frame that is neutral by design of the data set may not be.
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
        subject_id: Name of the person.
        task: Name of the task or the camera.
        fold: The fold that tests the person.
        gender: F, M or empty.
        frames: The labelled frames, by number.
        video: A film whose frames are counted from 1, or None if every frame has a file.
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
        """Return where the aligned face of a frame lies, relative to the manifest's folder."""
        return f"faces/{self.subject_id}/{self.task}/{frame.number:05d}.jpg"

    def has_picture(self, frame: LabelledFrame) -> bool:
        """Return whether there is anything to cut the face from."""
        return self.video is not None or frame.picture is not None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A labelled frame that the manifest leaves out.

    Attributes:
        subject_id: Name of the person.
        fold: The fold that tests the person.
        task: Name of the task or the camera.
        number: As the data set counts.
        reason: Why it is left out.
        occurrence: (N,), its labels: 0 or 1 for each AU, None where unknown.
    """

    subject_id: str
    fold: int
    task: str
    number: int
    reason: str
    occurrence: tuple[int | None, ...]

    @classmethod
    def of(cls, clip: Clip, frame: LabelledFrame, reason: str) -> "Skipped":
        """Leave out a frame of a clip."""
        return cls(clip.subject_id, clip.fold, clip.task, frame.number, reason, frame.occurrence)


@dataclass(frozen=True, slots=True)
class Source:
    """A raw data set, read and checked.

    Attributes:
        protocol: Its AUs and folds.
        clips: What it holds.
        unlabelled: Number of pictures in clips without any labels.
        skipped: Frames whose labels could not be read.
        notes: Sentences for the report: what the release lacks, and what was not used.
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
