import errno
import os
import subprocess
import sys
import threading

import pytest

from vlfau.errors import OutputError
from vlfau.files.lock import lock_output

HOLDER = """
import sys
from pathlib import Path
from vlfau.files.lock import lock_output
lock = lock_output(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""
CONTENDER = """
import os, sys
from pathlib import Path
from vlfau.errors import OutputError
from vlfau.files.lock import lock_output
target = Path(sys.argv[1])
taken = 0
while taken < 100:
    try:
        lock = lock_output(target)
    except OutputError:
        continue
    os.close(os.open(target, os.O_CREAT | os.O_EXCL))  # fails if another process holds the lock as well
    target.unlink()
    lock.release()
    taken += 1
"""


def test_the_second_writer_learns_the_file_and_the_process_that_holds_it(tmp_path):
    target = tmp_path / "a.csv"
    with lock_output(target), pytest.raises(OutputError) as caught:
        lock_output(target)
    assert str(caught.value) == (
        f"another run (process {os.getpid()}) is writing {target}; wait until it ends, or choose another name"
    )
    assert list(tmp_path.iterdir()) == []
    lock_output(target).release()


def test_a_lock_can_be_released_twice_and_in_another_thread(tmp_path):
    lock = lock_output(tmp_path / "a.csv")
    thread = threading.Thread(target=lock.release)
    thread.start()
    thread.join()
    with lock_output(tmp_path / "a.csv"):
        lock.release()
        with pytest.raises(OutputError, match="another run"):
            lock_output(tmp_path / "a.csv")


def test_a_lock_ends_with_the_process_that_holds_it(tmp_path):
    target = tmp_path / "a.csv"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, target], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(OutputError, match=rf"process {holder.pid}\) is writing"):
            lock_output(target)
        holder.kill()
    assert [path.name for path in tmp_path.iterdir()] == [".a.csv.lock"]
    lock_output(target).release()
    assert list(tmp_path.iterdir()) == []


def test_processes_that_come_and_go_never_hold_a_file_together(tmp_path):
    command = [sys.executable, "-c", CONTENDER, tmp_path / "a.csv"]
    contenders = [subprocess.Popen(command) for _ in range(3)]
    assert [contender.wait(120) for contender in contenders] == [0, 0, 0]


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_network_folder_without_locks_stops_nobody(tmp_path, monkeypatch, code):
    fcntl = pytest.importorskip("fcntl", reason="this system locks otherwise")

    def no_locks(descriptor, operation):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with lock_output(tmp_path / "a.csv"), lock_output(tmp_path / "a.csv"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_named_and_not_made(tmp_path):
    with pytest.raises(OutputError, match=r"cannot write .*none.a\.csv \(No such file or directory\); choose another"):
        lock_output(tmp_path / "none" / "a.csv")
    assert list(tmp_path.iterdir()) == []
