"""From a camera's frame to its message: latency and CPU time of `--live`, with a clip played at its own rate."""

import contextlib
import io
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks.material import RATE, write_clip
from benchmarks.rows import Row
from vlfau.cli import main

__all__ = ["measure"]

CLIP_S, PLAYED_S = 10, 20


def measure() -> Iterator[Row]:
    """Yield the latency from frame to message, the frames per second and the CPU time per frame."""
    with tempfile.TemporaryDirectory() as name:
        clip = Path(name) / "clip.mp4"
        write_clip(clip, frames=CLIP_S * RATE)
        with av.open(str(clip)) as container:
            frames = [np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in container.decode(video=0)]
    for describe, what in (("never", "without captions"), ("changes", "captions on changes")):
        rows, cpu_s = _play(frames, describe)
        latencies = [float(row["latency_ms"]) for row in rows]
        median, high, longest = np.quantile(latencies, (0.5, 0.95, 1.0))
        yield Row(
            f"frame to message, {what} (goal: 80 ms)",
            f"{median:.0f} ms (median), {high:.0f} ms (95 %), {longest:.0f} ms (longest)",
        )
        yield Row(f"frames analysed, {what}, of {RATE}", f"{len(rows) / PLAYED_S:.1f} per second")
        yield Row(f"CPU time, {what}", f"{1e3 * cpu_s / len(rows):.1f} ms per analysed frame")


def _play(frames: list[NDArray[np.uint8]], describe: str) -> tuple[list[dict[str, Any]], float]:
    """Return the live rows of a clip that a camera plays, and the seconds of CPU time."""

    class Camera:
        def __init__(self, number: int) -> None:
            self.began, self.count = time.monotonic(), 0

        def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
            return True

        def get(self, key: int) -> float:
            return float(RATE)

        def read(self) -> tuple[bool, NDArray[np.uint8]]:
            time.sleep(max(0.0, self.began + self.count / RATE - time.monotonic()))
            self.count += 1
            return True, frames[self.count % len(frames)]

        def release(self) -> None:
            pass

    printed, began_s = io.StringIO(), time.process_time()
    arguments = ["predict", "camera:0", "--live", "-", "--end", str(PLAYED_S), "--describe", describe]
    with mock.patch("cv2.VideoCapture", Camera), contextlib.redirect_stdout(printed):
        main(arguments)
    return [json.loads(line) for line in printed.getvalue().splitlines()], time.process_time() - began_s
