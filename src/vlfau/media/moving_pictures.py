"""Videos that consist of pictures: animated GIF, APNG and WebP files, and numbered pictures such as `frames_%05d.png`.

Transparent parts become white and large pictures are reduced, as for any picture. Browsers show a frame without a
duration for a tenth of a second, and so do we.
"""

import os
import re
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

from PIL import Image

from vlfau.errors import ConfigError, ImageError, VideoError
from vlfau.files.names import printable
from vlfau.media.frames import VideoFrame, VideoInfo
from vlfau.media.images import opened_picture, read_image, upright_rgb
from vlfau.media.inputs import PICTURE_SUFFIXES
from vlfau.media.schedule import Picker

__all__ = [
    "ANIMATION_SUFFIXES",
    "is_animated",
    "is_numbered",
    "probe_animation",
    "probe_numbered",
    "read_animation",
    "read_numbered",
]

ANIMATION_SUFFIXES: Final = frozenset({".apng", ".gif", ".png", ".webp"})
_NUMBER: Final = re.compile(r"%0?(\d?)d")
_SHORTEST_MS: Final = 20
_USUAL_MS: Final = 100


def is_animated(path: Path) -> bool:
    """Return whether a picture has several frames; False for one that cannot be read."""
    try:
        with opened_picture(path) as image:
            return bool(getattr(image, "is_animated", False))
    except Exception:  # A damaged file makes decoders raise almost anything; its reader will say what is wrong.
        return False


def is_numbered(path: Path) -> bool:
    """Return whether a name stands for numbered pictures.

    >>> is_numbered(Path("frames_%05d.png")), is_numbered(Path("frame.png"))
    (True, False)
    """
    return path.suffix.lower() in PICTURE_SUFFIXES and bool(_NUMBER.search(path.name)) and not path.exists()


def probe_animation(path: Path, max_pixels: int) -> VideoInfo:
    """Return what is known of an animated picture.

    Raises:
        VideoError: It is damaged, or its frames are too large.
    """
    try:
        with opened_picture(path) as image:
            width, height = image.size
            durations_ms = [shown_ms for _, shown_ms in _frames(image)]
    except Exception as error:
        raise VideoError(f"animation {printable(path)} is damaged ({error}); copy it again, or re-save it") from None
    if width * height > max_pixels:
        raise VideoError(
            f"animation {printable(path)} has {width} x {height} pixels, which is too large; make it smaller"
        )
    count, duration_s = len(durations_ms), sum(durations_ms) / 1000
    return VideoInfo(width, height, count / duration_s, duration_s, count)


def read_animation(path: Path, picker: Picker) -> Generator[VideoFrame]:
    """Yield the wanted frames of an animated picture.

    Raises:
        VideoError: It is damaged, or has no wanted frame; the frames before were yielded.
    """
    time_ms, came = 0.0, False
    try:
        with opened_picture(path) as image:
            for number, shown_ms in _frames(image):
                time_s = time_ms / 1000
                if picker.wants(time_s):
                    came = True
                    yield VideoFrame(number, time_s, upright_rgb(image.copy()), time_s)
                if picker.ended:
                    break
                time_ms += shown_ms
    except GeneratorExit:
        raise
    except Exception as error:
        raise VideoError(
            f"animation {printable(path)} breaks off after {time_ms / 1000:.1f} s ({error}); the frames before are "
            "used; copy it again for the others"
        ) from None
    if not came:
        raise _no_frame(path, picker)


def probe_numbered(pattern: Path, fps: float | None, max_pixels: int) -> VideoInfo:
    """Return what is known of numbered pictures, all as large as the first.

    Raises:
        ConfigError: `fps` is missing.
        VideoError: There is no such picture, or the first one cannot be read or is too large.
    """
    if fps is None:
        raise ConfigError(f"{printable(pattern)} stands for pictures without times; say how many a second with --fps")
    numbers = list(_files(pattern))
    try:
        height, width = read_image(numbers[0][1]).shape[:2]
    except ImageError as error:
        raise VideoError(str(error)) from None
    if width * height > max_pixels:
        raise VideoError(
            f"{printable(numbers[0][1])} has {width} x {height} pixels, which is too large; make it smaller"
        )
    count = numbers[-1][0] - numbers[0][0] + 1
    missing = count - len(numbers)
    notes = (
        f"read {len(numbers)} numbered pictures at {fps:g} per second",
        *([f"{missing} missing"] if missing else []),
    )
    return VideoInfo(width, height, fps, float(count / Fraction(fps)), count, notes=notes)


def read_numbered(pattern: Path, fps: float, picker: Picker) -> Generator[VideoFrame]:
    """Yield the wanted ones of numbered pictures, as frames counted from the first; a missing number leaves a gap.

    Raises:
        VideoError: A picture cannot be read, or none is wanted; the frames before were yielded.
    """
    rate, came = Fraction(fps), False
    files = list(_files(pattern))
    for number, file in files:
        place = number - files[0][0]
        time_s = float(place / rate)
        if picker.wants(time_s):
            came = True
            try:
                pixels = read_image(file)
            except ImageError as error:
                raise VideoError(str(error)) from None
            yield VideoFrame(place, time_s, pixels, time_s)
        if picker.ended:
            break
    if not came:
        raise _no_frame(pattern, picker)


def _files(pattern: Path) -> Iterator[tuple[int, Path]]:
    """Yield the numbered pictures in ascending order."""
    before, number, after = _NUMBER.split(pattern.name, maxsplit=1)
    digits = rf"\d{{{number},}}" if number else r"\d+"
    name = re.compile(f"{re.escape(before)}({digits}){re.escape(after)}")
    try:
        entries = os.listdir(pattern.parent)  # noqa: PTH208 - Path.iterdir is slower
    except OSError as error:
        raise VideoError(f"folder {printable(pattern.parent)} cannot be read ({error.strerror}); check it") from None
    found = {int(match[1]): entry for entry in entries if (match := name.fullmatch(entry))}
    if not found:
        raise VideoError(f"there is no picture {printable(pattern)} with a number; check the folder and the name")
    return iter((number, pattern.parent / found[number]) for number in sorted(found))


def _frames(image: Image.Image) -> Iterator[tuple[int, float]]:
    """Go from frame to frame; yield the number of each, and for how long it is shown, in milliseconds."""
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        if image.format == "WEBP":
            image.load()  # Only then is the duration known.
        duration = image.info.get("duration")
        shown_ms = float(duration) if isinstance(duration, int | float) else 0.0
        yield number, shown_ms if shown_ms >= _SHORTEST_MS else _USUAL_MS


def _no_frame(path: Path, picker: Picker) -> VideoError:
    return VideoError(f"video {printable(path)} has no frame from {picker.start_s:g} s on; choose an earlier start")
