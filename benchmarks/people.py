"""Videos with several people: what a further face costs, and speed and memory while people come and go."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.material import repeat_clip, write_people
from benchmarks.processes import Process, run_python
from benchmarks.rows import Row

__all__ = ["measure"]

FRAMES, TURNS, FACES = 150, 3, 4
CROWD, CROWD_RATE, MINUTES = 10, 5, 10
"""People, frames per second, and minutes of the long video."""


def measure() -> Iterator[Row]:
    """Yield a frame's CPU time with one face over that of a further face, and what ten minutes of ten people take."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = {people: folder / f"{people}.mp4" for people in (1, FACES)}
        for people, clip in clips.items():
            write_people(clip, frames=FRAMES, people=people, places=FACES)
        taken: dict[int, list[float]] = {people: [] for people in clips}
        for _ in range(TURNS):
            for people, clip in clips.items():
                taken[people].append(_predict(clip, folder).cpu_seconds)
        one, several = (float(np.median(seconds)) for seconds in taken.values())
        further = (several - one) / (FACES - 1)
        yield Row("CPU time per frame of a 1080p video with one face", f"{1e3 * one / FRAMES:.1f} ms")
        yield Row(f"each further face of {FACES} adds", f"{1e3 * further / FRAMES:.1f} ms")
        yield Row("a frame with one face over a further face (goal 2 at least)", f"{one / further:.2f}", one / further)
        yield from _crowd(folder)


def _crowd(folder: Path) -> Iterator[Row]:
    minute, long = folder / "minute.mp4", folder / "long.mp4"
    frames = 60 * CROWD_RATE
    write_people(minute, frames=frames, people=CROWD, places=CROWD, rate=CROWD_RATE, away_s=6.0)
    repeat_clip(minute, long, MINUTES)
    short, whole = _predict(minute, folder), _predict(long, folder)
    rate, later = frames / short.cpu_seconds, (MINUTES - 1) * frames / (whole.cpu_seconds - short.cpu_seconds)
    about = f"{CROWD} people who come and go, {MINUTES} min"
    yield Row(f"{about}: frames per CPU second, first minute and later", f"{rate:.1f}, {later:.1f}")
    yield Row(f"{about}: later over the first minute (no slower: 1)", f"{later / rate:.2f}", later / rate)
    ratio = short.memory_mb / whole.memory_mb
    yield Row(f"{about}: peak memory at 1 min and at the end", f"{short.memory_mb:.0f}, {whole.memory_mb:.0f} MB")
    yield Row(f"{about}: memory at 1 min over the end (flat: 1)", f"{ratio:.2f}", ratio)


def _predict(clip: Path, folder: Path) -> Process:
    table = folder / "faces.csv"
    table.unlink(missing_ok=True)
    return run_python(["-m", "vlfau", "predict", str(clip), "--table", str(table), "--describe", "never"])
