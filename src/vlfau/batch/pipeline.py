"""Runs units through a pool of workers, as a Ray data set.

One unit is one block, and one block waits at each worker, so a free worker takes the next one. Ray restarts dead
workers and reassigns their units.
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
    """Yield the outcomes of each unit as soon as it is done, as text for `read`.

    Args:
        job: Settings shared by all workers.
        units: Units as JSON.
        workers: Number of workers; None is one per core.
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
    """Return the outcomes of a unit's files.

    Raises:
        InputError: The run must stop, because all other units would fail too.
    """
    answer = json.loads(text)
    if "stop" in answer:
        raise InputError(answer["stop"])
    return [Outcome.from_cells(cells) for cells in answer["outcomes"]]


class _Relay:
    """Drives a data set for a driver outside the cluster."""

    def __init__(self, job: Job, units: Sequence[str], workers: int) -> None:
        self._rows = _rows(job, units, workers)

    def next(self) -> str | None:
        return next(self._rows, None)


class RowWorker:
    """A worker whose units and outcomes are rows of a data set.

    Args:
        job: Settings shared by all workers.
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
