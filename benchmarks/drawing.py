"""How fast synthetic faces are drawn."""

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
REPEATS, PEOPLE, CLIPS, FRAMES = 5, 3, 2, 6
WORKERS, POOL_PEOPLE = 2, 24
COLD = """
import time; start = time.perf_counter()
from vlfau.synthetic import Subject
from vlfau.synthetic import renderer as render
render(Subject.sample(1), {12: 3})
print(time.perf_counter() - start)
"""


def measure() -> Iterator[Row]:
    """Yield CPU seconds a subject and a picture, the throughput of two workers, the start and a profile."""
    cv2.setNumThreads(1)
    yield Row("first picture, cold numba cache", f"{_cold_start():.1f} s")
    chances = components("everyday")
    Subject.sample(0, 0, chances=chances)
    seconds, people = [], []
    for number in range(8):
        start = time.process_time()
        people.append(Subject.sample(0, number, chances=chances))
        seconds.append(time.process_time() - start)
    yield Row("new subject", f"{np.median(seconds):.3f} CPU s")
    costs = {size: _cost(size, people[:PEOPLE]) for size in SIZES}
    for size, cost in costs.items():
        yield Row(
            f"picture of {size} x {size}, 2 x 2 samples, camera, JPEG",
            f"{1e3 * cost:.1f} CPU ms ({1 / cost:.1f} a CPU s)",
        )
    drawn, whole = _throughput()
    yield Row(f"{WORKERS} workers, 256 x 256, once they run", f"{drawn:.1f} images/s")
    gain = drawn * costs[256]
    yield Row(f"{WORKERS} workers over one, once they run", f"{gain:.2f}", gain)
    yield Row(f"{WORKERS} workers, 256 x 256, {POOL_PEOPLE} people from start to end", f"{whole:.1f} images/s")
    yield from _profile(people[:PEOPLE])


def _cold_start() -> float:
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        done = subprocess.run([sys.executable, "-c", COLD], env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def _draw(renderer: Renderer, people: list[Subject]) -> int:
    chances, count = components("everyday"), 0
    for number, subject in enumerate(people):
        for clip_number in range(CLIPS):
            serial = number * CLIPS + clip_number
            clip = Clip.sample(subject, sampler("wide").clip(0, serial, FRAMES), chances, 0, 1, serial)
            for shot in shoot(renderer, subject, clip):
                cv2.imencode(".jpg", shot.image, [cv2.IMWRITE_JPEG_QUALITY, clip.camera.quality])
                count += 1
    return count


def _cost(size: int, people: list[Subject]) -> float:
    """Return CPU seconds a picture, the least of some repeats."""
    renderer = Renderer(size)
    _draw(renderer, people[:1])
    costs = []
    for _ in range(REPEATS):
        start = time.process_time()
        count = _draw(renderer, people)
        costs.append((time.process_time() - start) / count)
    return min(costs)


def _throughput() -> tuple[float, float]:
    """Return images a second of a pool of workers: after their first people, and all in all."""
    settings = DatasetSettings("wide", POOL_PEOPLE, 6, 6, 256, seed=3)
    per_person = settings.clips * settings.frames
    times: list[float] = []
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        generate(
            Path(folder), settings, workers=WORKERS, progress=lambda done, total: times.append(time.perf_counter())
        )
    whole = POOL_PEOPLE * per_person / (time.perf_counter() - start)
    counted = times[WORKERS - 1 :]
    return (len(counted) - 1) * per_person / (counted[-1] - counted[0]), whole


def _profile(people: list[Subject]) -> Iterator[Row]:
    renderer = Renderer(256)
    profile = cProfile.Profile()
    profile.enable()
    count = _draw(renderer, people)
    profile.disable()
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    largest = sorted(stats.items(), key=lambda item: -item[1][2])[:8]
    for (path, _, name), (_, _, own, _, _) in largest:
        yield Row(f"of which {Path(path).stem}.{name.strip('<>')}", f"{1e3 * own / count:.1f} ms a picture")
