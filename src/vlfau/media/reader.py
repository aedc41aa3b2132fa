"""Video files and cameras, read frame by frame."""

import os
from collections.abc import Generator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from vlfau.errors import ConfigError
from vlfau.media import camera, container, network_camera
from vlfau.media.frames import VideoFrame
from vlfau.media.network_camera import NetworkCamera
from vlfau.media.schedule import Picker

__all__ = ["VIDEO_SUFFIXES", "VideoReader", "is_video"]


VIDEO_SUFFIXES: Final = frozenset(
    {
        *(".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts"),
        *(".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv", ".y4m"),
    }
)


def is_video(path: str | Path) -> bool:
    """Return whether a path is named like a video file, or is a camera such as `camera:0`.

    >>> is_video("film.MP4"), is_video("camera:0"), is_video("photo.jpg")
    (True, True, False)
    """
    text = os.fspath(path)
    return camera.is_live(text) or Path(text).suffix.lower() in VIDEO_SUFFIXES


class VideoReader:
    """A video, read in a `for` loop; every loop starts at the beginning.

    Times are those at which the file shows its frames, in seconds from the first frame, also where the rate varies.
    Frames are turned upright as the file says. Frames between the wanted ones are not decoded where the codec allows.

    Args:
        source: A video file, or a camera: `camera:0`, `camera:1`, ..., or a `NetworkCamera`.
        every_s: Seconds between frames; the first frame of each interval is taken. None takes all frames.
        start_s: Start at this time, in seconds.
        end_s: Stop before this time, in seconds; None reads to the end.
        threads: Number of threads for decoding a file; None lets the codec choose.
        max_pixels: Largest frame of a file; a larger one is never decoded.

    Attributes:
        info: What is known of the video; sizes are those of the upright frames.

    Raises:
        VideoError: There is no such file or camera, or the file is not a video.
        ConfigError: A time is out of range.
    """

    def __init__(
        self,
        source: str | Path,
        *,
        every_s: float | None = None,
        start_s: float = 0.0,
        end_s: float | None = None,
        threads: int | None = None,
        max_pixels: int = container.MAX_PIXELS,
    ) -> None:
        if every_s is not None and not 0 < every_s < float("inf"):
            raise ConfigError(f"every is {every_s:g} s; give more than 0 s, or nothing to take all frames")
        if not 0 <= start_s < float("inf"):
            raise ConfigError(f"start is {start_s:g} s; give 0 s or more")
        if end_s is not None and not end_s > start_s:
            raise ConfigError(f"end is {end_s:g} s and start {start_s:g} s; give an end after the start")
        self._every_s, self._start_s, self._end_s, self._threads = every_s, start_s, end_s, threads
        self._max_pixels = max_pixels
        self._path, self._camera = Path(source), camera.camera_number(os.fspath(source))
        self._network = source if isinstance(source, NetworkCamera) else None
        self._frames: Generator[VideoFrame] | None = None
        if self._network is not None:
            self.info = network_camera.probe(self._network)
        else:
            self.info = container.probe(self._path, max_pixels) if self._camera is None else camera.probe(self._camera)

    @property
    def is_camera(self) -> bool:
        """Whether the source is a live camera."""
        return self._camera is not None or self._network is not None

    def __iter__(self) -> Generator[VideoFrame]:
        """Yield the frames in the order in which they are shown.

        Raises:
            VideoError: The video breaks off or is damaged, or the camera stops; the frames before were yielded.
        """
        picker = Picker(self._every_s, self._start_s, self._end_s)
        self.close()
        if self._network is not None:
            self._frames = network_camera.read_frames(self._network, picker)
        elif self._camera is not None:
            self._frames = camera.read_frames(self._camera, picker)
        else:
            self._frames = container.read_frames(self._path, picker, self._threads, self._max_pixels)
        return self._frames

    def close(self) -> None:
        """Close the file or the camera, if it is being read."""
        if self._frames is not None:
            self._frames.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the file or the camera."""
        self.close()
