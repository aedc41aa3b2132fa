"""A 720p video with one face: time per step, end-to-end speed, and memory over time."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.material import RATE, repeat_clip, write_clip
from benchmarks.processes import run_python
from benchmarks.rows import Row
from vlfau.inference.predictor import Predictor
from vlfau.media.reader import VideoReader
from vlfau.video.tracker import FaceTracker

__all__ = ["measure"]

CLIP_S, LONG_MINUTES, TURNS = 20, 10, 3
PARTS = ("decode", "track the face", "align", "vision")


def measure() -> Iterator[Row]:
    """Yield milliseconds per frame for each step, frames per second of whole processes, and memory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip, frames = folder / "clip.mp4", CLIP_S * RATE
        write_clip(clip, frames=frames)
        parts = _parts(clip)
        for what, seconds in zip(PARTS, parts, strict=True):
            yield Row(f"{what}, one thread", f"{1e3 * seconds / frames:.1f} ms per frame")
        sequential = frames / sum(parts)
        yield Row("all steps in sequence", f"{sequential:.0f} frames/s")
        speeds: dict[str, list[float]] = {"never": [], "changes": []}
        for _ in range(TURNS):
            for describe, done in speeds.items():
                done.append(frames / _predict(clip, folder, describe)[0])
        numbers, words = (float(np.median(done)) for done in speeds.values())
        yield Row("vlfau predict, video to CSV, without captions (goal: 60)", f"{numbers:.0f} frames/s")
        yield Row("vlfau predict, video to CSV, captions on changes (goal: 30)", f"{words:.0f} frames/s")
        yield Row(
            "whole process over one after the other",
            f"{numbers / sequential:.2f}",
            numbers / sequential,
        )
        yield Row("with words over without", f"{words / numbers:.2f}", words / numbers)
        yield from _memory(clip, folder)


def _parts(clip: Path) -> tuple[float, float, float, float]:
    """Return the seconds of every step over all frames, run in sequence."""
    cv2.setNumThreads(1)
    predictor = Predictor(describe="never")
    tracker, seconds = FaceTracker(predictor.finder), np.zeros(4)
    frames, start = iter(VideoReader(clip, threads=1)), time.perf_counter()
    for frame in frames:
        decoded = time.perf_counter()
        faces = [tracked.face for tracked in tracker.follow(frame.pixels, frame.time_s)]
        followed = time.perf_counter()
        crops = predictor.align(frame.pixels, faces)
        aligned = time.perf_counter()
        predictor.score_crops(crops)
        judged = time.perf_counter()
        seconds += np.diff([start, decoded, followed, aligned, judged])
        start = time.perf_counter()
    decode, follow, align, vision = map(float, seconds)
    return decode, follow, align, vision


def _predict(clip: Path, folder: Path, describe: str) -> tuple[float, float]:
    """Return the seconds and the peak memory in MB of a whole `vlfau predict`."""
    table = folder / "faces.csv"
    table.unlink(missing_ok=True)
    process = run_python(["-m", "vlfau", "predict", str(clip), "--table", str(table), "--describe", describe])
    return process.seconds, process.memory_mb


def _memory(clip: Path, folder: Path) -> Iterator[Row]:
    found = []
    for minutes in (1, LONG_MINUTES):
        long = folder / f"{minutes}.mp4"
        repeat_clip(clip, long, minutes * 60 // CLIP_S)
        found.append(_predict(long, folder, "never")[1])
        yield Row(f"peak memory, {minutes} min of video (goal: at most 600 MB)", f"{found[-1]:.0f} MB")
    yield Row(f"memory at 1 min over {LONG_MINUTES} min (flat: 1)", f"{found[0] / found[1]:.2f}", found[0] / found[1])
