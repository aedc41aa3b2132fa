"""Who still waits for an answer: jobs of visitors who left are cancelled, and their memory is given back."""

import math
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

__all__ = ["Visitors", "is_gone"]

_GRACE_S: Final = 5.0
"""How long a job may be without a connection that waits for it: programs ask for their answer in a second request."""


class Visitors:
    """Follows the connections that wait for answers; its methods run in the server's event loop.

    Args:
        queue: Gradio's queue of jobs.
        max_bytes: Maximum total size of request bodies, both arriving and waiting in the queue.
        grace_s: How long a job may be without a connection that waits for it, in seconds.
    """

    def __init__(self, queue: Any, *, max_bytes: int, grace_s: float = _GRACE_S) -> None:
        self._queue, self._max_bytes, self._grace_s = queue, max_bytes, grace_s
        self._streams: Counter[str] = Counter()
        self._left_s: dict[str, float] = {}
        self._arriving = 0
        self._bodies: dict[str, int] = {}

    @property
    def is_queue_full(self) -> bool:
        """Whether further jobs would be refused."""
        return self._queue.max_size is not None and len(self._queue) >= self._queue.max_size

    @contextmanager
    def waiting_for(self, key: str) -> Iterator[None]:
        """Note that a connection waits for a session or a job while the block runs."""
        self._streams[key] += 1
        try:
            yield
        finally:
            self._streams[key] -= 1
            if not self._streams[key]:
                del self._streams[key]
                self._left_s[key] = time.monotonic()

    def reserve(self, size: int) -> bool:
        """Reserve memory for the body of a request, if there is enough."""
        if self._arriving + sum(self._bodies.values()) + size > self._max_bytes:
            return False
        self._arriving += size
        return True

    def release(self, size: int, *, job: str | None = None) -> None:
        """Give reserved memory back, now or when this job has ended."""
        self._arriving -= size
        if job is not None:
            self._bodies[job] = self._bodies.get(job, 0) + size

    async def cancel_abandoned(self) -> None:
        """Remove waiting jobs that nobody waits for, and stop running ones."""
        now = time.monotonic()
        jobs = _jobs(self._queue)
        for job in jobs:
            if any(key in self._streams for key in (job.session_hash, job._id)):
                continue
            left_s = max(self._left_s.get(key, 0.0) for key in (job.session_hash, job._id))
            if now - max(left_s, job.enqueue_time) > self._grace_s:
                await self._cancel(job)
        self._left_s = {key: left_s for key, left_s in self._left_s.items() if now - left_s <= self._grace_s}
        alive = {job._id for job in jobs}
        self._bodies = {job: size for job, size in self._bodies.items() if job in alive}

    async def _cancel(self, job: Any) -> None:
        await self._queue.clean_events(event_id=job._id)
        job.closed, job.run_time = True, math.inf  # Ends the session of a camera.
        job.signal.set()
        ids = self._queue.pending_event_ids_session.get(job.session_hash, set())
        ids.discard(job._id)
        if not ids:
            self._queue.pending_event_ids_session.pop(job.session_hash, None)
            self._queue.pending_messages_per_session.pop(job.session_hash, None)


def is_gone() -> bool:
    """Return whether the visitor has left for whom the current job runs; false outside of jobs."""
    from gradio.context import LocalContext  # noqa: PLC0415

    job, blocks = LocalContext.event_id.get(None), LocalContext.blocks.get(None)
    if job is None or blocks is None:
        return False
    running = [each for each in _running(blocks._queue) if each._id == job]
    return bool(running) and not any(each.alive for each in running)


def _jobs(queue: Any) -> list[Any]:
    waiting = [job for each in queue.event_queue_per_concurrency_id.values() for job in each.queue]
    return waiting + _running(queue)


def _running(queue: Any) -> list[Any]:
    return [job for jobs in list(queue.active_jobs) if jobs for job in jobs]
