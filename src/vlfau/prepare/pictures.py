"""The pixels of a clip's frames, from files or from a video."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlfau.errors import ImageError, InputError
from vlfau.prepare.clips import Clip, LabelledFrame

__all__ = ["frames_of"]

DAMAGED = "picture damaged"

Pixels = NDArray[np.uint8]


def frames_of(clip: Clip, wanted: Sequence[LabelledFrame]) -> Iterator[tuple[LabelledFrame, Pixels | None]]:
    """Yield wanted frames, by number, with their pixels (H, W, 3) uint8 RGB; None where they can't be read.

    Raises:
        InputError: A video ends before the last wanted frame.
    """
    if clip.video is None:
        yield from ((frame, _read(frame)) for frame in wanted)
    elif wanted:
        yield from _decode(clip, wanted)


def _read(frame: LabelledFrame) -> Pixels | None:
    if frame.picture is None:
        return None
    try:
        with Image.open(frame.picture, formats=("JPEG", "PNG", "BMP")) as image:
            return np.array(image.convert("RGB"))
    except Exception:  # A damaged file makes decoders raise almost anything.
        return None


def _decode(clip: Clip, wanted: Sequence[LabelledFrame]) -> Iterator[tuple[LabelledFrame, Pixels | None]]:
    """Go through a video once; frames that nobody wants are passed over."""
    capture = cv2.VideoCapture(str(clip.video))
    try:
        if not capture.isOpened():
            raise ImageError(f"{clip.video} can't be opened as a video; copy it again")
        number = 0
        for frame in wanted:
            while number < frame.number:
                if not capture.grab():
                    raise InputError(
                        f"{clip.video} ends after frame {number}, but the labels of {clip.subject_id} go to "
                        f"{clip.frames[-1].number}; copy the video again"
                    )
                number += 1
            readable, pixels = capture.retrieve()
            yield frame, np.ascontiguousarray(pixels[..., ::-1], np.uint8) if readable else None  # OpenCV gives BGR.
    finally:
        capture.release()
