"""An output that is written like a web address is refused, and makes no folder called "https:"."""

from pathlib import Path

import pytest

from vlfau.cli import main
from vlfau.errors import OutputError
from vlfau.files.atomic import fresh_folder, make_folder, refuse_existing, replacing, replacing_folder
from vlfau.files.lock import lock_output
from vlfau.files.same_settings import start_or_resume_folder
from vlfau.tables.errors_file import ErrorsFile

ADDRESS = "https://example.org/out"


def inside(context):
    with context(Path(ADDRESS)):
        pass


@pytest.mark.parametrize(
    "write",
    [
        lambda: make_folder(Path(ADDRESS)),
        lambda: refuse_existing(Path(ADDRESS)),
        lambda: inside(replacing),
        lambda: inside(fresh_folder),
        lambda: inside(replacing_folder),
        lambda: inside(lock_output),
        lambda: start_or_resume_folder(Path("s3://bucket/out"), {}),
        lambda: ErrorsFile(f"{ADDRESS}/errors.csv"),
    ],
)
def test_whatever_writes_refuses_it(tmp_path, monkeypatch, write):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError, match=r"^(https|s3)://.* is a web address, and vlfau writes to local folders only"):
        write()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ["predict", "a.jpg", "--out", ADDRESS],
        ["predict", "a.jpg", "--table", f"{ADDRESS}.csv"],
        ["batch", "a.txt", ADDRESS],
        ["synth", ADDRESS, "--subjects", "1"],
        ["synth", ADDRESS, "--sheet"],
    ],
    ids=lambda words: words[0],
)
def test_commands_name_it_as_it_was_given(tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("a.jpg\n")
    assert main(words) == 2
    assert "error: https://example.org/out" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
