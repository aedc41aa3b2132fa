"""What a run tells: to an observer while it goes on, and in a summary at its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from vlfau.errors import InputError
from vlfau.inference.results import FaceResult

__all__ = ["InputFailure", "RunObserver", "RunSummary", "count"]


class RunObserver:
    """Is told how far a run is; override the methods that you need, the others do nothing.

    An input begins with `input_started`. A picture then gives `picture_done`; a video or camera gives `video_started`,
    `frame_done` after each frame, `video_ended`, and, if it had frames, `video_done`. What cannot be used gives
    `failed`, at the input's end or instead of all that.
    """

    @property
    def wants_more(self) -> bool:
        """Whether anybody still looks; if not, a run that writes no files ends before its next input."""
        return True

    def notice(self, message: str) -> None:
        """Hear what a user should know, such as a warning about the model."""

    def run_started(self, files: Sequence[Path]) -> None:
        """Hear which inputs there are, those included that an earlier run did."""

    def input_started(self, file: Path) -> None:
        """Hear that an input is begun."""

    def picture_done(self, file: str, faces: Sequence[FaceResult]) -> None:
        """Hear what was found in a picture.

        Args:
            file: The picture, as text that can be shown.
            faces: Its faces, largest first.
        """

    def video_started(self, title: str, length_s: float | None) -> None:
        """Hear that the frames of a video or camera are read; with the baseline `clip` this comes twice.

        Args:
            title: What is under way.
            length_s: How long the wanted part is, in seconds; None if nobody knows.
        """

    def frame_done(self, done_s: float) -> None:
        """Hear that a frame was analysed, so many seconds after the start of the wanted part."""

    def video_ended(self) -> None:
        """Hear that no more frames of this video are read, whatever the reason."""

    def video_done(self, file: str, summary: str) -> None:
        """Hear what was found in a video.

        Args:
            file: The video, as text that can be shown.
            summary: As `vlfau.video.summary.summary` gives it.
        """

    def failed(self, file: Path, error: InputError) -> None:
        """Hear that an input could not be used, or not wholly; the run goes on."""

    def run_ended(self) -> None:
        """Hear that there is no further input."""


@dataclass(frozen=True, slots=True)
class InputFailure:
    """An input that could not be used, or not wholly.

    Attributes:
        file: The input, as the user named it.
        kind: The class of the error, such as `ImageError`.
        reason: What is wrong, and what to do.
    """

    file: Path
    kind: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """What a run did.

    Attributes:
        pictures: Pictures that were analysed.
        videos: Videos and cameras of which frames were analysed.
        frames: Their frames.
        faces: Faces of pictures, and people followed in videos.
        errors: Inputs that could not be used, or not wholly.
        done_before: Inputs that an earlier run had done.
        elapsed_s: Seconds that the run took.
        video_s: Seconds of them that were spent on videos.
        outputs: The folder and the tables that were asked for.
        errors_file: The list of errors, if one was written, by this run or by one that it resumed.
    """

    pictures: int = 0
    videos: int = 0
    frames: int = 0
    faces: int = 0
    errors: tuple[InputFailure, ...] = ()
    done_before: int = 0
    elapsed_s: float = 0.0
    video_s: float = 0.0
    outputs: tuple[Path, ...] = ()
    errors_file: Path | None = None

    @property
    def has_failures(self) -> bool:
        """Whether an input failed, in this run or in one that it resumed."""
        return bool(self.errors) or self.errors_file is not None

    def __str__(self) -> str:
        """Return the counts as a line.

        >>> str(RunSummary(pictures=2, faces=3, elapsed_s=0.8))
        '2 pictures, 3 faces in 0.8 s, 2.5 pictures/s'
        """
        parts = [count(self.pictures, "picture")] if self.pictures or not self.videos else []
        if self.videos:
            parts.append(f"{count(self.videos, 'video')} ({count(self.frames, 'frame')})")
        parts.append(count(self.faces, "face"))
        if self.errors:
            parts.append(count(len(self.errors), "error"))
        if self.done_before:
            parts.append(f"{self.done_before:,} done before")
        line = f"{', '.join(parts)} in {_duration(self.elapsed_s)}"
        if self.frames:
            return f"{line}, {self.frames / max(self.video_s, 1e-9):.1f} frames/s"
        return f"{line}, {self.pictures / max(self.elapsed_s, 1e-9):.1f} pictures/s" if self.pictures > 1 else line


def count(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> count(1, "face"), count(1200, "frame")
    ('1 face', '1,200 frames')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _duration(elapsed_s: float) -> str:
    """Return how long something took.

    >>> _duration(3.14159), _duration(4000)
    ('3.1 s', '1:06:40')
    """
    return f"{elapsed_s:.1f} s" if elapsed_s < 60 else str(timedelta(seconds=round(elapsed_s)))
