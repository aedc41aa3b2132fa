"""Times whole processes and measures their peak memory."""

import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Process", "run", "run_python"]

SAMPLE_S = 0.02


@dataclass(frozen=True)
class Process:
    """Wall time of a process in seconds, and its peak resident memory in MB (0 where the system does not report it)."""

    seconds: float
    memory_mb: float


def run_python(arguments: Sequence[str]) -> Process:
    """Run this Python with some arguments and wait for it.

    Raises:
        RuntimeError: The process failed; the message has the last line of its output.
    """
    return run([sys.executable, *arguments])


def run(
    command: Sequence[str], *, environment: Mapping[str, str] | None = None, timeout_s: float = math.inf
) -> Process:
    """Run a program and wait for it.

    Args:
        command: The program and its arguments.
        environment: Environment variables; None uses those of this process.
        timeout_s: Seconds after which the program is killed.

    Raises:
        OSError: There is no such program.
        RuntimeError: The program failed or took too long; the message has the last line of its output.
    """
    start = time.perf_counter()
    # The output goes to a file: a pipe that is not read would fill up and block the program.
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=output) as process,
    ):
        memory_mb = 0.0
        while process.poll() is None:
            memory_mb = max(memory_mb, _resident_mb(process.pid))
            if time.perf_counter() - start > timeout_s:
                process.kill()
                raise RuntimeError(f"took more than {timeout_s:g} s")
            time.sleep(SAMPLE_S)
        seconds = time.perf_counter() - start
        output.seek(0)
        lines = output.read().decode(errors="replace").strip().splitlines() or ["no output"]
    if process.returncode:
        raise RuntimeError(f"exit code {process.returncode}, {lines[-1][:200]}")
    return Process(seconds, memory_mb)


def _resident_mb(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
