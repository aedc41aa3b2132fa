"""Whole processes, timed from outside, with the most memory that they took."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Process", "run_python"]

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
    start = time.perf_counter()
    with subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        memory_mb = 0.0
        while process.poll() is None:
            memory_mb = max(memory_mb, _resident_mb(process.pid))
            time.sleep(SAMPLE_S)
        seconds = time.perf_counter() - start
        assert process.stderr is not None
        words = process.stderr.read().decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed: {words[-500:]}")
    return Process(seconds, memory_mb)


def _resident_mb(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
