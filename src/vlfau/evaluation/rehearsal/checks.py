"""What a rehearsal looks at, one thing after the other: a failure is noted, and the next thing is looked at."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

import torch

from vlfau.errors import VlfauError, first_line

__all__ = ["Begin", "Check", "Checklist", "Found", "Status", "Tell"]

Value = TypeVar("Value")
OUT_OF_MEMORY = (
    "there is not enough memory; lower run.batch_size and raise run.accumulate_batches by the same factor, which "
    "leaves the faces per step as they are, or set run.precision=bf16-mixed"
)


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What.
        status: How it ended.
        says: What was found; of a problem also the remedy.
    """

    name: str
    status: Status
    says: str


Begin = Callable[[str], None]
Tell = Callable[[Check], None]


@dataclass(frozen=True)
class Found(Generic[Value]):
    """What a check that passed leaves: a value for what comes after, and a sentence for the user."""

    value: Value
    says: str
    status: Status = Status.OK


class Checklist:
    """Collects checks.

    Args:
        begin: Is told the name of each before it begins.
        tell: Is told of each as soon as it has ended.
    """

    def __init__(self, begin: Begin, tell: Tell) -> None:
        self.checks: list[Check] = []
        self._begin, self._tell = begin, tell

    def run(self, name: str, work: Callable[[], Found[Value]]) -> Value | None:
        """Do one check.

        Returns:
            Its value; None where it failed, which is then noted as a problem.
        """
        self._begin(name)
        try:
            found = work()
        except VlfauError as error:
            self.add(name, Status.PROBLEM, str(error))
        except (MemoryError, torch.OutOfMemoryError):
            self.add(name, Status.PROBLEM, OUT_OF_MEMORY)
        except OSError as error:
            self.add(name, Status.PROBLEM, f"{error}; free space, or check the path")
        except Exception as error:  # Whatever breaks here would break the real run, hours later.
            self.add(name, Status.PROBLEM, f"{type(error).__name__}: {first_line(error)}; the real run would stop here")
        else:
            self.add(name, found.status, found.says)
            return found.value
        return None

    def add(self, name: str, status: Status, says: str) -> None:
        """Note how something ended."""
        self.checks.append(Check(name, status, says))
        self._tell(self.checks[-1])
