"""What runs cost: their work at the rates that were measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vlfau.evaluation.rehearsal.rates import Rates
from vlfau.evaluation.rehearsal.work import RunWork

__all__ = ["RunCost", "cost_of", "disk_need", "step_seconds"]


@dataclass(frozen=True)
class RunCost:
    """The seconds that one run takes.

    Attributes:
        work: What it does.
        training: Its steps, and what it writes after every epoch.
        validation: All its validations.
        evaluation: The test fold in numbers, and the start of training and evaluation.
        describing: The words and their scores.
    """

    work: RunWork
    training: float
    validation: float
    evaluation: float
    describing: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.training + self.validation + self.evaluation + self.describing


def cost_of(work: RunWork, rates: Rates, *, num_workers: int) -> RunCost:
    """Return what a run costs.

    Args:
        work: What it does.
        rates: How fast its network is here.
        num_workers: Processes that load faces while the network trains; 0 loads in between.
    """
    speaking = rates.speak.per_face + rates.score if rates.speak is not None else 0.0
    return RunCost(
        work=work,
        training=work.steps * step_seconds(rates, num_workers) + work.epochs * rates.save,
        validation=work.validated * rates.validate.per_face,
        evaluation=work.tested * rates.see.per_face + rates.start,
        describing=work.described * speaking,
    )


def step_seconds(rates: Rates, num_workers: int) -> float:
    """Return how long a step takes with the loading of its faces: the slower of both where processes load ahead."""
    loading = rates.load * rates.step.wanted
    if num_workers == 0:
        return rates.step.seconds + loading
    return max(rates.step.seconds, loading / num_workers)


def disk_need(works: Sequence[RunWork], rates: Mapping[str, Rates]) -> int:
    """Return the bytes that runs leave, with what one of them needs more while it replaces its files."""
    need, most = 0.0, 0
    for work in works:
        sizes = rates[work.network].sizes
        need += sizes.checkpoint + sizes.resume
        need += work.tested * sizes.answers_per_frame + work.described * sizes.words_per_frame
        most = max(most, sizes.checkpoint + sizes.resume)
    return round(need + most)
