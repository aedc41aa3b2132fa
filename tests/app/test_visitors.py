import asyncio
import time
from types import SimpleNamespace

import pytest

pytest.importorskip("gradio", reason="gradio is not installed: pip install 'vlfau[app]'")

from gradio.context import LocalContext

from vlfau.app.visitors import Visitors, is_gone


class Queue:
    """Gradio's queue as far as `Visitors` uses it: two jobs wait and one runs."""

    max_size = 3

    def __init__(self):
        self.waiting = [job("a", "session a"), job("b", "session b")]
        self.running = job("c", "session c")
        self.event_queue_per_concurrency_id = {"videos": SimpleNamespace(queue=self.waiting)}
        self.active_jobs = [None, [self.running]]
        self.pending_event_ids_session = {each.session_hash: {each._id} for each in (*self.waiting, self.running)}
        self.pending_messages_per_session = dict.fromkeys(self.pending_event_ids_session)

    def __len__(self):
        return len(self.waiting)

    async def clean_events(self, *, event_id):
        self.waiting[:] = [each for each in self.waiting if each._id != event_id]
        if self.running._id == event_id:
            self.running.alive = False


def job(name, session):
    return SimpleNamespace(
        _id=name, session_hash=session, alive=True, closed=False, enqueue_time=time.monotonic(), signal=asyncio.Event()
    )


def test_jobs_that_nobody_waits_for_are_cancelled_after_a_while():
    queue = Queue()
    visitors = Visitors(queue, max_bytes=100, grace_s=0.2)

    async def visit():
        with visitors.waiting_for("b"):  # A program waits for its job, a browser for its session.
            with visitors.waiting_for("session c"):
                await visitors.cancel_abandoned()
                assert len(queue) == 2
                await asyncio.sleep(0.25)
                await visitors.cancel_abandoned()
            assert [each._id for each in queue.waiting] == ["b"]
            assert queue.running.alive
            await visitors.cancel_abandoned()
            assert queue.running.alive  # It may come back.
            await asyncio.sleep(0.25)
            await visitors.cancel_abandoned()
        assert not queue.running.alive
        assert queue.running.closed
        assert set(queue.pending_messages_per_session) == {"session b"}

    asyncio.run(visit())


def test_the_memory_of_a_request_is_free_again_when_it_ends_or_its_job_does():
    queue = Queue()
    visitors = Visitors(queue, max_bytes=100, grace_s=60)
    assert visitors.reserve(60)
    assert not visitors.reserve(60)
    visitors.release(60)
    assert visitors.reserve(60)
    visitors.release(60, job="a")
    assert not visitors.reserve(60)
    asyncio.run(visitors.cancel_abandoned())
    assert not visitors.reserve(60)
    queue.waiting.clear()
    asyncio.run(visitors.cancel_abandoned())
    assert visitors.reserve(60)


def test_a_job_can_tell_whether_its_visitor_has_left():
    queue = Queue()
    assert not is_gone()
    LocalContext.blocks.set(SimpleNamespace(_queue=queue))
    LocalContext.event_id.set("c")
    try:
        assert not is_gone()
        queue.running.alive = False
        assert is_gone()
    finally:
        LocalContext.event_id.set(None)
        LocalContext.blocks.set(None)


def test_a_queue_without_room_is_full():
    queue = Queue()
    assert not Visitors(queue, max_bytes=1).is_queue_full
    queue.waiting.append(job("d", "d"))
    assert Visitors(queue, max_bytes=1).is_queue_full
