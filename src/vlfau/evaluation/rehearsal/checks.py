"""The list of checks of a rehearsal: a failure is recorded, and the next check runs."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

import torch

from vlfau.errors import VlfauError, first_line

__all__ = ["Check", "Checklist", "OnCheckEnd", "OnCheckStart", "Outcome", "Status"]

Value = TypeVar("Value")
OUT_OF_MEMORY = (
    "not enough memory; lower run.batch_size and raise run.accumulate_batches by the same factor, which "
    "keeps the number of faces per step, or set run.precision=bf16-mixed"
)


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Attributes:
        name: Name of the check.
        status: How it ended.
        message: What was found; for a problem, also the remedy.
    """

    name: str
    status: Status
    message: str


OnCheckStart = Callable[[str], None]
OnCheckEnd = Callable[[Check], None]


@dataclass(frozen=True)
class Outcome(Generic[Value]):
    """What a check returns: a value for later steps, and a sentence for the user."""

    value: Value
    message: str
    status: Status = Status.OK


class Checklist:
    """Runs checks and collects their results.

    Args:
        on_start: Called with the name of each check before it runs.
        on_end: Called with the result of each check.
    """

    def __init__(self, on_start: OnCheckStart, on_end: OnCheckEnd) -> None:
        self.checks: list[Check] = []
        self._on_start, self._on_end = on_start, on_end

    def run(self, name: str, check: Callable[[], Outcome[Value]]) -> Value | None:
        """Run one check.

        Returns:
            Its value; None if it failed, which is recorded as a problem.
        """
        self._on_start(name)
        try:
            outcome = check()
        except VlfauError as error:
            self.add(name, Status.PROBLEM, str(error))
        except (MemoryError, torch.OutOfMemoryError):
            self.add(name, Status.PROBLEM, OUT_OF_MEMORY)
        except OSError as error:
            self.add(name, Status.PROBLEM, f"{error}; free space, or check the path")
        except Exception as error:  # Any error here would stop the real run hours later.
            self.add(name, Status.PROBLEM, f"{type(error).__name__}: {first_line(error)}; the real run would stop here")
        else:
            self.add(name, outcome.status, outcome.message)
            return outcome.value
        return None

    def add(self, name: str, status: Status, message: str) -> None:
        """Record the result of a check."""
        self.checks.append(Check(name, status, message))
        self._on_end(self.checks[-1])
