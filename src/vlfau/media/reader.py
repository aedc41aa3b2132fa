"""Video files and cameras, read frame by frame."""

import os
from collections.abc import Generator
from pathlib import Path
from types import TracebackType
from typing import Self

from vlfau.errors import ConfigError
from vlfau.media import camera, container, moving_pictures, network_camera
from vlfau.media.addresses import NetworkCamera
from vlfau.media.decoding import read_frames
from vlfau.media.frames import VideoFrame, VideoInfo
from vlfau.media.schedule import Picker

__all__ = ["VideoReader"]


class VideoReader:
    """A video, read in a `for` loop; every loop starts at the beginning.

    Times are those at which the file shows its frames, on the clock that its sound has too, also where the rate varies.
    Frames are upright, in square pixels, deinterlaced and tone-mapped to SDR. Frames between the wanted ones are not
    decoded where the codec allows.

    Args:
        source: A video file; an animated GIF, APNG or WebP file; numbered pictures such as `frames_%05d.png`; or a
            camera: `camera:0`, `camera:1`, ..., or a `NetworkCamera`.
        every_s: Seconds between frames; the first frame of each interval is taken. None takes all frames.
        start_s: Start at this time, in seconds.
        end_s: Stop before this time, in seconds; None reads to the end.
        threads: Number of threads for decoding a file; None lets the codec choose.
        max_pixels: Largest frame of a file; a larger one is never decoded.
        stream_number: Which of the video streams of a file, from 1; None takes the largest.
        fps: Numbered pictures per second.

    Attributes:
        info: What is known of the video; sizes are those of the upright frames.

    Raises:
        VideoError: There is no such file, stream or camera, or the file is not a video.
        ConfigError: A time is out of range, or numbered pictures have no `fps`.
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
        stream_number: int | None = None,
        fps: float | None = None,
    ) -> None:
        if every_s is not None and not 0 < every_s < float("inf"):
            raise ConfigError(f"every is {every_s:g} s; give more than 0 s, or nothing to take all frames")
        if not 0 <= start_s < float("inf"):
            raise ConfigError(f"start is {start_s:g} s; give 0 s or more")
        if end_s is not None and not end_s > start_s:
            raise ConfigError(f"end is {end_s:g} s and start {start_s:g} s; give an end after the start")
        if fps is not None and not 0 < fps < float("inf"):
            raise ConfigError(f"fps is {fps:g}; give more than 0 pictures per second")
        self._every_s, self._start_s, self._end_s, self._threads = every_s, start_s, end_s, threads
        self._max_pixels, self._stream_number, self._fps = max_pixels, stream_number, fps
        self._path, self._camera = Path(source), camera.camera_number(os.fspath(source))
        self._network = source if isinstance(source, NetworkCamera) else None
        self._frames: Generator[VideoFrame] | None = None
        self.info = self._probe()

    @property
    def is_camera(self) -> bool:
        """Whether the source is a live camera."""
        return self._camera is not None or self._network is not None

    def __iter__(self) -> Generator[VideoFrame]:
        """Yield the frames in the order in which they are shown.

        Raises:
            VideoError: The video breaks off or is damaged, or the camera stops; the frames before were yielded.
        """
        self.close()
        self._frames = self._read(Picker(self._every_s, self._start_s, self._end_s))
        return self._frames

    @property
    def _is_animation(self) -> bool:
        suffix = self._path.suffix.lower()
        return suffix in moving_pictures.ANIMATION_SUFFIXES and (suffix == ".apng" or self._path.is_file())

    def _probe(self) -> VideoInfo:
        if self._network is not None:
            return network_camera.probe(self._network)
        if self._camera is not None:
            return camera.probe(self._camera)
        if moving_pictures.is_numbered(self._path):
            return moving_pictures.probe_numbered(self._path, self._fps, self._max_pixels)
        if self._is_animation:
            return moving_pictures.probe_animation(self._path, self._max_pixels)
        return container.probe(self._path, self._max_pixels, self._stream_number)

    def _read(self, picker: Picker) -> Generator[VideoFrame]:
        if self._network is not None:
            return network_camera.read_frames(self._network, picker)
        if self._camera is not None:
            return camera.read_frames(self._camera, picker)
        if moving_pictures.is_numbered(self._path):
            assert self._fps is not None  # `_probe` asked for it.
            return moving_pictures.read_numbered(self._path, self._fps, picker)
        if self._is_animation:
            return moving_pictures.read_animation(self._path, picker)
        return read_frames(
            self._path,
            picker,
            self._threads,
            self._max_pixels,
            stream_number=self._stream_number,
            treatment=self.info.treatment,
        )

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
