"""Terminals, limits and folders as they may be."""

import errno
import os
import shutil
import subprocess
import sys

import pytest

from tests.runs.running import csv_rows
from vlfau.cli import main
from vlfau.errors import VlfauError
from vlfau.faces import session
from vlfau.faces.session import open_session
from vlfau.tables.read import read_results

linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems have other limits and names")


@linux
def test_a_name_cannot_steer_the_terminal(predict, astronaut, tmp_path):
    path = tmp_path / "\x1b]0;owned\x07\x1b[2J.png"
    shutil.copy(astronaut, path)
    missing = tmp_path / "\x1b[31mred\u202egnp.jpg"
    code, printed, rows = predict(path, missing)
    assert code == 2
    assert "\x1b" not in printed.out + printed.err
    assert "\u202e" not in printed.err
    assert "\x1b" not in rows[0]["file"]


def test_a_model_cannot_steer_the_terminal(tiny_bundle, tmp_path, capsys):
    folder = tmp_path / "bundle"
    shutil.copytree(tiny_bundle.folder, folder)
    text = (folder / "model.json").read_text("utf-8")
    (folder / "model.json").write_text(text.replace('"tiny"', r'"ti\u001b[2Jny"'), "utf-8")
    assert main(["info", "--model", str(folder)]) == 0
    printed = capsys.readouterr()
    assert "\x1b" not in printed.out + printed.err
    assert "ti\ufffd[2Jny" in printed.out


@linux
def test_no_cell_of_a_csv_file_is_a_formula(predict, astronaut, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["=1+1.png", "'=2.png", "+3.png", "plain.png"]
    for name in names:
        shutil.copy(astronaut, name)
    code, _, rows = predict(*names, "=missing.png", out=tmp_path / "out")
    assert code == 2
    assert [row["file"] for row in rows] == ["'=1+1.png", "''=2.png", "'+3.png", "plain.png"]
    assert list(read_results(tmp_path / "out" / "results.csv")["file"]) == names
    assert [row["file"] for row in csv_rows(tmp_path / "out" / "errors.csv")] == ["'=missing.png"]
    _, printed, rows = predict(*names, "=missing.png", "--resume", out=tmp_path / "out")
    assert "5 done before" in printed.out
    assert len(rows) == 4


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--threads", "100000", "threads is 100000; give a number from 1 to "),
        ("--beam-size", "100000", "beam_size is 100000; give a number from 1 to 64"),
        ("--start", "9" * 5000, "--start takes a time such as"),
        ("--start", f"{'9' * 5000}:00", "--start takes a time such as"),
    ],
)
def test_numbers_out_of_reason_are_refused(tiny_bundle, astronaut, capsys, option, value, message):
    assert main(["predict", str(astronaut), "--model", str(tiny_bundle.folder), option, value]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error) < 300


def test_workers_out_of_reason_are_refused(tmp_path, capsys):
    pytest.importorskip("numba")
    assert main(["synth", str(tmp_path / "faces"), "--workers", "100000"]) == 2
    assert "workers is 100000; give a number from 1 to" in capsys.readouterr().err


def test_the_list_of_errors_is_no_table_of_the_same_run(predict, astronaut, tmp_path):
    code, printed, _ = predict(astronaut, "--table", tmp_path / "out" / "errors.csv")
    assert code == 2
    assert "this run lists its errors in" in printed.err
    assert "another run" not in printed.err


def test_a_variable_that_names_nobody_is_no_reason_to_fail(monkeypatch, capsys):
    monkeypatch.setenv("VLFAU_MODELS", "~nobody_x/models")
    assert main(["models"]) == 0
    assert "default" in capsys.readouterr().out


@linux
@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("mkdir gone; cd gone; rmdir ../gone; {vlfau} info", "the working directory no longer exists"),
        ("ulimit -n 24; {vlfau} predict {picture} --out out", ""),
        ("ulimit -n 8; {vlfau} predict {picture} --out out", ""),
    ],
)
def test_no_limit_ends_with_a_traceback(astronaut, tmp_path, command, message):
    text = command.format(vlfau=f"{sys.executable} -m vlfau", picture=astronaut)
    done = subprocess.run(["bash", "-c", text], check=False, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert "Traceback" not in done.stderr
    assert message in done.stderr
    assert done.returncode in {0, 1, 2}


def test_too_little_memory_is_called_by_its_name(monkeypatch, tmp_path):
    def fail(*_, **__):
        raise RuntimeError("[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : std::bad_alloc")

    (tmp_path / "a.onnx").write_bytes(b"graph")
    monkeypatch.setattr(session.ort, "InferenceSession", fail)
    with pytest.raises(VlfauError, match="too little memory to open"):
        open_session(tmp_path / "a.onnx")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EROFS])
def test_a_disk_that_takes_no_more_is_no_reason_for_a_traceback(monkeypatch, capsys, number):
    def fail(*_, **__):
        raise OSError(number, os.strerror(number), "out/b.png")

    monkeypatch.setattr("vlfau.inference.bundle.load_bundle", fail)
    assert main(["info"]) == 1
    assert f"error: the operating system refused out/b.png ({os.strerror(number)}); " in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        *(("--table", f"{'t' * 246}.{kind}", *resume) for kind in ("csv", "parquet") for resume in ((), ("--resume",))),
        ("--out", "o" * 300),
        ("--baseline", "b" * 300),
    ],
)
def test_a_name_that_is_too_long_is_told_in_one_sentence(tiny_bundle, astronaut, tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    assert main(["predict", str(astronaut), "--model", str(tiny_bundle.folder), *words, "-q"]) in {1, 2}
    printed = capsys.readouterr().err
    assert printed.count("error: ") == 1
    assert "too long" in printed
    assert list(tmp_path.iterdir()) == []
