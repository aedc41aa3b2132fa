"""Action units and captions of a video, frame by frame, in constant memory."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import ConfigError
from vlfau.files.names import printable
from vlfau.inference.au_scores import AUScores, Captions
from vlfau.inference.captioner import Describe
from vlfau.inference.found import face_result
from vlfau.inference.predictor import Predictor
from vlfau.inference.results import FaceResult, PictureResult
from vlfau.media.container import MAX_PIXELS
from vlfau.media.frames import VideoFrame
from vlfau.media.prefetch import prefetch
from vlfau.media.reader import VideoReader
from vlfau.video.tracker import FaceTracker, TrackedFace

__all__ = ["DescribeFrames", "describe_for_pictures", "stream"]

DescribeFrames = Literal["changes", "active", "every", "never"]

_PREFETCHED_FRAMES: Final = 4
_PREFETCHED_TRACKED: Final = 2
"""Capacity in frames: a few compensate for slow frames, more would only use memory."""


def describe_for_pictures(describe: DescribeFrames) -> Describe:
    """Return which AUs of a single picture get captions: the active ones instead of those that change."""
    return "active" if describe == "changes" else describe


def stream(
    predictor: Predictor,
    source: str | Path,
    *,
    every_s: float | None = None,
    start_s: float = 0.0,
    end_s: float | None = None,
    describe: DescribeFrames = "changes",
    in_threads: bool = True,
    max_pixels: int = MAX_PIXELS,
    file: str | None = None,
) -> Generator[tuple[VideoFrame, PictureResult]]:
    """Analyse every face of every frame of a video or a camera.

    A file is decoded and its faces are tracked in background threads. From a camera, the newest frame is taken
    whenever the network is free; those in between are dropped.

    Args:
        predictor: The model and its settings.
        source: A video file, or a camera: `camera:0`.
        every_s: Seconds between analysed frames; None analyses all frames.
        start_s: Start at this time, in seconds.
        end_s: Stop before this time, in seconds; None goes to the end.
        describe: When a face gets captions: `changes` writes new ones when its set of active AUs changes, for the
            AUs of the predictor's own `describe`, and repeats them in between; `active`, `every` and `never` write
            captions of those AUs in every frame.
        in_threads: Whether to decode and track in background threads. Without them, a file uses one core only, which
            is best if many files are analysed side by side.
        max_pixels: Maximum size of a frame of a file; larger ones are not decoded.
        file: Name of the source in the results; None takes its path.

    Returns:
        Each frame with its result, faces by number. Close the generator to end its threads if you stop early.

    Raises:
        VideoError: The source cannot be read, or, after the frames that can be read, it breaks off.
        ConfigError: An argument is out of range.
    """
    if describe not in get_args(DescribeFrames):
        raise ConfigError(f"describe is {describe!r}; give one of {', '.join(get_args(DescribeFrames))}")
    threads = None if in_threads else 1
    reader = VideoReader(source, every_s=every_s, start_s=start_s, end_s=end_s, threads=threads, max_pixels=max_pixels)
    return _results(predictor, reader, file or printable(source), describe, in_threads)


@dataclass(frozen=True, slots=True, eq=False)
class _TrackedFrame:
    frame: VideoFrame
    tracked: list[TrackedFace]
    crops: NDArray[np.uint8]


def _results(
    predictor: Predictor, reader: VideoReader, file: str, describe: DescribeFrames, in_threads: bool
) -> Generator[tuple[VideoFrame, PictureResult]]:
    if reader.is_camera:
        tracked_frames = _tracked(predictor, prefetch(reader, 1, drop=True))
    elif not in_threads:
        tracked_frames = _tracked(predictor, iter(reader))
    else:
        tracked_frames = prefetch(_tracked(predictor, prefetch(reader, _PREFETCHED_FRAMES)), _PREFETCHED_TRACKED)
    captioner = _VideoCaptioner(predictor, describe)
    try:
        for each in tracked_frames:
            faces: tuple[FaceResult, ...] = ()
            if each.tracked:
                scores = predictor.score_crops(each.crops)
                words = captioner.describe(scores, [tracked.face_id for tracked in each.tracked])
                geometry = predictor.bundle.info.crop
                faces = tuple(
                    face_result(
                        tracked.face, crop, scores.result(row, words[row]), geometry=geometry, face_id=tracked.face_id
                    )
                    for row, (tracked, crop) in enumerate(zip(each.tracked, each.crops, strict=True))
                )
            yield (
                each.frame,
                PictureResult(file, faces, each.frame.number, each.frame.time_s, model=predictor.bundle.info),
            )
    finally:
        tracked_frames.close()


def _tracked(predictor: Predictor, frames: Generator[VideoFrame]) -> Generator[_TrackedFrame]:
    tracker = FaceTracker(predictor.finder)
    try:
        for frame in frames:
            tracked = tracker.follow(frame.pixels, frame.time_s)
            yield _TrackedFrame(frame, tracked, predictor.align(frame.pixels, [each.face for each in tracked]))
    finally:
        frames.close()


class _VideoCaptioner:
    """Captions the faces of each frame, and repeats the captions of faces whose states did not change."""

    def __init__(self, predictor: Predictor, describe: DescribeFrames) -> None:
        self._predictor = predictor
        self._only_changes = describe == "changes"
        self._describe: Describe | None = None if describe == "changes" else describe
        self._last: dict[int, tuple[bytes, Captions]] = {}

    def describe(self, scores: AUScores, face_ids: Sequence[int]) -> list[Captions]:
        """Return the captions of every face of a frame."""
        states = [row.tobytes() for row in scores.au_states]
        known = {
            face_id: self._last[face_id]
            for face_id, state in zip(face_ids, states, strict=True)
            if self._only_changes and face_id in self._last and self._last[face_id][0] == state
        }
        rows = [row for row, face_id in enumerate(face_ids) if face_id not in known]
        for row, words in zip(rows, self._predictor.describe(scores, rows, self._describe), strict=True):
            known[face_ids[row]] = (states[row], words)
        # Only the faces of this frame are kept, so that memory does not grow with the video.
        self._last = known
        return [known[face_id][1] for face_id in face_ids]
