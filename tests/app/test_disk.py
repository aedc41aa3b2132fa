import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

from vlfau.app.disk import Disk, FullError, own_folder, sweep

HOLD = """
import sys
from vlfau.app.disk import own_folder
with own_folder() as folder:
    (folder / "face.png").write_bytes(b"a face")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder for temporary files, of this process and its children."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def hold():
    process = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    return process


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_the_folder_of_a_killed_page_is_deleted_at_the_next_start_and_that_of_a_living_one_stays(temporary):
    dead, alive = hold(), hold()
    dead.send_signal(signal.SIGKILL)
    dead.communicate()
    assert len(list(temporary.glob("vlfau-app-*/face.png"))) == 2
    with own_folder() as own:
        assert len(list(temporary.glob("vlfau-app-*/face.png"))) == 1
        with own_folder() as second:
            assert own.is_dir()
            assert second.is_dir()
    alive.communicate("")
    assert list(temporary.iterdir()) == []


def test_what_another_program_left_stays(temporary):
    (temporary / "vlfau-app-mine").mkdir()
    (temporary / ".vlfau-app-other.lock").touch()
    (temporary / "vlfau-app-other").mkdir()
    (temporary / ".vlfau-app-link.lock").symlink_to("/etc/hostname")
    before = set(temporary.iterdir())
    with own_folder():
        assert set(temporary.iterdir()) > before
    assert set(temporary.iterdir()) == before


def test_bytes_count_before_they_are_written(tmp_path):
    disk = Disk(tmp_path, 1000)
    with disk.new_folder(600) as first:
        with pytest.raises(FullError, match="as many files as it can"), disk.new_folder(600):
            pass
        with disk.new_folder(400):
            (first / "a").write_bytes(bytes(100))
        (first / "b").write_bytes(bytes(100))
    with disk.new_folder(800):  # Of the first, 200 bytes remain.
        pass
    with pytest.raises(FullError), disk.new_folder(801):
        pass


def test_what_is_not_finished_is_deleted(tmp_path):
    disk = Disk(tmp_path, 1000)
    with contextlib.suppress(KeyboardInterrupt), disk.new_folder(600) as own:
        (own / "a").write_bytes(bytes(600))
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    with disk.new_folder(1000):
        pass


def test_sweeping_deletes_what_is_old_and_nothing_else(tmp_path):
    for name, age in (("old/a.jpg", 1000), ("old/b.jpg", 1000), ("mixed/old.jpg", 1000), ("mixed/new.jpg", 10)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
        os.utime(path, (time.time() - age,) * 2)
    os.utime(tmp_path / "old", (0, 0))
    sweep(tmp_path, 900)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == ["mixed", "mixed/new.jpg", "old"]
    os.utime(tmp_path / "old", (0, 0))
    sweep(tmp_path, 900)
    assert not (tmp_path / "old").exists()


def test_sweeping_deletes_what_is_from_before_the_clock_was_set_back(tmp_path):
    for name, ahead in (("before.jpg", 3600), ("now.jpg", 5)):
        (tmp_path / name).write_text("x")
        os.utime(tmp_path / name, (time.time() + ahead,) * 2)
    sweep(tmp_path, 900)
    assert [path.name for path in tmp_path.iterdir()] == ["now.jpg"]
