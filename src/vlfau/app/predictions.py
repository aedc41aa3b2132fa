"""The model behind the page: analyses uploaded pictures and videos and camera frames, several at a time."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from vlfau.app.result_tables import write_tables
from vlfau.app.site import PageLimits, Site
from vlfau.app.uploads import PublicError, Upload, check_is_video, for_visitors, received
from vlfau.app.visitors import is_gone
from vlfau.errors import ConfigError, VideoError
from vlfau.inference.captioner import Describe
from vlfau.inference.predictor import Predictor
from vlfau.inference.results import FaceResult, PictureResult
from vlfau.media.frames import VideoInfo
from vlfau.media.images import Picture, read_picture
from vlfau.media.reader import VideoReader
from vlfau.runs.options import ModelOptions
from vlfau.runs.video_files import VideoFiles
from vlfau.video.events import Event
from vlfau.video.stream import stream
from vlfau.video.tracks import Track

__all__ = ["PagePredictor", "VideoAnswer", "answer_video"]

STEPS_S: Final = (0.04, 10.0)
"""Minimum and maximum time between analysed frames of a video."""
_RESULT_SHARE: Final = 4
"""Space reserved for a video's results, as a multiple of the largest upload."""
_MAX_PIXELS: Final = 4096 * 2304
"""Of a video's frame."""
_VIDEO_FILES: Final = (".events.csv", ".report.html", ".timeline.svg", ".timeline-dark.svg")


@dataclass(frozen=True, eq=False, kw_only=True)
class VideoAnswer:
    """The results of a video, and its files.

    Attributes:
        name: Name of the video.
        duration_s: Length of the analysed part, in seconds.
        frames: Number of analysed frames.
        tracks: The face tracks.
        events: The AU events.
        notes: What was done to the video before it was analysed, such as deinterlacing.
        broken: Why the video could not be read to its end; None if it could.
        tables: The rows of all frames, by suffix: `.csv`, `.jsonl`, and `.parquet` if pyarrow is installed.
        files: The files about the whole video, by suffix, such as `.events.csv`; no timelines without a face.
    """

    name: str
    duration_s: float
    frames: int
    tracks: list[Track]
    events: list[Event]
    notes: Sequence[str]
    broken: VideoError | None
    tables: Mapping[str, Path]
    files: Mapping[str, Path]


class PagePredictor:
    """Analyses what visitors send; its methods may run in several threads.

    Args:
        options: The model and runtime.
        limits: Limits of the page.

    Raises:
        BundleError: There is no such model, or it is damaged.
        ConfigError: `threads` is out of range, or this machine does not support the runtime.
        MissingExtraError: The runtime is not installed.
    """

    def __init__(self, options: ModelOptions, limits: PageLimits) -> None:
        shared: dict[str, Any] = {"threads": options.threads, "max_faces": limits.max_faces}
        free = Predictor(options.model, runtime=options.runtime, consistent=False, **shared)
        consistent = Predictor(free.bundle, backend=free.backend, consistent=True, **shared)
        self.info, self._limits = free.bundle.info, limits
        if self.info.words_warning:
            logging.getLogger(__name__).warning(self.info.words_warning)
        self._predictors = {False: free, True: consistent}
        self._decoding = threading.Lock()
        size = self.info.crop.crop_size
        for predictor in self._predictors.values():  # Loads all networks, so that the first visitor need not wait.
            predictor.predict_crops(np.zeros((1, size, size, 3), np.uint8))
            predictor.finder.find(np.zeros((size, size, 3), np.uint8))

    def picture(self, upload: Upload, *, consistent: bool, describe: Describe) -> tuple[Picture, PictureResult]:
        """Analyse the faces of a picture.

        Args:
            upload: The file.
            consistent: Whether captions must agree with the states of the AUs.
            describe: Which AUs get captions.

        Returns:
            The picture and its result.

        Raises:
            ImageError: It is not a readable picture.
        """
        with self._decoding:  # A picture takes most memory while it is decoded.
            picture = read_picture(upload.path)
        return picture, self._predictors[consistent].predict(picture, names=upload.name, describe=describe)

    def faces(self, picture: Picture) -> tuple[FaceResult, ...]:
        """Analyse the faces of a picture, largest first, without captions."""
        return self._predictors[True].predict(picture, describe="never").faces

    def video(
        self,
        upload: Upload,
        folder: Path,
        *,
        every_s: float,
        consistent: bool,
        progress: Callable[[float, float | None], None],
        annotate: bool = False,
    ) -> VideoAnswer:
        """Analyse the faces of a video, and write its files.

        Args:
            upload: The file.
            folder: Folder for the files.
            every_s: Time between analysed frames, in seconds.
            consistent: Whether captions must agree with the states of the AUs.
            progress: Called with the seconds analysed and the total; None if the file does not state its length.
            annotate: Whether to write the annotated video, too.

        Raises:
            VideoError: It is not a video, is too long or too large, or is damaged from its start.
            ConfigError: `every_s` is out of range.
        """
        if not STEPS_S[0] <= every_s <= STEPS_S[1]:
            raise ConfigError(f"every_s is {every_s:g}; give {STEPS_S[0]:g} to {STEPS_S[1]:g} seconds")
        check_is_video(upload)
        info = self._checked_info(upload)
        whole_s = info.duration_s
        broken: VideoError | None = None
        last_s = 0.0
        with write_tables(folder, upload.stem, self.info) as tables:
            files = VideoFiles(
                upload.name,
                self.info,
                path_of=lambda ending: folder / f"{upload.stem}-{ending[1:]}",
                wanted=(*_VIDEO_FILES, *([".vlfau.mp4"] if annotate else [])),
            )
            results = stream(
                self._predictors[consistent], upload.path, every_s=every_s, max_pixels=_MAX_PIXELS, file=upload.name
            )
            with files, closing(results):
                try:
                    for frame, result in results:
                        self._check_length(upload, frame.time_s)
                        files.add(frame, result)
                        tables.add(result)
                        last_s = frame.time_s
                        progress(last_s, whole_s)
                except VideoError as error:
                    if isinstance(error, _TooLongError) or not files.frames:
                        raise
                    broken = error
        return VideoAnswer(
            name=upload.name,
            duration_s=last_s if whole_s is None or broken else whole_s,
            frames=files.frames,
            tracks=files.tracks,
            events=files.events,
            notes=info.notes,
            broken=broken,
            tables=tables.paths,
            files=files.paths,
        )

    def _checked_info(self, upload: Upload) -> VideoInfo:
        info = VideoReader(upload.path).info
        if info.width * info.height > _MAX_PIXELS:
            raise VideoError(
                f"video {upload.name} has {info.width} x {info.height} pixels, more than this page takes "
                f"({_MAX_PIXELS // 1_000_000} million); make it smaller"
            )
        if info.duration_s is not None:
            self._check_length(upload, info.duration_s)
        return info

    def _check_length(self, upload: Upload, time_s: float) -> None:
        # The stated length may be missing or wrong, so every frame is checked too.
        if time_s > self._limits.max_video_s:
            raise _TooLongError(
                f"video {upload.name} is longer than the {self._limits.max_video_s:g} s that this page takes; "
                "cut it, or use vlfau on your own computer"
            )


class _TooLongError(VideoError):
    """A video is longer than the page accepts."""


def answer_video(
    site: Site,
    payload: Any,
    *,
    every_s: float,
    consistent: bool,
    progress: Callable[..., Any],
    annotate: bool = False,
) -> VideoAnswer:
    """Analyse an uploaded video, for the page or the HTTP interface.

    Args:
        site: The page.
        payload: The upload, as described by the request.
        every_s: Time between analysed frames, in seconds.
        consistent: Whether captions must agree with the states of the AUs.
        progress: Gradio's progress function, which takes a fraction or (done, total).
        annotate: Whether to write the annotated video, too.

    Raises:
        PublicError: Analysis failed; the message may be shown.
    """

    def show(done_s: float, whole_s: float | None) -> None:
        if is_gone():
            raise PublicError("the visitor has left")
        if whole_s:
            progress(min(done_s / whole_s, 1.0), desc="Looking at the frames")

    with for_visitors():
        upload = received(payload, site.folder)
    with for_visitors(upload), site.disk.new_folder(_RESULT_SHARE * site.limits.max_upload_bytes) as folder:
        return site.predictor.video(
            upload, folder, every_s=every_s, consistent=consistent, progress=show, annotate=annotate
        )
