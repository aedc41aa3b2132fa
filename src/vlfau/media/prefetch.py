"""Iterables that a thread reads ahead, and functions that threads compute ahead."""

import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, suppress
from functools import partial
from queue import Empty, Full, Queue
from typing import Final, TypeVar

__all__ = ["prefetch", "prefetch_map"]

S = TypeVar("S")
T = TypeVar("T")
_PATIENCE_S: Final = 0.1
_END: Final = object()


def prefetch(items: Iterable[T], size: int, *, drop: bool = False) -> Generator[T]:
    """Yield the items of an iterable, while a thread already makes the next ones.

    An error of the iterable is raised after the items before it. Closing the generator ends the thread.

    Args:
        items: Used and closed in the thread only.
        size: Largest number of waiting items.
        drop: Drop waiting items for the newest one instead of making it wait.
    """
    waiting: Queue[object] = Queue(size)
    errors: list[BaseException] = []
    stopped, ended = threading.Event(), threading.Event()

    def put(item: object) -> None:
        while not stopped.is_set():
            with suppress(Full):
                waiting.put(item, timeout=0 if drop and item is not _END else _PATIENCE_S)
                return
            if drop and item is not _END:
                with suppress(Empty):
                    waiting.get_nowait()

    def work() -> None:
        source = iter(items)
        try:
            for item in source:
                put(item)
                if stopped.is_set():
                    return
        except BaseException as error:
            errors.append(error)
        finally:
            try:
                if isinstance(source, Generator):
                    source.close()
                put(_END)
            finally:
                ended.set()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while (item := waiting.get()) is not _END:
            yield item  # type: ignore[misc]
        if errors:
            raise errors[0]
    finally:
        stopped.set()
        if not sys.is_finalizing():  # Python has cut the thread off by then.
            _patiently(ended.wait)
            thread.join()


def prefetch_map(function: Callable[[S], T], items: Generator[S], threads: int) -> Generator[T]:
    """Yield a function's values for all items, in their order, while threads already compute the next ones.

    Errors, also those of the items, are raised after the values before them. Closing the generator ends the threads.

    Args:
        function: Called in several threads at once.
        items: Used and closed in one further thread only.
        threads: Number of values that are computed at the same time, while the caller uses another. With 0, each is
            computed when it is asked for, without any thread.
    """
    if not threads:
        with closing(items):
            yield from map(function, items)
        return

    unseen: deque[Future[T]] = deque()

    def begun() -> Generator[Future[T]]:
        with closing(items):
            for item in items:
                future = pool.submit(function, item)
                unseen.append(future)
                yield future

    with ThreadPoolExecutor(threads) as pool:
        try:
            with closing(prefetch(begun(), max(1, threads - 1))) as futures:
                for future in futures:
                    value = future.result()
                    unseen.popleft()
                    yield value
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            _patiently(partial(wait, [future for future in unseen if not future.cancelled()]))


def _patiently(wait_for_threads: Callable[[], object]) -> None:
    """Wait for threads to end, also if Ctrl-C is pressed meanwhile: the end of Python would cut them off.

    A second Ctrl-C ends the wait, since a camera may never answer.
    """
    try:
        wait_for_threads()
    except KeyboardInterrupt:
        wait_for_threads()
        raise
