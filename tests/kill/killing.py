"""Kills commands at random moments, starts them again until they end, and compares what they leave."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.kill.starting import COMMAND_LINE, Started

MAX_SECONDS = 600.0
"""A tiny job that takes longer hangs."""
ORPHANS_S = 30.0
"""In which the processes of a killed command must have ended."""

Contents = Callable[[Path], Mapping[str, object]]


@dataclass(frozen=True)
class Job:
    """A command that can be gone on with.

    Attributes:
        words: Its words, for an output folder.
        contents: What of a folder must be the same, however often the command was killed.
        again: Words that go on with an earlier run; they must also begin one.
        program: Python code that runs the words; the command line itself, if there is none.
        code: The exit code of a run that ends.
        before: What an output folder holds before the first run; None for none.
        has_ended: Whether a killed run had finished its output, where another would be refused.
        others: Words of the runs before the last, drawn at random; None for the same as those of the last.
    """

    words: Callable[[Path], Sequence[object]]
    contents: Contents
    again: tuple[str, ...] = ()
    program: str = COMMAND_LINE
    code: int = 0
    before: Path | None = None
    has_ended: Callable[[Path], bool] = lambda out: False
    others: Callable[[Path, np.random.Generator], Sequence[object]] | None = None

    def make(self, out: Path) -> None:
        """Make the output folder as it is before the first run."""
        shutil.rmtree(out, ignore_errors=True)
        if self.before is not None:
            shutil.copytree(self.before, out)

    def start(self, out: Path, log: Path, words: Sequence[object] | None = None) -> Started:
        """Start a run with its own words or others."""
        found = [str(word) for word in (*(self.words(out) if words is None else words), *self.again)]
        return Started(found, log, program=self.program)


@dataclass(frozen=True)
class Timing:
    """How long an undisturbed run takes.

    Attributes:
        work_s: From the first change of its folder on.
        whole_s: From its start on.
    """

    work_s: float
    whole_s: float


def kills_wanted() -> int:
    """Return how often every command is to be killed: the variable VLFAU_KILLS, or 2."""
    return int(os.environ.get("VLFAU_KILLS", "2"))


def check_endures(job: Job, folder: Path, *, kills: int | None = None, seed: int = 0) -> list[int]:
    """Kill a job so often in all; a run that ends between two kills is compared, and another begun.

    Args:
        job: What to kill.
        folder: Where its runs may write.
        kills: How often; None asks `kills_wanted`.
        seed: Of the moments.

    Returns:
        How often each run was killed before it ended.
    """
    left = kills_wanted() if kills is None else kills
    rng = np.random.default_rng(seed)
    _undisturbed(job, folder / "first", folder / "log")  # Compiles what is compiled once, and takes longer for it.
    timing = _undisturbed(job, folder / "whole", folder / "log")
    expected = job.contents(folder / "whole")
    counts = []
    while left > 0:
        out, log = folder / "out", folder / f"log{len(counts)}"
        job.make(out)
        count = 0
        while left > 0 and not job.has_ended(out):
            was_killed = _killed(job, out, log, timing, rng)
            count, left = count + was_killed, left - was_killed
            if not was_killed and (job.others is None or rng.random() < 0.3):
                break
        if not count:  # Too late: this machine has less to do by now than when it was timed.
            timing = Timing(0.8 * timing.work_s, 0.8 * timing.whole_s)
        if not job.has_ended(out):
            _ended(job, out, log)
        found = job.contents(out)
        assert sorted(found) == sorted(expected)
        differing = [name for name in expected if found[name] != expected[name]]
        assert differing == [], f"after {count} kills {differing} differ; see {log}"
        counts.append(count)
    return counts


def _undisturbed(job: Job, out: Path, log: Path) -> Timing:
    job.make(out)
    began = time.time()
    process = job.start(out, log)
    while process.poll() is None and not _has_changed(out, began):
        time.sleep(0.01)
    first = time.time()
    _wait(process, log, job.code)
    return Timing(time.time() - first, time.time() - began)


def _killed(job: Job, out: Path, log: Path, timing: Timing, rng: np.random.Generator) -> bool:
    """Start a run and kill it at a random moment, mostly while it writes; return whether it lived till then."""
    began = time.time()
    process = job.start(out, log, None if job.others is None else job.others(out, rng))
    if rng.random() < 0.15:
        moment = began + rng.uniform(0, timing.whole_s)
    else:
        while process.poll() is None and not _has_changed(out, began):
            time.sleep(0.002)
        # Every second time early, while what an earlier run left is opened.
        moment = time.time() + timing.work_s * rng.uniform(0, 1 if rng.random() < 0.5 else 0.2)
    while process.poll() is None and time.time() < moment:
        time.sleep(0.002)
    if process.poll() is not None:
        codes = {job.code} if job.others is None else {0, job.code}
        assert process.returncode in codes, log.read_text("utf-8", "replace")[-3000:]
        return False
    # Alone as by a user, or with its workers as by a computer that is switched off.
    if rng.random() < 0.5:
        with suppress(ProcessLookupError):  # It has no group of its own yet.
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
    return True


def _ended(job: Job, out: Path, log: Path) -> None:
    process = job.start(out, log)
    _wait(process, log, job.code)


def _wait(process: Started, log: Path, code: int) -> None:
    try:
        assert process.wait(MAX_SECONDS) == code, log.read_text("utf-8", "replace")[-3000:]
    finally:
        with suppress(ProcessLookupError):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + ORPHANS_S
    while _lives(process.pid):
        assert time.monotonic() < deadline, f"processes of the group {process.pid} outlive their command"
        time.sleep(0.1)


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _has_changed(folder: Path, since: float) -> bool:
    """Say whether anything in a folder is younger than a moment."""
    for parent, folders, names in os.walk(folder):
        for name in (*names, *folders):
            with suppress(OSError):
                if Path(parent, name).stat().st_mtime >= since:
                    return True
    return False


def files_of(folder: Path, *, but: Callable[[str], bool] = lambda name: False) -> dict[str, bytes]:
    """Return every file of a folder and what it holds, but for some names; hidden and left-over files count."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    found = {path.relative_to(folder).as_posix(): path for path in paths}
    return {name: path.read_bytes() for name, path in found.items() if not but(name)}
