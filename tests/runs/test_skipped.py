import shutil

import pytest

from tests.runs.running import csv_rows
from vlfau.cli import main
from vlfau.errors import OutputError
from vlfau.runs.engine import run


@pytest.fixture
def study(tmp_path, astronaut):
    """A folder with a picture and files that are not read."""
    folder = tmp_path / "study"
    (folder / "b").mkdir(parents=True)
    shutil.copy(astronaut, folder / "b" / "me.png")
    for name in ("notes.txt", "=1.pdf", "old.vlfau.jpg", ".DS_Store", "README"):
        (folder / name).write_bytes(b"x")
    return folder


def test_what_is_not_read_is_counted_and_listed_with_the_reason(study, tiny_bundle, tmp_path, capsys):
    assert main(["predict", str(study), "--out", str(tmp_path / "out"), "--model", str(tiny_bundle.folder)]) == 0
    printed = capsys.readouterr()
    assert f"{study}: 4 files skipped: " in printed.err
    assert "notes.txt (.txt is not the ending of a picture or video)" in printed.err
    assert "1 picture, 1 face, 4 files skipped in " in printed.out
    listed = {row["file"]: row["reason"] for row in csv_rows(tmp_path / "out" / "skipped.csv")}
    assert listed == {
        str(study / "=1.pdf"): ".pdf is not the ending of a picture or video",
        str(study / "README"): "neither its name nor its content is that of a picture or video",
        str(study / "notes.txt"): ".txt is not the ending of a picture or video",
        str(study / "old.vlfau.jpg"): "a drawing of vlfau",
    }


def test_a_run_that_skips_nothing_removes_the_old_list(study, tiny_bundle, tmp_path):
    table = tmp_path / "new" / "a.csv"
    summary = run(study, model=tiny_bundle.folder, table=table)
    assert len(summary.skipped) == 4
    assert (tmp_path / "new" / "a.skipped.csv").exists()
    run(study / "b", model=tiny_bundle.folder, table=table)
    assert not (tmp_path / "new" / "a.skipped.csv").exists()


def test_a_list_of_others_is_not_replaced(study, tiny_bundle, tmp_path):
    (tmp_path / "skipped.csv").write_text("rope,times\n", "utf-8")
    with pytest.raises(OutputError, match=r"skipped\.csv exists and is not a list of files"):
        run(study, model=tiny_bundle.folder, out=tmp_path)


def test_a_pattern_is_expanded_where_the_shell_does_not(study, tiny_bundle, astronaut):
    shutil.copy(astronaut, study / "b" / "me2.png")
    shutil.copy(astronaut, study / "b" / "[odd].png")
    summary = run(f"{study}/**/me*.png", model=tiny_bundle.folder)
    assert (summary.pictures, summary.errors) == (2, ())
    assert run(study / "b" / "[odd].png", model=tiny_bundle.folder).pictures == 1
    (failure,) = run(f"{study}/none*.png", model=tiny_bundle.folder).errors
    assert "none*.png does not exist" in failure.reason
