import json

import pytest

import vlfau.paper
from tests.training.conftest import toy_file
from vlfau.cli import main, rehearsing

__all__ = ["toy_file"]


@pytest.fixture
def command(toy_file, tmp_path):
    """The words of a cross-validation of the toy."""
    return ["crossval", str(toy_file), "--out", str(tmp_path / "cv"), "--set", "run.max_epochs=3", "--batch-size", "4"]


def test_a_rehearsal_prints_the_costs_and_the_real_command_repeats_them(command, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(vlfau.paper, "write_report", lambda runs, out: None)
    monkeypatch.setattr(rehearsing, "WORTH_A_FORECAST", 1)
    assert main([*command, "--rehearse", "--minutes", "0.05"]) == 0
    said = capsys.readouterr().out
    for words in (
        "ok       training step:",
        "note     stem weights: none",
        "Estimated cost of the real run on this machine",
        "Memory: ",
        "Disk: ",
        "Hours are these times multiplied by frames, steps and epochs.",
        "The real run should succeed. The rehearsal took",
    ):
        assert words in said
    (line,) = [line.split() for line in said.splitlines() if line.strip().startswith("fold2")]
    assert line[1:4] == ["8", "3", "72"]  # frames, steps, captions
    assert main([*command, "--frames", "1"]) == 0
    said = capsys.readouterr().err
    assert "cost: 2 runs to do: 6 training steps, 16 frames to evaluate, 2 to describe with 18 captions" in said
    assert "cost: by the rehearsal, " in said
    assert "--frames 300" not in said
    assert main([*command, "--frames", "1"]) == 0  # all is done
    assert "cost:" not in capsys.readouterr().err


def test_without_a_rehearsal_the_words_are_forecast(command, monkeypatch, capsys):
    monkeypatch.setattr(rehearsing, "WORTH_A_FORECAST", 1)
    assert main([*command, "--set", "run.max_epochs=1"]) == 0
    said = capsys.readouterr().err
    assert "16 to describe with 144 captions" in said
    assert "cost: describing takes about " in said
    assert "--rehearse estimates the rest; --frames 300 describes 300 frames per fold instead of all" in said


def test_few_words_are_not_forecast(command, capsys):
    assert main([*command, "--set", "run.max_epochs=1", "--no-describe"]) == 0
    said = capsys.readouterr().err
    assert "0 to describe with 0 captions" in said
    assert "cost: --rehearse estimates how long that takes" in said


def test_a_rehearsal_that_finds_a_problem_ends_with_2_and_names_it(command, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(vlfau.paper, "write_report", lambda runs, out: None)
    (tmp_path / "manifest.csv").write_text((tmp_path / "manifest.csv").read_text().replace("7.png", "gone.png"))
    assert main([*command, "--rehearse"]) == 2
    said = capsys.readouterr().out
    assert "problem  manifest: " in said
    assert "skipped  end-to-end run: the manifest cannot be read" in said
    assert "The real run would fail; fix these first: manifest." in said


def test_an_ablation_can_be_rehearsed(command, tmp_path, monkeypatch, capsys):
    def tables(runs, out):
        assert len(json.loads((runs / "ablation.json").read_text())["variants"]) == 2

    monkeypatch.setattr(vlfau.paper, "write_report", tables)
    words = ["ablate", *command[1:], "--variants", "2,5", "--seeds", "1,2", "--rehearse", "--minutes", "0.05"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "ok       captions (5):" in said
    assert "variant2-seed2/fold1" in said
