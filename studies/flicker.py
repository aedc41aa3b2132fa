"""State changes of still faces after H.264: of each frame alone, and smoothed."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import cv2
import numpy as np
from benchmarks.rows import Row
from numpy.typing import NDArray

import vlfau
from vlfau.media.images import read_image
from vlfau.video.smoothing import smoothed

__all__ = ["measure"]

ROOT = Path(__file__).parents[1]
FRAMES, RATE, SIDE = 50, 25, 320
QUALITIES = (23, 36)
"""Constant rate factors of x264: usual, and strong compression."""


def measure() -> Iterator[Row]:
    """Yield the state changes per minute and face, all AUs together."""
    predictor = vlfau.Predictor()
    for quality in QUALITIES:
        changes = np.array([_changes(predictor, picture, quality) for picture in _pictures()]).mean(0)
        per_minute = changes * 60 * RATE / FRAMES
        for name, value in zip(("each frame alone", "causal filter", "centred filter"), per_minute, strict=True):
            yield Row(f"state changes per minute, crf {quality}, {name}", f"{value:.0f}")


def _pictures() -> Iterator[NDArray[np.uint8]]:
    yield np.ascontiguousarray(read_image(ROOT / "examples" / "astronaut.png")[:300, 75:375])
    for path in sorted((ROOT / "tests" / "video" / "people").glob("*a.jpg"))[:7]:
        yield np.asarray(cv2.resize(read_image(path), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.uint8)


def _changes(predictor: vlfau.Predictor, picture: NDArray[np.uint8], quality: int) -> list[int]:
    thresholds = np.array(predictor.bundle.info.thresholds)
    with TemporaryDirectory() as folder:
        path = _still(Path(folder, "still.mp4"), picture, quality)
        faces = [
            result.faces[0]
            for _, result in smoothed(vlfau.stream(predictor, path, describe="never"), thresholds.tolist())
            if result.faces
        ]
    probs = [[(au.prob, au.prob_causal, au.prob_centred) for au in face.aus] for face in faces]
    states = np.array(probs, np.float64) >= thresholds[:, None]  # (T, N, 3)
    return [int(count) for count in np.abs(np.diff(states.astype(int), axis=0)).sum((0, 1))]


def _still(path: Path, picture: NDArray[np.uint8], quality: int) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "crf": str(quality)})
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = "yuv420p"
        for number in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
