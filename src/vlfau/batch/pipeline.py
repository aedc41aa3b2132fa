"""Units through a pool of workers, as a Ray data set.

One unit is one block, and one block waits at a worker: whoever is free takes the next one. Ray starts a worker that
died anew and gives its unit out again.
"""

import json
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from vlfau.batch.inputs import Unit
from vlfau.batch.journal import Outcome
from vlfau.batch.worker import Job, StopRunError, Worker
from vlfau.errors import InputError

__all__ = ["RowWorker", "outcomes", "read"]


def outcomes(job: Job, units: Sequence[str], workers: int | None) -> Iterator[str]:
    """Yield what became of each unit as soon as it is done: a text that `read` reads.

    Args:
        job: What the workers share.
        units: As JSON.
        workers: How many; None takes one a core.
    """
    ray = import_module("ray")
    count = min(workers or int(ray.cluster_resources().get("CPU", 1)), len(units))
    if not ray.util.client.ray.is_connected():
        yield from _rows(job, units, count)
        return
    # A data set must be driven from inside the cluster.
    relay = ray.remote(num_cpus=0)(_Relay).remote(job, units, count)
    try:
        while (text := ray.get(relay.next.remote())) is not None:
            yield text
    finally:
        ray.kill(relay)


def read(text: str) -> list[Outcome]:
    """Return what became of the files of a unit.

    Raises:
        InputError: The run must stop, because no other unit would do better.
    """
    answer = json.loads(text)
    if "stop" in answer:
        raise InputError(answer["stop"])
    return [Outcome.from_cells(cells) for cells in answer["outcomes"]]


class _Relay:
    """Drives a data set on behalf of a driver that is no part of the cluster."""

    def __init__(self, job: Job, units: Sequence[str], workers: int) -> None:
        self._rows = _rows(job, units, workers)

    def next(self) -> str | None:
        return next(self._rows, None)


class RowWorker:
    """A worker whose units and outcomes are rows of a data set.

    Args:
        job: What all workers share.
    """

    def __init__(self, job: Job) -> None:
        self._worker = Worker(job)

    def __call__(self, row: dict[str, Any]) -> dict[str, str]:
        """Process a unit."""
        try:
            found = self._worker.process(Unit.from_json(row["unit"]))
        except StopRunError as error:
            return {"answer": json.dumps({"stop": str(error)})}
        return {"answer": json.dumps({"outcomes": [outcome.to_cells() for outcome in found]})}


def _rows(job: Job, units: Sequence[str], workers: int) -> Iterator[str]:
    data: Any = import_module("ray.data")
    context = data.DataContext.get_current()
    context.enable_progress_bars = context.print_on_execution_start = False
    rows = data.from_items([{"unit": unit} for unit in units], override_num_blocks=len(units)).map(
        RowWorker,
        fn_constructor_args=(job,),
        compute=data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=1),
        num_cpus=1,
    )
    for row in rows.iter_rows():
        yield row["answer"]
