"""Videos for benchmarks, made from the example photograph."""

from pathlib import Path

import av
import cv2
import numpy as np

from vlfau.media.images import read_image

__all__ = ["EXAMPLE", "RATE", "repeat_clip", "write_clip"]

EXAMPLE = Path("examples/astronaut.png")
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
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            x = width / 4 + width / 8 * np.sin(number / 12 + seed)
            matrix = np.array([[scale, 0, x], [0, scale, 20 * np.cos(number / 9)]])
            picture = cv2.warpAffine(photograph, matrix, size, borderValue=(90, 90, 90))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(picture, np.uint8), format="rgb24")))
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
