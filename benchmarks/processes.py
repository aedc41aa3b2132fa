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
    """What a process took; memory and CPU time are 0 where the system does not report them.

    Attributes:
        seconds: Wall time.
        memory_mb: Peak resident memory in MB.
        cpu_seconds: CPU time of all its threads, and of the processes that it waited for.
    """

    seconds: float
    memory_mb: float
    cpu_seconds: float = 0.0


def run_python(arguments: Sequence[str]) -> Process:
    """Run this Python with some arguments and wait for it; it keeps bytecode, as an installed package does.

    Raises:
        RuntimeError: The process failed; the message has the last line of its output.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return run([sys.executable, *arguments], environment=environment)


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
    start, cpu_before = time.perf_counter(), _cpu_of_children()
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
    return Process(seconds, memory_mb, _cpu_of_children() - cpu_before)


def _cpu_of_children() -> float:
    """Return the CPU seconds of all processes that this one has waited for."""
    times = os.times()
    return times.children_user + times.children_system


def _resident_mb(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
