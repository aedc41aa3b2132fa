"""What a run did, in one line."""

import time
from dataclasses import dataclass, field
from datetime import timedelta

__all__ = ["Tally", "count"]


def count(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> count(1, "face"), count(1200, "frame")
    ('1 face', '1,200 frames')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


@dataclass
class Tally:
    """Counts what a run does.

    Attributes:
        pictures: Pictures that were judged.
        videos: Videos and cameras of which frames were judged.
        frames: Their frames.
        faces: Faces of pictures, and people followed in videos.
        errors: Inputs that could not be used, or not wholly.
        done_before: Inputs that an earlier run had done.
        video_s: Seconds that were spent on videos.
    """

    pictures: int = 0
    videos: int = 0
    frames: int = 0
    faces: int = 0
    errors: int = 0
    done_before: int = 0
    video_s: float = 0.0
    _began: float = field(default_factory=time.monotonic)

    def line(self) -> str:
        """Return all of it as a line."""
        elapsed_s = time.monotonic() - self._began
        parts = [count(self.pictures, "picture")] if self.pictures or not self.videos else []
        if self.videos:
            parts.append(f"{count(self.videos, 'video')} ({count(self.frames, 'frame')})")
        parts.append(count(self.faces, "face"))
        if self.errors:
            parts.append(count(self.errors, "error"))
        if self.done_before:
            parts.append(f"{self.done_before:,} done before")
        line = f"{', '.join(parts)} in {_duration(elapsed_s)}"
        if self.frames:
            return f"{line}, {self.frames / max(self.video_s, 1e-9):.1f} frames/s"
        return f"{line}, {self.pictures / max(elapsed_s, 1e-9):.1f} pictures/s" if self.pictures > 1 else line


def _duration(elapsed_s: float) -> str:
    """Return how long something took.

    >>> _duration(3.14159), _duration(4000)
    ('3.1 s', '1:06:40')
    """
    return f"{elapsed_s:.1f} s" if elapsed_s < 60 else str(timedelta(seconds=round(elapsed_s)))
