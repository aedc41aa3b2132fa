import subprocess
import sys
from pathlib import Path

import pytest

from vlfau.errors import InputError
from vlfau.files.atomic import copy_whole, move_whole, remove_leftovers, replacing, replacing_folder


def write(path, *, fails=False):
    with replacing(path) as temporary:
        temporary.write_text("new")
        if fails:
            raise RuntimeError


def test_a_file_is_replaced_when_the_block_ends_well(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_stays_as_it_was_when_the_block_fails(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError):
        write(path, fails=True)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_path_that_cannot_be_written_is_named(tmp_path):
    path = tmp_path / "nowhere" / "a.txt"
    with pytest.raises(InputError, match=r"cannot write .*nowhere.*choose another path"):
        write(path)


KILLED = """
import os, signal, sys
from pathlib import Path
from vlfau.files.atomic import replacing
with replacing(Path(sys.argv[1])) as temporary:
    temporary.write_text("half of it")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be renamed on Windows")
def test_the_next_writer_of_a_file_leaves_nothing_of_a_killed_one(tmp_path):
    path = tmp_path / "a.txt"
    for _ in range(2):
        subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["half of it"]
    with pytest.raises(RuntimeError):
        write(path, fails=True)
    assert list(tmp_path.iterdir()) == []
    subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    write(path)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["new"]


def test_two_writers_of_a_file_do_not_share_a_temporary_file(tmp_path):
    path = tmp_path / "a.txt"
    with replacing(path) as first:
        first.write_text("first")
        with replacing(path) as second:
            second.write_text("second")
        write(path)
        assert first.read_text() == "first"
    assert [file.read_text() for file in tmp_path.iterdir()] == ["first"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
@pytest.mark.parametrize("plant", [Path.symlink_to, Path.hardlink_to])
def test_a_link_in_the_place_of_a_temporary_file_is_not_followed(tmp_path, plant):
    path, mine = tmp_path / "a.txt", tmp_path / "mine.txt"
    mine.write_text("mine")
    with replacing(path) as temporary:
        temporary.write_text("new")
    plant(temporary, mine)
    write(path)
    assert mine.read_text() == "mine"
    assert path.read_text() == "new"


def test_what_a_killed_process_left_can_be_removed(tmp_path):
    left, other = tmp_path / ".vlfau-0123.tmp", tmp_path / "a.tmp"
    for path in (left, other):
        path.write_text("")
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == [other]


def test_the_disk_is_waited_for_only_where_it_matters(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr("os.fsync", synced.append)
    with replacing(tmp_path / "a.jpg", sync=False) as temporary:
        temporary.write_text("a")
    assert synced == []
    write(tmp_path / "b.csv")
    move_whole(tmp_path / "b.csv", tmp_path / "c.csv")
    copy_whole(tmp_path / "c.csv", tmp_path / "d.csv")
    assert len(synced) == 3
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "a.jpg": "a",
        "c.csv": "new",
        "d.csv": "new",
    }


def write_folder(folder, text, *, fails=False):
    with replacing_folder(folder) as fresh:
        (fresh / "a.txt").write_text(text)
        if fails:
            raise RuntimeError


def test_a_folder_is_replaced_when_the_block_ends_well_and_stays_otherwise(tmp_path):
    folder = tmp_path / "runs" / "checkpoint"
    write_folder(folder, "old")
    (folder / "b.txt").touch()
    with pytest.raises(RuntimeError):
        write_folder(folder, "new", fails=True)
    assert {path.name for path in folder.iterdir()} == {"a.txt", "b.txt"}
    write_folder(folder, "new")
    assert [path.name for path in folder.iterdir()] == ["a.txt"]
    assert (folder / "a.txt").read_text() == "new"
    assert list(folder.parent.iterdir()) == [folder]


def test_a_folder_survives_a_kill_between_the_two_renames_that_replace_it(tmp_path):
    folder = tmp_path / "checkpoint"
    write_folder(folder, "old")
    folder.rename(tmp_path / ".checkpoint.old")
    with pytest.raises(RuntimeError):
        write_folder(folder, "new", fails=True)
    assert (folder / "a.txt").read_text() == "old"
    assert list(tmp_path.iterdir()) == [folder]
