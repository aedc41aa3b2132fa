"""The model behind the page: pictures, videos and camera frames to results, several at a time."""

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from vlfau.app.settings import Settings
from vlfau.app.uploads import Upload, check_is_video
from vlfau.drawing.report import ReportBuilder
from vlfau.errors import ConfigError, VideoError
from vlfau.inference.captioner import Describe
from vlfau.inference.predictor import Predictor
from vlfau.inference.results import FaceResult, PictureResult
from vlfau.inference.runtimes import Runtime
from vlfau.media.images import Picture, read_picture
from vlfau.media.reader import VideoReader
from vlfau.video.events import Event, find_all_events
from vlfau.video.stream import stream
from vlfau.video.tracks import Track

__all__ = ["Judge", "JudgedVideo"]

STEPS_S: Final = (0.04, 10.0)
"""The least and the most time between the frames of a video that are judged."""
_MAX_PIXELS: Final = 4096 * 2304
"""Of a video's frame."""


@dataclass(frozen=True, eq=False)
class JudgedVideo:
    """What was found in a video.

    Attributes:
        name: Of the video.
        duration_s: What was looked at, in seconds.
        frames: How many frames were judged.
        tracks: The faces.
        events: What they did.
        report: For the page about it.
        broken: Why the video could not be read to its end; None if it could.
    """

    name: str
    duration_s: float
    frames: int
    tracks: list[Track]
    events: list[Event]
    report: ReportBuilder
    broken: VideoError | None


class Judge:
    """Judges what visitors send; its methods may run in several threads.

    Args:
        model: A bundle's folder or name; None takes the default model.
        threads: Threads that one network may use.
        runtime: What computes the model.
        settings: Limits.

    Raises:
        BundleError: The model is none.
        ConfigError: `threads` is out of range, or the processor cannot run the runtime.
        MissingExtraError: The runtime is not installed.
    """

    def __init__(
        self, model: str | Path | None, *, threads: int, settings: Settings, runtime: Runtime = "onnxruntime"
    ) -> None:
        free = Predictor(model, threads=threads, max_faces=settings.max_faces, runtime=runtime)
        bound = Predictor(
            free.bundle, backend=free.backend, threads=threads, max_faces=settings.max_faces, consistent=True
        )
        self.info, self._settings = free.bundle.info, settings
        if self.info.words_warning:
            logging.getLogger(__name__).warning(self.info.words_warning)
        self._predictors = {False: free, True: bound}
        self._decoding = threading.Lock()
        size = self.info.crop.crop_size
        for predictor in self._predictors.values():  # Opens every network, so that the first visitor need not wait.
            predictor.predict_crops(np.zeros((1, size, size, 3), np.uint8))
            predictor.finder.find(np.zeros((size, size, 3), np.uint8))

    def picture(self, upload: Upload, *, consistent: bool, describe: Describe) -> tuple[Picture, PictureResult]:
        """Judge the faces of a picture.

        Args:
            upload: The file.
            consistent: Whether the words must agree with the states of the AUs.
            describe: Which AUs get words.

        Raises:
            ImageError: It is no readable picture.
        """
        with self._decoding:  # A picture takes most memory while it is decoded.
            picture = read_picture(upload.path)
        return picture, PictureResult(upload.name, self.faces(picture, consistent=consistent, describe=describe))

    def faces(
        self, picture: Picture, *, consistent: bool = True, describe: Describe = "never"
    ) -> tuple[FaceResult, ...]:
        """Judge the faces of a picture that was read, largest first."""
        return tuple(self._predictors[consistent].predict(picture, describe=describe))

    def video(
        self,
        upload: Upload,
        *,
        every_s: float,
        consistent: bool,
        take: Callable[[PictureResult], None],
        progress: Callable[[float, float | None], None],
    ) -> JudgedVideo:
        """Judge the faces of a video.

        Args:
            upload: The file.
            every_s: Time between the frames that are judged, in seconds.
            consistent: Whether the words must agree with the states of the AUs.
            take: Gets the result of every frame.
            progress: Gets the seconds that are done, and those that there are, None where the file does not say.

        Raises:
            VideoError: It is no video, too long, too large, or damaged from its start.
            ConfigError: `every_s` is out of range.
        """
        if not STEPS_S[0] <= every_s <= STEPS_S[1]:
            raise ConfigError(f"every_s is {every_s:g}; give {STEPS_S[0]:g} to {STEPS_S[1]:g} seconds")
        check_is_video(upload)
        whole_s = self._check_size(upload)
        report = ReportBuilder(upload.name, self.info)
        tracks = report.tracks
        broken: VideoError | None = None
        last_s = 0.0
        try:
            with closing(
                stream(self._predictors[consistent], upload.path, every_s=every_s, max_pixels=_MAX_PIXELS)
            ) as results:
                for frame, result in results:
                    self._check_length(upload, frame.time_s)
                    named = replace(result, file=upload.name)
                    report.add(frame, named)
                    take(named)
                    last_s = frame.time_s
                    progress(last_s, whole_s)
        except _TooLongError:
            raise
        except VideoError as error:
            if not tracks.frames:
                raise
            broken = error
        built = tracks.build()
        return JudgedVideo(
            name=upload.name,
            duration_s=last_s if whole_s is None or broken else whole_s,
            frames=tracks.frames,
            tracks=built,
            events=find_all_events(built, self.info.thresholds),
            report=report,
            broken=broken,
        )

    def _check_size(self, upload: Upload) -> float | None:
        info = VideoReader(upload.path).info
        if info.width * info.height > _MAX_PIXELS:
            raise VideoError(
                f"video {upload.name} has {info.width} x {info.height} pixels, more than this page takes "
                f"({_MAX_PIXELS // 1_000_000} million); make it smaller"
            )
        if info.duration_s is not None:
            self._check_length(upload, info.duration_s)
        return info.duration_s

    def _check_length(self, upload: Upload, time_s: float) -> None:
        # The file may not say how long it is, or lie about it, so every frame is asked too.
        if time_s > self._settings.max_video_s:
            raise _TooLongError(
                f"video {upload.name} is longer than the {self._settings.max_video_s:g} s that this page takes; "
                "cut it, or use vlfau on your own computer"
            )


class _TooLongError(VideoError):
    """A video is longer than the page takes."""
