"""The process that reads damaged inputs, and may die of them."""

import ctypes
import gc
import os
import shutil
import sys
import time
import traceback
import zlib
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from tests.fuzz import kinds
from vlfau.errors import VlfauError

ADDRESS_SPACE = 24 << 30
"""Bytes of addresses, so that an absurd size fails at once; torch alone reserves some 8 GB."""
PROGRAMS = (
    *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork"),
    *("socket.connect", "pickle.find_class"),
)
"""Events of the interpreter that no reader has a reason for."""
LOOK_EVERY = 20
"""Inputs between two looks at the memory that stays taken: a look is slower than most readers."""


@dataclass(frozen=True)
class Verdict:
    """What became of an input.

    Attributes:
        outcome: `accepted`, `refused`, or how it failed.
        detail: Where.
        seconds: How long it took.
        memory: Bytes that the child still held after it; None if that was not measured.
        taken: The most bytes that the child held meanwhile, over those that it held before.
    """

    outcome: str
    detail: str = ""
    seconds: float = 0.0
    memory: int | None = None
    taken: int = 0


def rng_of(name: str, seed: int, number: int) -> np.random.Generator:
    """Return the generator of an input: the same whatever was tried before."""
    return np.random.default_rng([seed, zlib.crc32(name.encode()), number])


def memory_of(pid: int | str = "self") -> int:
    """Return how much memory a process holds, in bytes; 0 where the system does not say."""
    with suppress(OSError, ValueError):
        return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


class _Peak:
    """The most memory that this process holds from some moment on; 0 where the system does not say."""

    def __init__(self) -> None:
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5", "ascii")
        self._before = self._now()

    def taken(self) -> int:
        """Return by how many bytes it rose."""
        return max(self._now() - self._before, 0)

    @staticmethod
    def _now() -> int:
        with suppress(OSError, ValueError, IndexError):
            status = Path("/proc/self/status").read_text("ascii", "replace")
            return int(status.partition("VmHWM:")[2].split()[0]) * 1024
        return 0


def serve(connection: Connection, work: Path, seed: int) -> None:
    """Answer ("open", kind) and ("try", kind, number) until the parent closes the connection."""
    _settle(work)
    watch = _Watch()
    sys.addaudithook(watch)
    opened: dict[str, kinds.Kind] = {}
    while True:
        try:
            order, name, number = connection.recv()
        except EOFError:
            return
        if order == "open":
            opened[name] = kinds.make(name, work / "seeds" / name, work / "touched")
            connection.send(_open(opened[name], name, work))
        else:
            connection.send(_try(opened[name], work, rng_of(name, seed, number), watch, number))


def _settle(work: Path) -> None:
    log = os.open(work / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1")
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
        Path("/proc/self/oom_score_adj").write_text("1000", "ascii")  # Should memory end, then nobody else's.


def _open(kind: kinds.Kind, name: str, work: Path) -> Verdict:
    """Make the undamaged files, unless an earlier child did, and make sure that they are accepted."""
    seeds = work / "seeds" / name
    if not (seeds / ".made").exists():
        shutil.rmtree(seeds, ignore_errors=True)
        seeds.mkdir(parents=True)
        kind.prepare()
        (seeds / ".made").touch()
    try:
        kind.read(kind.write(_emptied(work / "input"), None))
    except Exception:
        return Verdict("not accepted undamaged", traceback.format_exc())
    return Verdict("accepted", memory=memory_of())


def _try(kind: kinds.Kind, work: Path, rng: np.random.Generator, watch: "_Watch", number: int) -> Verdict:
    path = kind.write(_emptied(work / "input"), rng)
    began, peak = time.monotonic(), _Peak()
    outcome, detail = "accepted", ""
    watch.begin()
    try:
        kind.read(path)
    except VlfauError as error:
        outcome, detail = "refused", _fault_of_message(error)
        outcome = "refused badly" if detail else outcome
    except AssertionError as error:
        outcome, detail = "invalid result", _where(error)
    except BaseException as error:
        outcome, detail = "raised", _where(error)
    event = watch.end()
    if event or (work / "touched").exists():
        (work / "touched").unlink(missing_ok=True)
        outcome, detail = "executed", event
    seconds, taken = time.monotonic() - began, peak.taken()
    allowed = getattr(kind, "max_taken", None)
    if allowed is not None and taken > allowed:
        outcome, detail = "took memory", f"{taken >> 20} MB, of {allowed >> 20} allowed; {outcome} {detail}".strip()
    memory = _settled_memory() if number % LOOK_EVERY == LOOK_EVERY - 1 else None
    return Verdict(outcome, detail, seconds, memory, taken)


def _fault_of_message(error: VlfauError) -> str:
    text = str(error)
    try:
        text.encode()
    except UnicodeEncodeError:
        return f"a message that cannot be written: {text!r:.300}"
    return "" if text.strip() else "no message"


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if f"{os.sep}vlfau{os.sep}" in frame.filename] or frames[-1:]
    last = ours[-1]
    reason = " ".join(str(error).encode("utf-8", "backslashreplace").decode().split())
    return f"{type(error).__name__} ({reason:.200}) at {Path(last.filename).name}:{last.lineno}"


def _settled_memory() -> int:
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # What is free counts for nothing.
    return memory_of()


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


class _Watch:
    """Notices programs that start, and pickles that are read, while an input is read."""

    def __init__(self) -> None:
        self._on, self._event = False, ""

    def begin(self) -> None:
        self._on, self._event = True, ""

    def end(self) -> str:
        self._on = False
        return self._event

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._on and event.startswith(PROGRAMS):
            self._event = f"{event} {arguments!r:.200}"
