"""The plumbing of the comparison, with made-up tools."""

import os
import subprocess
import sys

import pytest
from benchmarks.material import write_clip
from benchmarks.peers import PEERS, Peer, measure

COUNTS_BYTES = (
    "import os, sys, time; time.sleep(0.2); open(sys.argv[2] + '/size', 'w').write(str(os.path.getsize(sys.argv[1])))"
)
FAILS = "import sys; sys.exit('no weights at home')"


def made_up(name, program):
    return Peer(name, "MADE_UP_PYTHON", lambda python, video, out: (python, "-c", program, video, out))


def test_a_tool_that_is_not_named_is_left_out_with_the_reason(monkeypatch):
    for peer in PEERS:
        monkeypatch.delenv(peer.variable, raising=False)
    rows = list(measure(frames=2))
    assert [row.what for row in rows] == ["MediaPipe", "Py-Feat", "LibreFace", "OpenFace"]
    assert [row.figure for row in rows] == [f"skipped: {peer.variable} is not set" for peer in PEERS]
    assert all(row.ratio is None for row in rows)


def test_a_tool_that_works_is_compared_and_one_that_fails_is_left_out(monkeypatch):
    monkeypatch.setenv("MADE_UP_PYTHON", sys.executable)
    before = os.sched_getaffinity(0) if sys.platform == "linux" else None
    made = measure([made_up("Bad", FAILS), made_up("Good", COUNTS_BYTES)], frames=3)
    failed, ours, theirs, ratio, saving = made
    assert failed == ("Bad", "skipped: exit code 1, no weights at home", None)
    assert [row.what for row in (ours, theirs, ratio)] == ["vlfau, one core", "Good, one core", "vlfau over Good"]
    speeds = [float(row.figure.split(" frames/s, ")[0]) for row in (ours, theirs)]
    assert saving.what == "CPU time of Good over vlfau"
    assert 0 < saving.ratio < 1  # vlfau computes, the made-up tool sleeps
    assert 0 < speeds[1] < 3 / 0.2
    assert ratio.ratio == pytest.approx(speeds[0] / speeds[1], rel=0.3)
    assert before is None or os.sched_getaffinity(0) == before


def test_a_program_that_does_not_exist_is_left_out(monkeypatch):
    monkeypatch.setenv("MADE_UP_PYTHON", "/nowhere/python")
    (row,) = measure([made_up("Gone", FAILS)], frames=2)
    assert row.figure.startswith("skipped: [Errno 2]")


def test_another_video_can_be_named(monkeypatch, tmp_path):
    video = tmp_path / "mine.mp4"
    write_clip(video, frames=4)
    monkeypatch.setenv("PEERS_VIDEO", str(video))
    monkeypatch.setenv("MADE_UP_PYTHON", sys.executable)
    says_which = "import sys; assert sys.argv[1].endswith('mine.mp4'), sys.argv"
    ours, *_ = measure([made_up("Good", says_which)], frames=300)
    assert ours.figure.endswith(" CPU ms per frame")


def test_py_feat_is_asked_by_the_class_that_its_version_has(tmp_path):
    feat = """
class Frame:
    def to_csv(self, path): open(path, "w").write("AU12")
class {name}:
    def __init__(self, device): assert device == "cpu"
    def detect(self, video, data_type, batch_size): assert data_type == "video"; return Frame()
"""
    for name in ("Detector", "Detectorv2"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "feat.py").write_text(feat.format(name=name))
        (peer,) = (peer for peer in PEERS if peer.name == "Py-Feat")
        command = peer.command(sys.executable, tmp_path / "clip.mp4", folder)
        subprocess.run([*map(str, command)], check=True, env=os.environ | {"PYTHONPATH": str(folder)}, cwd=tmp_path)
        assert (folder / "faces.csv").read_text() == "AU12"
