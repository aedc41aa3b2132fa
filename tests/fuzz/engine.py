"""The parent: gives inputs to a child, watches it, and starts another when it dies or hangs."""

import multiprocessing
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

from tests.fuzz.child import Verdict, memory_of, serve

MB = 1 << 20
FINE = ("accepted", "refused")


@dataclass(frozen=True)
class Limits:
    """What an input may take.

    Attributes:
        seconds: For an input.
        opening_s: For the imports and undamaged files of a kind.
        memory: Bytes that the child may hold while it reads one.
        growth: Bytes by which the child may have grown over a kind, after its first inputs.
    """

    seconds: float = 120.0
    opening_s: float = 300.0
    memory: int = 3000 * MB
    growth: int = 300 * MB


@dataclass(frozen=True)
class Failure:
    """An input that was neither accepted nor refused, and where its files are kept."""

    kind: str
    number: int
    outcome: str
    detail: str
    files: Path | None


@dataclass
class Tally:
    """What became of the inputs of a kind."""

    kind: str
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    slowest_s: float = 0.0
    peak: int = 0
    taken: int = 0
    settled: list[int] = field(default_factory=list)


class Engine:
    """Tries inputs in a child process.

    Args:
        work: A folder for the child's files; made if it is missing.
        keep: Where to keep the inputs that fail.
        seed: Of all damage.
        limits: What an input may take.
    """

    def __init__(self, work: Path, keep: Path, *, seed: int = 0, limits: Limits | None = None) -> None:
        self._work, self._keep, self._seed, self._limits = work, keep, seed, limits or Limits()
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None
        self._opened: set[str] = set()
        self._peak = 0

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def run(
        self, numbers: Mapping[str, Iterable[int]], show: Callable[[Tally], None] = lambda tally: None
    ) -> list[Tally]:
        """Try inputs by kind and number; `show` is called after each."""
        tallies = []
        for name, wanted in numbers.items():
            tally = Tally(name)
            tallies.append(tally)
            for number in wanted:
                verdict = self._opened_for(name) or self._ask(("try", name, number), self._limits.seconds)
                self._count(tally, number, verdict)
                show(tally)
                if verdict.outcome == "not accepted undamaged":
                    break
            self._check_growth(tally)
        return tallies

    def _count(self, tally: Tally, number: int, verdict: Verdict) -> None:
        tally.outcomes[verdict.outcome] += 1
        tally.slowest_s = max(tally.slowest_s, verdict.seconds)
        tally.peak = max(tally.peak, self._peak, verdict.memory or 0)
        tally.taken = max(tally.taken, verdict.taken)
        if verdict.memory:
            tally.settled.append(verdict.memory)
        if verdict.outcome not in FINE:
            files = self._kept(tally.kind, number)
            tally.failures.append(Failure(tally.kind, number, verdict.outcome, verdict.detail, files))

    def _check_growth(self, tally: Tally) -> None:
        settled = tally.settled
        if len(settled) >= 4 and min(settled[-3:]) - settled[0] > self._limits.growth:
            detail = f"{settled[0] // MB} MB became {min(settled[-3:]) // MB} MB"
            tally.failures.append(Failure(tally.kind, -1, "grew over all inputs", detail, None))

    def _opened_for(self, name: str) -> Verdict | None:
        """Make a child ready for a kind; return what went wrong."""
        if self._process is None:
            self._start()
        if name in self._opened:
            return None
        self._opened.add(name)
        verdict = self._ask(("open", name, 0), self._limits.opening_s)
        if verdict.outcome == "accepted":
            return None
        return Verdict("not accepted undamaged", f"{verdict.outcome} {verdict.detail}".strip())

    def _start(self) -> None:
        self._work.mkdir(parents=True, exist_ok=True)
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, self._work, self._seed), daemon=True)
        self._process.start()
        theirs.close()
        self._opened.clear()

    def _ask(self, order: tuple[str, str, int], seconds: float) -> Verdict:
        """Give an order, and watch the child until it answers, dies, hangs or takes too much memory."""
        assert self._connection is not None
        assert self._process is not None
        began, self._peak = time.monotonic(), 0
        try:
            self._connection.send(order)
            while not self._connection.poll(0.02):
                waited = time.monotonic() - began
                self._peak = max(self._peak, memory_of(self._process.pid or 0))
                if waited > seconds:
                    return self._lost(Verdict("hung", f"for {seconds:g} s", waited))
                if self._peak > self._limits.memory:
                    return self._lost(Verdict("took memory", f"{self._peak // MB} MB", waited))
            verdict: Verdict = self._connection.recv()
        except (EOFError, OSError):
            self._process.join()
            code = self._process.exitcode or 0
            cause = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            return self._lost(Verdict("died", f"{cause}; {self._last_words()}"))
        return verdict

    def _lost(self, verdict: Verdict) -> Verdict:
        self._end()
        return verdict

    def _last_words(self) -> str:
        log = self._work / "log"
        lines = log.read_text("utf-8", "replace").strip().splitlines() if log.exists() else []
        return lines[-1][:200] if lines else ""

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None
        if self._connection is not None:
            self._connection.close()

    def _kept(self, kind: str, number: int) -> Path | None:
        if not (self._work / "input").exists():
            return None
        folder = self._keep / f"{kind}-{self._seed}-{number}"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self._work / "input", folder, symlinks=True)
        return folder
