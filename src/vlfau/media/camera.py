"""A camera as frames."""

import re
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Final

import cv2
import numpy as np

from vlfau.errors import VideoError
from vlfau.media.frames import VideoFrame, VideoInfo
from vlfau.media.schedule import Picker

__all__ = ["camera_number", "is_live", "probe", "read_frames"]

_FAILURES: Final = 30
"""Failed frames in a row after which a camera counts as gone; some need a moment to start."""


def camera_number(source: str) -> int | None:
    """Return the number of a camera such as `camera:0`; None for any other source.

    >>> camera_number("camera:1"), camera_number("film.mp4")
    (1, None)
    """
    match = re.fullmatch(r"camera:(\d{1,3})", source)
    return int(match[1]) if match else None


def is_live(source: str) -> bool:
    """Return whether a source is a camera: of this machine, or of the network as a run names them.

    >>> is_live("camera:1"), is_live("network:1"), is_live("film.mp4")
    (True, True, False)
    """
    return re.fullmatch(r"(camera|network):\d{1,3}", source) is not None


def probe(number: int) -> VideoInfo:
    """Return what is known of a camera.

    Raises:
        VideoError: There is no camera with this number.
    """
    with _opened(number) as camera:
        width, height, rate = (
            camera.get(key) for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS)
        )
        return VideoInfo(int(width), int(height), max(float(rate), 0.0), None, None)


def read_frames(number: int, picker: Picker) -> Generator[VideoFrame]:
    """Yield the frames of a camera; times are seconds since the first frame.

    Raises:
        VideoError: There is no such camera, or it stops.
    """
    with _opened(number) as camera:
        began: float | None = None
        count = failures = 0
        while not picker.ended:
            came, picture = camera.read()
            if not came:
                failures += 1
                if failures == _FAILURES:
                    raise VideoError(
                        f"camera:{number} gave {count} frames and then no more; check its cable, and whether another "
                        "program uses it"
                    )
                continue
            now, failures = time.monotonic(), 0
            began = now if began is None else began
            if picker.wants(now - began):
                pixels = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
                yield VideoFrame(count, now - began, pixels, now - began, arrived_s=now)
            count += 1


@contextmanager
def _opened(number: int) -> Iterator[cv2.VideoCapture]:
    # OpenCV would print a message; the error below says it better.
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        camera = cv2.VideoCapture(number)
    finally:
        cv2.utils.logging.setLogLevel(level)
    try:
        if not camera.isOpened():
            raise VideoError(
                f"camera:{number} cannot be opened; connect a camera, close programs that use it, or try another number"
            )
        yield camera
    finally:
        camera.release()
