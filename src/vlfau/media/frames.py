"""A frame of a video, and what is known of a video before it is read."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["VideoFrame", "VideoInfo"]


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What is known of a video before it is read.

    Attributes:
        width: Of the upright frames, in pixels.
        height: Of the upright frames, in pixels.
        frame_rate: Frames per second, on average.
        duration_s: In seconds, as the file says; None for a camera and where the file does not say.
        frames: Number of frames; None likewise.
    """

    width: int
    height: int
    frame_rate: float
    duration_s: float | None
    frames: int | None


@dataclass(frozen=True, slots=True, eq=False)
class VideoFrame:
    """One frame of a video.

    Attributes:
        number: Its index in the video, from 0; frames that were left out count.
        time_s: When it is shown, in seconds from the first frame of the video.
        pixels: (H, W, 3) uint8 RGB, upright.
        arrived_s: When a camera gave it, on the clock of `time.monotonic`; None for a file.
    """

    number: int
    time_s: float
    pixels: NDArray[np.uint8]
    arrived_s: float | None = None
