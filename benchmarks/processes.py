"""Whole processes, timed from outside, with the most memory that they took."""

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
    """What a process took: wall seconds, and its largest resident memory in MB, 0 where the system does not tell."""

    seconds: float
    memory_mb: float


def run_python(arguments: Sequence[str]) -> Process:
    """Run this Python with some arguments and wait for it.

    Raises:
        RuntimeError: The process failed; its last words are in the message.
    """
    return run([sys.executable, *arguments])


def run(
    command: Sequence[str], *, environment: Mapping[str, str] | None = None, patience_s: float = math.inf
) -> Process:
    """Run a program and wait for it.

    Args:
        command: The program and its arguments.
        environment: Its variables; None gives it those of this process.
        patience_s: After so long it is killed.

    Raises:
        OSError: There is no such program.
        RuntimeError: It failed, or took too long; its last line is in the message.
    """
    start = time.perf_counter()
    # Its words go into a file: a pipe that nobody reads would fill, and stop it.
    with (
        tempfile.TemporaryFile() as words,
        subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=words) as process,
    ):
        memory_mb = 0.0
        while process.poll() is None:
            memory_mb = max(memory_mb, _resident_mb(process.pid))
            if time.perf_counter() - start > patience_s:
                process.kill()
                raise RuntimeError(f"it takes more than {patience_s:g} s")
            time.sleep(SAMPLE_S)
        seconds = time.perf_counter() - start
        words.seek(0)
        lines = words.read().decode(errors="replace").strip().splitlines() or ["it says nothing"]
    if process.returncode:
        raise RuntimeError(f"exit code {process.returncode}, {lines[-1][:200]}")
    return Process(seconds, memory_mb)


def _resident_mb(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
