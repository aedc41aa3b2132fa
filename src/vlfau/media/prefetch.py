"""Work that runs ahead of its user, in a thread."""

import threading
from collections.abc import Generator, Iterable
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import Final, TypeVar

__all__ = ["prefetch"]

T = TypeVar("T")
_PATIENCE_S: Final = 0.1
_END: Final = object()


def prefetch(items: Iterable[T], size: int, *, drop: bool = False) -> Generator[T]:
    """Yield what an iterable yields, while a thread already makes the next items.

    An error of the iterable is raised after the items that came before it. When the generator is closed, the
    thread has ended.

    Args:
        items: Is used in the thread only, and closed there.
        size: The most items that wait.
        drop: Let the newest item replace those that wait, instead of waiting for its turn.
    """
    waiting: Queue[object] = Queue(size)
    errors: list[BaseException] = []
    stopped = threading.Event()

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
            if isinstance(source, Generator):
                source.close()
            put(_END)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while (item := waiting.get()) is not _END:
            yield item  # type: ignore[misc]
        if errors:
            raise errors[0]
    finally:
        stopped.set()
        thread.join()
