"""One picture, step by step: reading, face detection, AU prediction and captions."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.material import EXAMPLE
from benchmarks.rows import Row
from benchmarks.timing import Timing, time_in_turns
from vlfau.inference.predictor import Predictor
from vlfau.media.images import read_image, read_picture

__all__ = ["measure"]

REPEATS = 30
LARGE = (4000, 3000)
ACTIVE = 6


def measure() -> Iterator[Row]:
    """Yield the time of every step, with one and with two threads."""
    for threads in (1, 2):
        times = _steps(threads)
        for what, timing in times.items():
            yield Row(f"{what}, {threads} thread(s)", str(timing))
        ratio = times["vision"].median / times[f"captions, {ACTIVE} AUs and face"].median
        yield Row(f"vision over words, {threads} thread(s)", f"{ratio:.3f}", ratio)
        ratio = times["read the file"].median / times["whole prediction without captions"].median
        yield Row(f"reading the file over all of it, {threads} thread(s)", f"{ratio:.3f}", ratio)


def _steps(threads: int) -> dict[str, Timing]:
    cv2.setNumThreads(threads)
    predictor = Predictor(threads=threads, describe="never", consistent=False)
    consistent = Predictor(threads=threads, backend=predictor.backend)
    pixels = read_picture(EXAMPLE).pixels
    faces = predictor.finder.find(pixels)
    crops = predictor.align(pixels, faces)
    scores = predictor.score_crops(crops)
    most_probable = np.argsort(-scores.au_probs, axis=1)[:, :ACTIVE]
    scores.au_states[:] = False
    np.put_along_axis(scores.au_states, most_probable, True, axis=1)
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.jpg"
        cv2.imwrite(str(large), cv2.resize(read_image(EXAMPLE)[..., ::-1], LARGE, interpolation=cv2.INTER_CUBIC))
        return time_in_turns(
            {
                "read the file": lambda: read_picture(EXAMPLE),
                "find the face": lambda: predictor.finder.find(pixels),
                "align": lambda: predictor.align(pixels, faces),
                "vision": lambda: predictor.score_crops(crops),
                f"captions, {ACTIVE} AUs and face": lambda: predictor.describe(scores, [0], "active"),
                f"captions, all {len(predictor.au_ids)} AUs and face": lambda: predictor.describe(scores, [0], "every"),
                f"consistent captions, {ACTIVE} AUs and face": lambda: consistent.describe(scores, [0], "active"),
                "whole prediction without captions": lambda: predictor.predict(EXAMPLE),
                "whole prediction, 12 megapixels": lambda: predictor.predict(large),
            },
            repeats=REPEATS,
        )
