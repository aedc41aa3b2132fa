"""The plumbing of the comparison, with made-up tools."""

import os
import sys

import pytest
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
    assert [row.what for row in rows] == ["Py-Feat", "LibreFace", "OpenFace"]
    assert [row.figure for row in rows] == [f"skipped: {peer.variable} is not set" for peer in PEERS]
    assert all(row.ratio is None for row in rows)


def test_a_tool_that_works_is_compared_and_one_that_fails_is_left_out(monkeypatch):
    monkeypatch.setenv("MADE_UP_PYTHON", sys.executable)
    before = os.sched_getaffinity(0) if sys.platform == "linux" else None
    failed, ours, theirs, ratio = measure([made_up("Bad", FAILS), made_up("Good", COUNTS_BYTES)], frames=3)
    assert failed == ("Bad", "skipped: exit code 1, no weights at home", None)
    assert [row.what for row in (ours, theirs, ratio)] == ["vlfau, one core", "Good, one core", "vlfau over Good"]
    speeds = [float(row.figure.removesuffix(" frames/s")) for row in (ours, theirs)]
    assert 0 < speeds[1] < 3 / 0.2
    assert ratio.ratio == pytest.approx(speeds[0] / speeds[1], rel=0.3)
    assert before is None or os.sched_getaffinity(0) == before


def test_a_program_that_does_not_exist_is_left_out(monkeypatch):
    monkeypatch.setenv("MADE_UP_PYTHON", "/nowhere/python")
    (row,) = measure([made_up("Gone", FAILS)], frames=2)
    assert row.figure.startswith("skipped: [Errno 2]")
