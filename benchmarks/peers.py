"""The same video in vlfau and in other tools, each in its own environment, on one core.

An environment variable gives the program of each tool: the Python of Py-Feat's or LibreFace's environment, or
OpenFace's executable. A tool without a variable, or that fails (most download weights at first use), is skipped with
the reason.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.material import write_clip
from benchmarks.processes import run
from benchmarks.rows import Row

__all__ = ["PEERS", "Peer", "measure"]

FRAMES = 300
TIMEOUT_S = 1800
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS", "NUMEXPR")}

PY_FEAT = """
import sys
from feat import Detector
detector = Detector(device="cpu")
if hasattr(detector, "detect_video"):
    faces = detector.detect_video(sys.argv[1])
else:
    faces = detector.detect(sys.argv[1], data_type="video")
faces.to_csv(sys.argv[2] + "/faces.csv")
"""
LIBRE_FACE = """
import sys
import libreface
folder = sys.argv[2]
libreface.get_facial_attributes(sys.argv[1], output_save_path=folder + "/faces.csv", temp_dir=folder, device="cpu")
"""


@dataclass(frozen=True)
class Peer:
    """Another tool.

    Attributes:
        name: Name of the tool.
        variable: Environment variable with the Python or the executable of the tool.
        command: Returns the command for that program, a video, and an output folder.
    """

    name: str
    variable: str
    command: Callable[[str, Path, Path], Sequence[str | Path]]


PEERS = (
    Peer("Py-Feat", "PYFEAT_PYTHON", lambda program, video, out: (program, "-c", PY_FEAT, video, out)),
    Peer("LibreFace", "LIBREFACE_PYTHON", lambda program, video, out: (program, "-c", LIBRE_FACE, video, out)),
    Peer(
        "OpenFace",
        "OPENFACE_FEATURE_EXTRACTION",
        lambda program, video, out: (program, "-f", video, "-out_dir", out, "-aus"),
    ),
)


def measure(peers: Sequence[Peer] = PEERS, frames: int = FRAMES) -> Iterator[Row]:
    """Yield frames per second of whole processes, including start-up and files, and the speed-up of vlfau."""
    with tempfile.TemporaryDirectory() as name, _one_core():
        folder = Path(name)
        video = folder / "clip.mp4"
        write_clip(video, frames=frames)
        ours: float | None = None
        for number, peer in enumerate(peers):
            program = os.environ.get(peer.variable)
            if not program:
                yield Row(peer.name, f"skipped: {peer.variable} is not set")
                continue
            out = folder / str(number)
            out.mkdir()
            try:
                theirs = frames / _seconds(peer.command(program, video, out))
            except (OSError, RuntimeError) as error:
                yield Row(peer.name, f"skipped: {error}")
                continue
            if ours is None:
                table = folder / "faces.csv"
                numbers = ("--table", table, "--describe", "never")
                ours = frames / _seconds((sys.executable, "-m", "vlfau", "predict", video, *numbers))
                yield Row("vlfau, one core", f"{ours:.1f} frames/s")
            yield Row(f"{peer.name}, one core", f"{theirs:.1f} frames/s")
            yield Row(f"vlfau over {peer.name}", f"{ours / theirs:.1f}", ours / theirs)


def _seconds(command: Sequence[str | Path]) -> float:
    return run([*map(str, command)], environment=os.environ | ONE_THREAD, timeout_s=TIMEOUT_S).seconds


@contextmanager
def _one_core() -> Iterator[None]:
    """Limit this process and its children to one core, where the system supports it."""
    if sys.platform != "linux":
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
