"""Rendering speed of synthetic faces."""

import cProfile
import os
import pstats
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.rows import Row
from vlfau.synthetic import DatasetSettings, Renderer, Subject, generate
from vlfau.synthetic.clips import Clip, shoot
from vlfau.synthetic.components import components
from vlfau.synthetic.sampler import sampler

__all__ = ["measure"]

SIZES = (96, 128, 192, 256, 384, 512)
REPEATS, NUM_SUBJECTS, CLIPS, FRAMES = 5, 3, 2, 6
WORKERS, NUM_POOL_SUBJECTS = 2, 24
COLD = """
import time; start = time.perf_counter()
from vlfau.synthetic import Subject
from vlfau.synthetic import render
render(Subject.sample(1), {12: 3})
print(time.perf_counter() - start)
"""


def measure() -> Iterator[Row]:
    """Yield CPU seconds per subject and per picture, the throughput of two workers, the start-up time and a profile."""
    cv2.setNumThreads(1)
    yield Row("first picture, cold numba cache", f"{_cold_start():.1f} s")
    chances = components("everyday")
    Subject.sample(0, 0, chances=chances)
    seconds, subjects = [], []
    for number in range(8):
        start = time.process_time()
        subjects.append(Subject.sample(0, number, chances=chances))
        seconds.append(time.process_time() - start)
    yield Row("new subject", f"{np.median(seconds):.3f} CPU s")
    costs = {size: _cost(size, subjects[:NUM_SUBJECTS]) for size in SIZES}
    for size, cost in costs.items():
        yield Row(
            f"picture of {size} x {size}, 2 x 2 samples, camera, JPEG",
            f"{1e3 * cost:.1f} CPU ms ({1 / cost:.1f} per CPU s)",
        )
    drawn, whole = _throughput()
    yield Row(f"{WORKERS} workers, 256 x 256, after start-up", f"{drawn:.1f} images/s")
    gain = drawn * costs[256]
    yield Row(f"{WORKERS} workers over one, once they run", f"{gain:.2f}", gain)
    yield Row(f"{WORKERS} workers, 256 x 256, {NUM_POOL_SUBJECTS} subjects, with start-up", f"{whole:.1f} images/s")
    yield from _profile(subjects[:NUM_SUBJECTS])


def _cold_start() -> float:
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        done = subprocess.run([sys.executable, "-c", COLD], env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def _draw(renderer: Renderer, subjects: list[Subject]) -> int:
    chances, count = components("everyday"), 0
    for number, subject in enumerate(subjects):
        for clip_number in range(CLIPS):
            serial = number * CLIPS + clip_number
            clip = Clip.sample(subject, sampler("wide").clip(0, serial, FRAMES), chances, 0, 1, serial)
            for shot in shoot(renderer, subject, clip):
                cv2.imencode(".jpg", shot.image, [cv2.IMWRITE_JPEG_QUALITY, clip.camera.quality])
                count += 1
    return count


def _cost(size: int, subjects: list[Subject]) -> float:
    """Return the CPU seconds per picture, the minimum of several repeats."""
    renderer = Renderer(size)
    _draw(renderer, subjects[:1])
    costs = []
    for _ in range(REPEATS):
        start = time.process_time()
        count = _draw(renderer, subjects)
        costs.append((time.process_time() - start) / count)
    return min(costs)


def _throughput() -> tuple[float, float]:
    """Return the images per second of a pool of workers: after their first subjects, and in total."""
    settings = DatasetSettings("wide", NUM_POOL_SUBJECTS, 6, 6, 256, seed=3)
    per_subject = settings.clips * settings.frames
    times: list[float] = []
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        generate(
            Path(folder), settings, workers=WORKERS, progress=lambda done, total: times.append(time.perf_counter())
        )
    whole = NUM_POOL_SUBJECTS * per_subject / (time.perf_counter() - start)
    counted = times[WORKERS - 1 :]
    return (len(counted) - 1) * per_subject / (counted[-1] - counted[0]), whole


def _profile(subjects: list[Subject]) -> Iterator[Row]:
    renderer = Renderer(256)
    profile = cProfile.Profile()
    profile.enable()
    count = _draw(renderer, subjects)
    profile.disable()
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    largest = sorted(stats.items(), key=lambda item: -item[1][2])[:8]
    for (path, _, name), (_, _, own, _, _) in largest:
        yield Row(f"of which {Path(path).stem}.{name.strip('<>')}", f"{1e3 * own / count:.1f} ms per picture")
