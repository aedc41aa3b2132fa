"""Progress reports of a run to an observer, and its final summary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from vlfau.errors import InputError
from vlfau.inference.results import FaceResult

__all__ = ["InputFailure", "RunObserver", "RunSummary", "count"]


class RunObserver:
    """Receives progress and results of a run; override the methods you need, the others do nothing.

    Each input starts with `input_started`. A picture is then followed by `picture_done`; a video or camera by
    `video_started`, `frame_done` after each frame, `video_ended`, and, if it had frames, `video_done`. An input that
    cannot be used calls `failed`, at its end or instead of these.
    """

    @property
    def wants_more(self) -> bool:
        """Whether the output is still read; if not, a run that writes no files ends before its next input."""
        return True

    def notice(self, message: str) -> None:
        """Called with a notice for the user, such as a warning about the model."""

    def skipped(self, folder: Path, files: Mapping[Path, str]) -> None:
        """Called with the files of a folder that are not read, and the reasons."""

    def run_started(self, files: Sequence[Path]) -> None:
        """Called with all inputs, including those that an earlier run finished."""

    def input_started(self, file: Path) -> None:
        """Called when an input starts."""

    def picture_done(self, file: str, faces: Sequence[FaceResult]) -> None:
        """Called with the faces of a picture.

        Args:
            file: The picture, as printable text.
            faces: Its faces, largest first.
        """

    def video_started(self, title: str, length_s: float | None) -> None:
        """Called when reading a video or camera starts; with the baseline `clip`, twice.

        Args:
            title: Description of the current step.
            length_s: Length of the analysed part, in seconds; None if unknown.
        """

    def frame_done(self, done_s: float) -> None:
        """Called after each frame, with its time in seconds from the start of the analysed part."""

    def video_ended(self) -> None:
        """Called when reading a video has ended, for any reason."""

    def video_done(self, file: str, summary: str) -> None:
        """Called with the summary of a video.

        Args:
            file: The video, as printable text.
            summary: As returned by `vlfau.video.summary.summary`.
        """

    def failed(self, file: Path, error: InputError) -> None:
        """Called when an input could not be used completely; the run continues."""

    def run_ended(self) -> None:
        """Called after the last input."""


@dataclass(frozen=True, slots=True)
class InputFailure:
    """An input that could not be used completely.

    Attributes:
        file: The input, as the user named it.
        kind: Class of the error, such as `ImageError`.
        reason: What is wrong, and how to fix it.
    """

    file: Path
    kind: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """The summary of a run.

    Attributes:
        pictures: Number of analysed pictures.
        videos: Number of analysed videos and cameras.
        frames: Number of their analysed frames.
        faces: Number of faces in pictures, and of tracked faces in videos.
        errors: Inputs that could not be used completely.
        skipped: Files in the given folders that were not read, and why; hidden files are not among them.
        done_before: Number of inputs finished by an earlier run.
        elapsed_s: Duration of the run, in seconds.
        video_s: The part of it spent on videos.
        outputs: The requested folder and tables.
        errors_file: The list of errors, if this run or one that it resumed wrote one.
    """

    pictures: int = 0
    videos: int = 0
    frames: int = 0
    faces: int = 0
    errors: tuple[InputFailure, ...] = ()
    skipped: Mapping[Path, str] = field(default_factory=dict)
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
        if self.skipped:
            parts.append(f"{count(len(self.skipped), 'file')} skipped")
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
    """Return a duration as text.

    >>> _duration(3.14159), _duration(4000)
    ('3.1 s', '1:06:40')
    """
    return f"{elapsed_s:.1f} s" if elapsed_s < 60 else str(timedelta(seconds=round(elapsed_s)))
