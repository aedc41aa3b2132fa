import pytest

from tests.runs.running import csv_rows
from vlfau.cli import main


def test_explain_prints_measurements_and_what_would_flip_the_state(astronaut, capsys):
    assert main(["explain", str(astronaut), "--au", "12,4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{astronaut}: face 1 of 1"
    smile = lines.index(next(line for line in lines if line.startswith("  AU 12, Lip Corner Puller: active (")))
    frown = lines.index(next(line for line in lines if line.startswith("  AU 4, Brow Lowerer: inactive (")))
    assert lines[smile + 1].startswith("    lip corners above the middle of the lips 0.")
    assert "resting faces" in lines[smile + 1]
    assert any(line.startswith("    the score of AU 12 rests to ") for line in lines[smile:frown])
    flip = next(line for line in lines[smile:frown] if line.startswith("    if the lip corners"))
    assert flip.endswith("AU 12 would be inactive")
    assert any(line.endswith("make it active") or line.endswith("would be active") for line in lines[frown:])


@pytest.mark.parametrize("au", ["99", "smile", "", "12,,4", "1" * 10_000])
def test_explain_refuses_aus_that_the_model_does_not_know(astronaut, capsys, au):
    assert main(["explain", str(astronaut), "--au", au]) == 2
    assert "--au takes active, or numbers of action units" in capsys.readouterr().err.replace("\n", " ")


def test_predict_prints_and_writes_measurements_and_quality(astronaut, tmp_path, capsys):
    table = tmp_path / "a.csv"
    options = ["--measurements", "--quality", "--describe", "never", "--table", str(table)]
    assert main(["predict", str(astronaut), *options]) == 0
    out = capsys.readouterr().out
    assert "AU 12  lip corners above the middle of the lips" in out
    assert "of the lower face visible)" in out
    assert "doubtful" not in out
    (row,) = csv_rows(table)
    assert 0.9 < float(row["mouth_width"]) < 1.15
    assert row["doubtful_aus"] == ""
    assert float(row["AU12_prob"]) > 0.5


def test_keep_doubtful_needs_quality(astronaut, capsys):
    assert main(["predict", str(astronaut), "--keep-doubtful"]) == 2
    assert "give both" in capsys.readouterr().err
