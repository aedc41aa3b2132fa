"""Videos of data sets, whose labels count the frames.

The frames are decoded and counted by OpenCV, as the labels of the data sets count them. `VideoReader` goes by the times
of a file instead, and may count otherwise where frames were dropped.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vlfau.errors import VideoError
from vlfau.files.names import printable
from vlfau.media.container import probe

__all__ = ["count_frames", "read_numbered_frames"]


def count_frames(path: Path) -> int:
    """Return the number of frames that a video's header states; 0 or less if it states none.

    Raises:
        VideoError: The file is missing, or not a video.
    """
    with _opened(path) as capture:
        return int(capture.get(cv2.CAP_PROP_FRAME_COUNT))


def read_numbered_frames(path: Path, numbers: Iterable[int], *, needed_by: str) -> Iterator[NDArray[np.uint8] | None]:
    """Decode the frames of a labelled video that are wanted, in one pass.

    Args:
        path: The video.
        numbers: The wanted frames, ascending, from 1.
        needed_by: Who wants them, for the error, such as "the labels of SN001 go to 4845".

    Yields:
        (H, W, 3) uint8 RGB for each number; None for a frame that cannot be decoded.

    Raises:
        VideoError: The file is missing or not a video, or it ends before the last wanted frame.
    """
    with _opened(path) as capture:
        read = 0
        for number in numbers:
            while read < number:
                if not capture.grab():
                    raise VideoError(
                        f"{printable(path)} ends after frame {read}, but {needed_by}; copy the video again"
                    )
                read += 1
            readable, pixels = capture.retrieve()
            yield np.ascontiguousarray(pixels[..., ::-1], np.uint8) if readable else None  # OpenCV gives BGR.


@contextmanager
def _opened(path: Path) -> Iterator[cv2.VideoCapture]:
    probe(path)  # Refuses what is not a video, names other files, or is too large.
    capture = cv2.VideoCapture(str(path))
    try:
        if not capture.isOpened():
            raise VideoError(f"video {printable(path)} cannot be opened; copy it again, or convert it")
        yield capture
    finally:
        capture.release()
