import os
import signal
import subprocess
import sys
import time

import pytest

PROGRAM = """
import os, sys, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from vlfau.files.workers import follow_parent


def work(_):
    time.sleep(0.05)
    return os.getpid()


if __name__ == "__main__":
    with ProcessPoolExecutor(2, get_context("spawn"), follow_parent) as pool:
        print(*set(pool.map(work, range(8))), flush=True)
        time.sleep(60)
"""


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill so")
def test_workers_end_with_their_parent(tmp_path):
    script = tmp_path / "pool.py"
    script.write_text(PROGRAM)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as process:
        workers = [int(word) for word in process.stdout.readline().split()]
        assert workers
        process.kill()
    deadline = time.monotonic() + 10
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, workers))
