"""A run is resumed with the options that it was started with, whether it was interrupted or finished."""

import json
import os
import shutil

import pytest

import vlfau
from tests.runs.running import contents_of, csv_rows, interrupted
from tests.video.clips import moving, write_video
from vlfau.cli import main


def test_a_run_with_other_options_is_not_gone_on_with(predict, astronaut, tmp_path, monkeypatch):
    def stop():
        raise KeyboardInterrupt

    interrupted(monkeypatch, stop, at=1)
    assert predict(astronaut, "-q", "--describe", "every")[0] == 130
    code, printed, _ = predict(astronaut, "-q", "--resume")
    assert code == 2
    assert "was started with --describe every (now changes); give the same options, or start over" in printed.err


@pytest.mark.parametrize("table", ["", "a.csv", "a.jsonl", "a.parquet", "a.arrows", "a.xlsx"])
def test_a_finished_run_is_not_gone_on_with_other_options(table, tiny_bundle, astronaut, tmp_path, capsys):
    kind = table.rpartition(".")[2]
    pytest.importorskip({"parquet": "pyarrow", "arrows": "pyarrow", "xlsx": "openpyxl"}.get(kind, "vlfau"))
    out, copy = tmp_path / "out", str(shutil.copy(astronaut, tmp_path / "z.png"))
    words = ["-q", "--free-words", "--model", str(tiny_bundle.folder)]
    words += ["--table", str(out / table)] if table else ["--out", str(out)]
    assert main(["predict", str(astronaut), *words, "--every", "0.2s"]) == 0
    before, first = contents_of(out), table or "results.csv"
    assert not any(name.endswith(".run") for name in before)
    for others, differing in (
        ((), "--every 0.2s (now not given)"),
        (("--every", "0.5s", "--describe", "every"), "--every 0.2s (now 0.5s), --describe changes (now every)"),
        (("--every", "0.2s", "--gendered"), "--gendered false (now true)"),
    ):
        assert main(["predict", str(astronaut), copy, *words, "--resume", *others]) == 2
        said = capsys.readouterr().err
        assert f"{first} was started with {differing}; give the same options, or start over without --resume" in said
        assert contents_of(out) == before
    assert main(["predict", str(astronaut), copy, *words, "--resume", "--every", "200ms"]) == 0
    assert len(vlfau.read_results(out / first)) == 2
    assert main(["predict", str(astronaut), copy, *words, "--resume"]) == 2  # The table that was added to remembers.


@pytest.mark.parametrize("is_finished", [False, True])
def test_options_that_are_left_out_differ_too(predict, astronaut, tmp_path, monkeypatch, is_finished):
    def stop():
        raise KeyboardInterrupt

    if not is_finished:
        interrupted(monkeypatch, stop, at=1)
    assert predict(astronaut, "-q", "--crops")[0] == (0 if is_finished else 130)
    code, printed, _ = predict(astronaut, "-q", "--resume")
    assert code == 2
    assert "results.csv was started with --crops true (now not given); give the same options" in printed.err


def test_a_picture_of_rest_whose_name_is_no_unicode_is_remembered(predict, astronaut, tmp_path):
    rest = tmp_path / os.fsdecode(b"rest\xff.png")
    try:
        shutil.copy(astronaut, rest)
    except OSError:
        pytest.skip("names are Unicode on this system")
    video = write_video(tmp_path / "a.mp4", moving(3), rate=10)
    assert predict(video, "-q", "--baseline", str(rest))[0] == 0
    assert predict(video, "-q", "--baseline", str(rest), "--resume")[0] == 0
    code, printed, _ = predict(video, "-q", "--resume")
    assert code == 2
    assert "was started with --baseline" in printed.err


def test_a_run_of_free_words_is_resumed_with_free_words_only(tiny_bundle, astronaut, tmp_path, monkeypatch, capsys):
    def stop():
        raise KeyboardInterrupt

    out = tmp_path / "out"
    words = ["predict", str(astronaut), "-q", "--model", str(tiny_bundle.folder), "--out", str(out)]
    interrupted(monkeypatch, stop, at=1)
    assert main([*words, "--free-words"]) == 130
    record = out / ".results.csv.run"
    settings = json.loads(record.read_text())
    assert settings["consistent"] is False
    del settings["consistent"]
    for earlier in (record.read_text(), json.dumps(settings) + "\n"):  # The second is of a run before that option.
        record.write_text(earlier)
        assert main([*words, "--resume"]) == 2
        assert "was started with --free-words true (now false); " in capsys.readouterr().err
        assert record.read_text() == earlier
    assert main([*words, "--resume", "--free-words"]) == 0
    assert len(csv_rows(out / "results.csv")) == 1


def test_without_words_it_does_not_matter_whether_they_were_free(tiny_bundle, astronaut, tmp_path, monkeypatch):
    def stop():
        raise KeyboardInterrupt

    words = ["predict", str(astronaut), "-q", "--model", str(tiny_bundle.folder), "--describe", "never"]
    words += ["--out", str(tmp_path)]
    interrupted(monkeypatch, stop, at=1)
    assert main([*words, "--free-words"]) == 130
    assert main([*words, "--resume"]) == 0
    assert len(csv_rows(tmp_path / "results.csv")) == 1
