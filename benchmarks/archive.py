"""Archives: speed-up of two workers over one, cost per frame, and memory over time."""

import os
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.material import write_clip
from benchmarks.rows import Row
from vlfau.batch.archive import ArchiveProgress, process_archive
from vlfau.runs.options import ArchiveOptions

__all__ = ["measure"]

CLIPS, FRAMES, SIZE = 12, 300, (1280, 720)
TURNS = 3
STEP_S = 0.2
SAMPLE_S = 0.5
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def measure() -> Iterator[Row]:
    """Yield throughput, CPU time and memory, for every frame and for one frame per time step."""
    # Ray gives its workers the lowest priority, so other work on the machine would distort the measurement.
    os.environ.setdefault("RAY_worker_niceness", "0")
    with tempfile.TemporaryDirectory() as folder:
        clips = Path(folder) / "clips"
        clips.mkdir()
        for number in range(CLIPS):
            write_clip(clips / f"{number}.mp4", frames=FRAMES, size=SIZE, seed=number)
        what = f"{CLIPS} clips of {FRAMES} frames, {SIZE[0]} x {SIZE[1]}"
        runs: dict[int, list[_Run]] = {1: [], 2: []}
        for turn in range(TURNS):  # The speed of a machine drifts.
            for workers, done in runs.items():
                done.append(_run(clips, Path(folder) / f"{turn}-{workers}", ArchiveOptions(), workers))
        for workers, done in runs.items():
            yield Row(
                f"{what}, {workers} worker(s)",
                sorted(done, key=lambda run: run.frames_per_second)[TURNS // 2].figures(),
            )
        pairs = list(zip(*runs.values(), strict=True))
        gains = sorted(two.frames_per_second / one.frames_per_second for one, two in pairs)
        yield Row("two workers over one (goal 1.8 at least)", _ratios(gains), gains[TURNS // 2])
        if pairs[0][0].memory:
            yield Row(
                "the same by CPU time, which depends less on other work",
                _ratios(2 * one.cpu_ms / two.cpu_ms for one, two in pairs),
            )
        run = _run(clips, Path(folder) / "step", ArchiveOptions(every=f"{STEP_S}s"), 1)
        yield Row(f"the same, one frame every {STEP_S:g} s, 1 worker(s)", run.figures())


@dataclass
class _Run:
    """Measurements of a run, without the first clip of every worker.

    Attributes:
        workers: Number of workers.
        events: Time, frames and CPU seconds of the workers at the end of each clip.
        memory: Time, and the largest memory of a worker in MB.
        cpu_s: CPU seconds of each process when last sampled.
    """

    workers: int
    events: list[tuple[float, int, float]] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    cpu_s: dict[str, float] = field(default_factory=dict)

    def progress(self, progress: ArchiveProgress) -> None:
        if progress.processed:
            self.sample_workers()
            self.events.append((time.perf_counter(), progress.frames, sum(self.cpu_s.values())))

    def sample(self, ended: threading.Event) -> None:
        while not ended.wait(SAMPLE_S):
            self.sample_workers()

    def sample_workers(self) -> None:
        seen = list(_workers())
        self.cpu_s.update({process: seconds for process, seconds, _ in seen})
        if seen:
            self.memory.append((time.perf_counter(), max(size for *_, size in seen)))

    @property
    def counted(self) -> tuple[float, int, float]:
        start, end = self.events[self.workers - 1], self.events[-1]
        return end[0] - start[0], end[1] - start[1], end[2] - start[2]

    @property
    def frames_per_second(self) -> float:
        seconds, frames, _ = self.counted
        return frames / seconds

    @property
    def cpu_ms(self) -> float:
        _, frames, cpu_s = self.counted
        return 1e3 * cpu_s / frames

    def figures(self) -> str:
        text = f"{self.frames_per_second:.1f} frames/s"
        if not self.memory:
            return text
        halves = [
            max(size for moment, size in self.memory if first <= moment <= last)
            for first, last in (
                (0.0, self.events[len(self.events) // 2][0]),
                (self.events[len(self.events) // 2][0] - SAMPLE_S, self.events[-1][0]),
            )
        ]
        return (
            f"{text}; {self.cpu_ms:.1f} CPU ms per frame; peak memory of a worker {halves[0]:.0f} MB in the first "
            f"half, {halves[1]:.0f} MB in the second"
        )


def _run(clips: Path, out: Path, options: ArchiveOptions, workers: int) -> _Run:
    run, ended = _Run(workers), threading.Event()
    sampler = threading.Thread(target=run.sample, args=(ended,))
    sampler.start()
    try:
        process_archive(clips, out, options, workers=workers, progress=run.progress)
    finally:
        ended.set()
        sampler.join()
    return run


def _ratios(values: Iterable[float]) -> str:
    ordered = sorted(values)
    return f"{ordered[len(ordered) // 2]:.2f} ({ordered[0]:.2f} to {ordered[-1]:.2f})"


def _workers() -> Iterator[tuple[str, float, float]]:
    """Yield the process, CPU seconds and memory in MB of every worker (Linux only)."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if not (folder / "cmdline").read_bytes().startswith(b"ray::MapWorker"):
                continue
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            pages = int((folder / "statm").read_text().split()[1])
        except OSError:
            continue
        cpu_s = (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
        yield folder.name, cpu_s, pages * os.sysconf("SC_PAGE_SIZE") / 1e6
