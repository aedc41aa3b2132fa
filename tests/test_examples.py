"""The examples run, and say what they promise."""

import runpy
import sys
from pathlib import Path

import pytest

from tests.video.clips import moving, write_video
from vlfau.cli import main

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def run(monkeypatch, capsys):
    """Run an example with arguments; return what it printed."""

    def run_example(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return run_example


def test_every_example_is_tested():
    tests = Path(__file__).read_text("utf-8")
    assert all(f'run("{path.name}"' in tests for path in EXAMPLES.glob("*.py"))


def test_a_picture_is_told_in_words(run):
    lines = run("predict_picture.py").splitlines()
    assert lines[0].startswith("face 1: This person ")
    assert all(line.startswith("  AU") for line in lines[1:])


def test_a_picture_is_saved_where_a_second_argument_says(run, tmp_path):
    run("predict_picture.py", EXAMPLES / "astronaut.png", tmp_path / "results")
    assert (tmp_path / "results" / "astronaut.png.vlfau.jpg").is_file()
    assert (tmp_path / "results" / "results.csv").read_text("utf-8").count("\n") == 2


def test_a_video_is_followed_and_summed_up(run, tmp_path):
    printed = run("stream_video.py", write_video(tmp_path / "a.mp4", moving(12)))
    assert printed.startswith("0:00.0  face 1  AU12 ")
    assert "\nface 1  seen from 0:00.0 to 0:00.3" in printed


def test_results_are_read_back(run, tmp_path, capsys):
    pytest.importorskip("pandas")
    table = tmp_path / "a.csv"
    assert main(["predict", str(EXAMPLES / "astronaut.png"), "--describe", "never", "-q", "--table", str(table)]) == 0
    capsys.readouterr()
    printed = run("read_results.py", table)
    assert "astronaut.png" in printed
    assert any(line.startswith("AU12 ") and line.endswith("%") for line in printed.splitlines())
