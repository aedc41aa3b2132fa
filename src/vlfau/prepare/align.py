"""Writes the aligned faces of clips as JPEG files, and keeps those that exist already."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vlfau.errors import ImageError, InputError, VlfauError
from vlfau.faces import CropGeometry, FaceFinder, align_face
from vlfau.files.atomic import replacing
from vlfau.files.workers import follow_parent
from vlfau.media.images import read_image
from vlfau.media.labelled_video import read_numbered_frames
from vlfau.prepare.clips import Clip, LabelledFrame, Skipped

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

__all__ = ["align_clips", "frames_of", "unfinished"]

Pixels = NDArray[np.uint8]

JPEG_QUALITY: Final = 95
DAMAGED: Final = "picture damaged"
NO_FACE: Final = "no face found"
PROGRESS_SECONDS: Final = 0.5

_tried: "Synchronized[int]"


def frames_of(clip: Clip, wanted: Sequence[LabelledFrame]) -> Iterator[tuple[LabelledFrame, Pixels | None]]:
    """Yield the wanted frames in order, with their pixels (H, W, 3) uint8 RGB; None if a picture can't be read.

    Raises:
        VideoError: A video cannot be opened, or ends before the last wanted frame.
    """
    if clip.video is None:
        yield from ((frame, _read(frame)) for frame in wanted)
    elif wanted:
        needed_by = f"the labels of {clip.subject_id} go to {clip.frames[-1].number}"
        numbers = [frame.number for frame in wanted]
        yield from zip(wanted, read_numbered_frames(clip.video, numbers, needed_by=needed_by), strict=True)


def _read(frame: LabelledFrame) -> Pixels | None:
    try:
        return None if frame.picture is None else read_image(frame.picture)
    except ImageError:
        return None


def unfinished(clip: Clip, folder: Path) -> list[LabelledFrame]:
    """Return the frames of a clip that have a picture but no aligned face yet."""
    return [frame for frame in clip.frames if clip.has_picture(frame) and not (folder / clip.crop(frame)).exists()]


def align_clips(
    clips: Sequence[Clip], folder: Path, *, size: int, workers: int, progress: Callable[[int], None]
) -> Iterator[list[Skipped]]:
    """Find and align the faces of clips, and yield the skipped frames of each clip.

    Args:
        clips: The clips to align, in any order.
        folder: The folder of the manifest.
        size: Side length of the aligned faces in pixels.
        workers: Number of processes; the files are the same for any number.
        progress: Called from time to time with the number of frames that have been tried.

    Raises:
        InputError: A video is too short, or a file cannot be written.
        VlfauError: A process died.
    """
    if workers == 1 or len(clips) < 2:
        tried = count(1)
        yield from (_align_clip(clip, folder, size, lambda: progress(next(tried))) for clip in clips)
        return
    context = get_context("spawn")
    counter = context.Value("q", 0)
    with ProcessPoolExecutor(workers, context, _start_worker, (counter,)) as pool:
        pending = {pool.submit(_work, clip, folder, size) for clip in clips}
        try:
            while pending:
                done, pending = wait(pending, PROGRESS_SECONDS, FIRST_COMPLETED)
                progress(counter.value)
                yield from (job.result() for job in done)
        except BrokenProcessPool:
            raise VlfauError(
                "a worker process died, perhaps for lack of memory; start the same command again with fewer --workers, "
                "and it will resume"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def _start_worker(counter: "Synchronized[int]") -> None:
    global _tried  # noqa: PLW0603 - a pool passes shared memory to a process only at its start.
    _tried = counter
    cv2.setNumThreads(1)
    follow_parent()


def _work(clip: Clip, folder: Path, size: int) -> list[Skipped]:
    def count_one() -> None:
        with _tried.get_lock():
            _tried.value += 1

    return _align_clip(clip, folder, size, count_one)


@cache
def _finder() -> FaceFinder:
    return FaceFinder(max_faces=1)


def _align_clip(clip: Clip, folder: Path, size: int, tried: Callable[[], None]) -> list[Skipped]:
    geometry = CropGeometry(aligned_size=size, crop_size=size)
    skipped = []
    for frame, pixels in frames_of(clip, unfinished(clip, folder)):
        reason = DAMAGED if pixels is None else _align(pixels, folder / clip.crop(frame), geometry)
        if reason:
            skipped.append(Skipped.of(clip, frame, reason))
        tried()
    return skipped


def _align(pixels: NDArray[np.uint8], path: Path, geometry: CropGeometry) -> str:
    """Write the aligned face of a picture, and return an empty string, or the reason if there is none."""
    faces = _finder().find(pixels)
    if not faces:
        return NO_FACE
    crop = align_face(pixels, faces[0].landmarks_xy, geometry)
    _, data = cv2.imencode(".jpg", crop[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])  # OpenCV expects BGR.
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write to {path.parent} ({error.strerror}); choose another folder") from None
    with replacing(path) as temporary:
        temporary.write_bytes(data.tobytes())
    return ""
