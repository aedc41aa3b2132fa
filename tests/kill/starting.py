"""Starts commands as processes of their own, which need not import everything anew: a server forks them."""

import io
import os
import sys
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from pathlib import Path

COMMAND_LINE = "import sys; from vlfau.cli import main; sys.exit(main(sys.argv[1:]))"
MODULES = (
    *(
        "vlfau.cli",
        "vlfau.runs.engine",
        "vlfau.video.stream",
        "vlfau.drawing.report",
        "vlfau.drawing.timeline",
        "vlfau.tables.parquet_writer",
    ),
    *(
        "vlfau.evaluation.ablation",
        "vlfau.evaluation.calibration",
        "vlfau.paper",
        "vlfau.export",
        "vlfau.prepare",
        "vlfau.synthetic",
        "vlfau.training.train",
    ),
)
"""What the server imports; the rest of its memory is that of a fresh process."""


def _forking() -> ForkServerContext:
    context = get_context("forkserver")
    context.set_forkserver_preload(list(MODULES))
    return context


class Started:
    """A command that runs.

    Args:
        words: The words of the command.
        log: What it prints is added here.
        program: Python code that runs the words, as in `sys.argv`.
        max_file: Size of the largest file that it may write, in bytes; None sets no limit.

    Attributes:
        pid: Number of the process, and of the group of all processes that it starts.
    """

    def __init__(
        self, words: list[str], log: Path, *, program: str = COMMAND_LINE, max_file: int | None = None
    ) -> None:
        self._process = _forking().Process(target=_run, args=(words, log, program, max_file))
        self._process.start()
        self.pid = self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        """The exit code; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        return self._process.exitcode

    def wait(self, seconds: float | None = None) -> int:
        """Wait for the end, and return the exit code.

        Raises:
            TimeoutError: It has not ended by then.
        """
        self._process.join(seconds)
        if self._process.exitcode is None:
            raise TimeoutError(f"process {self.pid} runs for more than {seconds} s")
        return self._process.exitcode

    def kill(self) -> None:
        """Kill the process alone."""
        self._process.kill()


def _run(words: list[str], log: Path, program: str, max_file: int | None) -> None:
    os.setsid()
    if max_file is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (max_file, max_file))
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), write_through=True)
    sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), write_through=True)
    sys.argv = ["-c", *words]
    exec(program, {"__name__": "__main__"})
