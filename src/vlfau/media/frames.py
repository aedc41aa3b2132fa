"""A frame of a video, and what is known of a video before it is read."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlfau.media.treatment import AS_STORED, Treatment

__all__ = ["VideoFrame", "VideoInfo"]


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What is known of a video before it is read.

    Attributes:
        width: Of the upright frames, in square pixels.
        height: Likewise.
        frame_rate: Frames per second, on average.
        duration_s: In seconds, as the file says; None for a camera and where the file does not say.
        frames: Number of frames; None likewise.
        treatment: What is done to every frame.
        notes: What a user should know of how the file is read, in a few words each; empty for an ordinary file.
    """

    width: int
    height: int
    frame_rate: float
    duration_s: float | None
    frames: int | None
    treatment: Treatment = AS_STORED
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """One frame of a video.

    Attributes:
        number: Its index in the video, from 0; frames that were left out count.
        time_s: When it is shown, in seconds on the clock of the file, which its sound shares.
        pixels: (H, W, 3) uint8 RGB, upright, in square pixels.
        since_first_s: When it is shown, in seconds from the first frame of the video; None if unknown.
        arrived_s: When a camera gave it, on the clock of `time.monotonic`; None for a file.
    """

    number: int
    time_s: float
    pixels: NDArray[np.uint8]
    since_first_s: float | None = None
    arrived_s: float | None = None
