"""One picture, step by step: from the file to a face, numbers and words."""

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
    """Yield the time of every step, with one thread and with two."""
    for threads in (1, 2):
        times = _steps(threads)
        for what, timing in times.items():
            yield Row(f"{what}, {threads} thread(s)", str(timing))
        ratio = times["vision"].median / times[f"words, {ACTIVE} AUs and face"].median
        yield Row(f"vision over words, {threads} thread(s)", f"{ratio:.3f}", ratio)
        ratio = times["read the file"].median / times["all of it, numbers"].median
        yield Row(f"reading the file over all of it, {threads} thread(s)", f"{ratio:.3f}", ratio)


def _steps(threads: int) -> dict[str, Timing]:
    predictor = Predictor(threads=threads, describe="never", consistent=False)
    held = Predictor(threads=threads, backend=predictor.backend)
    pixels = read_picture(EXAMPLE).pixels
    faces = predictor.finder.find(pixels)
    crops = predictor.align(pixels, faces)
    judgement = predictor.score_crops(crops)
    likeliest = np.argsort(-judgement.au_probs, axis=1)[:, :ACTIVE]
    judgement.au_states[:] = False
    np.put_along_axis(judgement.au_states, likeliest, True, axis=1)
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.jpg"
        cv2.imwrite(str(large), cv2.resize(read_image(EXAMPLE)[..., ::-1], LARGE, interpolation=cv2.INTER_CUBIC))
        return time_in_turns(
            {
                "read the file": lambda: read_picture(EXAMPLE),
                "find the face": lambda: predictor.finder.find(pixels),
                "align": lambda: predictor.align(pixels, faces),
                "vision": lambda: predictor.score_crops(crops),
                f"words, {ACTIVE} AUs and face": lambda: predictor.describe(judgement, [0], "active"),
                f"words, all {len(predictor.au_ids)} AUs and face": lambda: predictor.describe(judgement, [0], "every"),
                f"words held to the states, {ACTIVE} AUs and face": lambda: held.describe(judgement, [0], "active"),
                "all of it, numbers": lambda: predictor.predict(EXAMPLE),
                "all of it, 12 megapixels": lambda: predictor.predict(large),
            },
            repeats=REPEATS,
        )
