"""Action units and captions of a video, frame by frame, in constant memory."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray

from vlfau.errors import ConfigError, VlfauError
from vlfau.faces import CropGeometry, FaceGeometry
from vlfau.faces.identity import IdentityNetwork
from vlfau.files.names import printable
from vlfau.inference.au_scores import AUScores, Captions
from vlfau.inference.found import face_result
from vlfau.inference.predictor import Predictor
from vlfau.inference.results import FaceResult, PictureResult
from vlfau.measures.measuring import MeasuredFace
from vlfau.media.container import MAX_PIXELS
from vlfau.media.frames import VideoFrame
from vlfau.media.prefetch import prefetch, prefetch_map
from vlfau.media.reader import VideoReader
from vlfau.video.captions import DescribeFrames, VideoCaptioner
from vlfau.video.people import People
from vlfau.video.region_tracker import RegionTracker
from vlfau.video.regions import EVERYWHERE, Regions
from vlfau.video.tracker import TrackedFace

__all__ = ["analysed", "stream"]

_PREFETCHED_FRAMES: Final = 4
"""A few compensate for slow frames, more would only use memory."""
_SCORING_THREADS: Final = 2
"""The network takes about twice as long per frame as following the faces."""
_GROUPED_FRAMES: Final = 4
_GROUPED_FACES: Final = 16
_GROUPED_BYTES: Final = 32_000_000
"""Frames whose faces are scored together: at most five of 1920 x 1080 pixels, or one of 3840 x 2160."""


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
    stream_number: int | None = None,
    fps: float | None = None,
    regions: Regions = EVERYWHERE,
    identities: bool = False,
) -> Generator[tuple[VideoFrame, PictureResult]]:
    """Analyse every face of every frame of a video or a camera.

    A file is decoded and its faces are tracked in background threads. From a camera, the newest frame is taken
    whenever the network is free; those in between are dropped.

    Args:
        predictor: The model and its settings.
        source: A video file, numbered pictures such as `frames_%05d.png`, or a camera: `camera:0` or a `NetworkCamera`.
        every_s: Seconds between analysed frames; None analyses all frames.
        start_s: Start at this time, in seconds on the clock of the file.
        end_s: Stop before this time, in seconds; None goes to the end.
        describe: When a face gets captions: `changes` writes new ones when its active AUs, their degrees or sides
            change, for the AUs of the predictor's own `describe`, and repeats them in between (free captions: only
            when the set of active AUs changes); `active`, `every` and `never` write captions of those AUs in every
            frame.
        in_threads: Whether to decode and track in background threads. Without them, a file uses one core only, which
            is best if many files are analysed side by side.
        max_pixels: Maximum size of a frame of a file; larger ones are not decoded.
        file: Name of the source in the results; None takes its path.
        stream_number: Which of the video streams of a file, from 1; None takes the largest.
        fps: Numbered pictures per second.
        regions: Parts of the picture in which faces are followed separately.
        identities: Whether to say which faces are the same person's, by their looks.

    Returns:
        Each frame with its result, faces by number. Close the generator to end its threads if you stop early.

    Raises:
        VideoError: The source cannot be read, or, after the frames that can be read, it breaks off.
        ConfigError: An argument is out of range.
    """
    reader = VideoReader(
        source,
        every_s=every_s,
        start_s=start_s,
        end_s=end_s,
        threads=None if in_threads else 1,
        max_pixels=max_pixels,
        stream_number=stream_number,
        fps=fps,
    )
    return analysed(
        predictor,
        reader,
        file=file or printable(source),
        describe=describe,
        in_threads=in_threads,
        regions=regions,
        identities=identities,
    )


def analysed(
    predictor: Predictor,
    reader: VideoReader,
    *,
    file: str,
    describe: DescribeFrames = "changes",
    in_threads: bool = True,
    regions: Regions = EVERYWHERE,
    identities: bool = False,
) -> Generator[tuple[VideoFrame, PictureResult]]:
    """Analyse the frames of a video that is open; see `stream`.

    Raises:
        VideoError: After the frames that can be read, the video breaks off.
        ConfigError: An argument is out of range.
    """
    if describe not in get_args(DescribeFrames):
        raise ConfigError(f"describe is {describe!r}; give one of {', '.join(get_args(DescribeFrames))}")
    following = _Following(predictor, regions, identities=identities)
    return _results(predictor, reader, following, file=file, describe=describe, in_threads=in_threads)


@dataclass(frozen=True, slots=True, eq=False)
class _TrackedFrame:
    frame: VideoFrame
    tracked: list[TrackedFace]
    people: list[int] | None
    crops: NDArray[np.uint8]
    geometries: list[FaceGeometry]


def _results(
    predictor: Predictor,
    reader: VideoReader,
    following: "_Following",
    *,
    file: str,
    describe: DescribeFrames,
    in_threads: bool,
) -> Generator[tuple[VideoFrame, PictureResult]]:
    if reader.is_camera:
        frames, size, threads = prefetch(reader, 1, drop=True), 1, 0  # The newest frame is scored at once.
    elif in_threads:
        frames, size, threads = prefetch(reader, _PREFETCHED_FRAMES), _GROUPED_FRAMES, _SCORING_THREADS
    else:
        frames, size, threads = iter(reader), _GROUPED_FRAMES, 0
    scored = prefetch_map(partial(_scored, predictor), _grouped(following.tracked(frames), size), threads)
    captioner = VideoCaptioner(predictor, describe)
    info = predictor.bundle.info
    with closing(scored):
        for group, scores in scored:
            first = 0
            for each in group:
                frame = each.frame
                faces: tuple[FaceResult, ...] = ()
                if scores is not None and each.tracked:
                    rows = range(first, first + len(each.tracked))
                    words = captioner.describe(scores, rows, [tracked.face_id for tracked in each.tracked])
                    faces = tuple(_face_results(each, scores, rows, words, info.crop))
                    first = rows.stop
                times = (frame.number, frame.time_s)
                yield frame, PictureResult(file, faces, *times, since_first_s=frame.since_first_s, model=info)


def _scored(predictor: Predictor, group: list[_TrackedFrame]) -> tuple[list[_TrackedFrame], AUScores | None]:
    """Return frames with the scores of all their faces; None without a face."""
    crops = np.concatenate([each.crops for each in group])
    return group, predictor.score_crops(crops) if len(crops) else None


def _grouped(frames: Generator[_TrackedFrame], size: int) -> Generator[list[_TrackedFrame]]:
    """Yield frames in groups, whose faces are scored in one batch, which is faster; closes the frames.

    Where groups end depends on the frames alone, so that results do not depend on the speed of the machine.
    """
    group: list[_TrackedFrame] = []
    with closing(frames):
        try:
            for frame in frames:
                group.append(frame)
                pixels, faces = sum(each.frame.pixels.size for each in group), sum(len(each.tracked) for each in group)
                if len(group) >= size or pixels + frame.frame.pixels.size > _GROUPED_BYTES or faces >= _GROUPED_FACES:
                    yield group
                    group = []
        except VlfauError:
            if group:
                yield group  # A video that breaks off is analysed up to there.
            raise
        if group:
            yield group


def _face_results(
    frame: _TrackedFrame, scores: AUScores, rows: Sequence[int], words: Sequence[Captions], crop_geometry: CropGeometry
) -> Iterator[FaceResult]:
    people: Sequence[int | None] = frame.people or [None] * len(rows)
    for row, caption, person, tracked, crop, geometry in zip(
        rows, words, people, frame.tracked, frame.crops, frame.geometries, strict=True
    ):
        measured = MeasuredFace.of(crop, tracked.face.landmarks_xy, crop_geometry)
        yield face_result(
            tracked.face,
            crop,
            scores.result(row, caption, measured),
            crop_geometry=crop_geometry,
            face_id=tracked.face_id,
            person=person,
            geometry=geometry,
            measured=measured,
        )


class _Following:
    """Follows the faces of a video, and tells people apart if that is wanted."""

    def __init__(self, predictor: Predictor, regions: Regions, *, identities: bool) -> None:
        self._predictor = predictor
        self._tracker = RegionTracker(predictor.finder, regions)
        self._people = People(IdentityNetwork()) if identities else None

    def tracked(self, frames: Generator[VideoFrame]) -> Generator[_TrackedFrame]:
        """Yield every frame with its faces; closes the frames."""
        try:
            for frame in frames:
                tracked = self._tracker.follow(frame.pixels, frame.time_s)
                people = None if self._people is None else self._people.of(tracked, frame.time_s)
                faces = [each.face for each in tracked]
                crops = self._predictor.align(frame.pixels, faces)
                yield _TrackedFrame(frame, tracked, people, crops, self._predictor.geometries(frame.pixels, faces))
        finally:
            frames.close()
