"""Videos for benchmarks, made from the example photograph."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from vlfau.media.images import read_image

__all__ = ["EXAMPLE", "RATE", "repeat_clip", "write_clip", "write_people"]

EXAMPLE = Path("examples/astronaut.png")
Picture = NDArray[np.uint8]
RATE = 30
"""Frames per second."""


def write_clip(path: Path, *, frames: int, size: tuple[int, int] = (1280, 720), seed: int = 0) -> None:
    """Write an H.264 video of the example photograph, moving on a grey background.

    Args:
        path: A new .mp4 file.
        frames: Number of frames.
        size: Width and height.
        seed: Phase of the movement.
    """
    photograph, (width, height) = read_image(EXAMPLE), size
    scale = height / photograph.shape[0]

    def pictures() -> Iterator[Picture]:
        for number in range(frames):
            x = width / 4 + width / 8 * np.sin(number / 12 + seed)
            matrix = np.array([[scale, 0, x], [0, scale, 20 * np.cos(number / 9)]])
            yield np.asarray(cv2.warpAffine(photograph, matrix, size, borderValue=(90, 90, 90)), np.uint8)

    _write(path, pictures(), size, RATE)


def write_people(
    path: Path,
    *,
    frames: int,
    people: int,
    places: int,
    size: tuple[int, int] = (1920, 1080),
    rate: int = RATE,
    away_s: float = 0.0,
) -> None:
    """Write an H.264 video of the example photograph several times side by side, each of them moving a little.

    Args:
        path: A new .mp4 file.
        frames: Number of frames.
        people: How many there are.
        places: How many there could be; the size of a face depends on it.
        size: Width and height.
        rate: Frames per second.
        away_s: Seconds for which each person is now there and now away, one a little after the other; with 0, all stay.
    """
    across = int(np.ceil(np.sqrt(places)))
    side = min(size[0] // across, size[1] // int(np.ceil(places / across)))
    photograph = cv2.resize(read_image(EXAMPLE), (side, side), interpolation=cv2.INTER_AREA)

    def pictures() -> Iterator[Picture]:
        for number in range(frames):
            picture = np.full((size[1], size[0], 3), 90, np.uint8)
            for person in range(people):
                if away_s and int(number / rate / away_s + person / people * 2) % 2:
                    continue
                matrix = np.array([[1, 0, 6 * np.sin(number / 7 + person)], [0, 1, 6 * np.cos(number / 9 + person)]])
                row, column = divmod(person, across)
                cell = picture[row * side : (row + 1) * side, column * side : (column + 1) * side]
                cv2.warpAffine(photograph, matrix, (side, side), dst=cell, borderMode=cv2.BORDER_TRANSPARENT)
            yield picture

    _write(path, pictures(), size, rate)


def _write(path: Path, pictures: Iterable[Picture], size: tuple[int, int], rate: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"preset": "veryfast"})
        (stream.width, stream.height), stream.pix_fmt = size, "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def repeat_clip(clip: Path, path: Path, times: int) -> None:
    """Write a video that repeats a clip, without re-encoding."""
    with av.open(str(path), "w") as container:
        offset, output = 0, None
        for _ in range(times):
            with av.open(str(clip)) as source:
                stream = source.streams.video[0]
                output = output or container.add_stream_from_template(stream)
                end = 0
                for packet in source.demux(stream):
                    if packet.dts is None or packet.pts is None:
                        continue  # the last packet is empty
                    end = max(end, packet.pts + (packet.duration or 0))
                    packet.pts, packet.dts, packet.stream = packet.pts + offset, packet.dts + offset, output
                    container.mux(packet)
                offset += end
