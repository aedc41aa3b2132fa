"""Interruption by signals: Ctrl-C, and SIGTERM, which is treated alike."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

__all__ = ["ending_well", "termination_as_interrupt"]

_ENDING: Final = (signal.SIGINT, signal.SIGTERM)

Handler = Callable[[int, FrameType | None], None]


@contextmanager
def termination_as_interrupt() -> Iterator[None]:
    """Raise KeyboardInterrupt on SIGTERM, which schedulers send, so that files are closed properly."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handling((signal.SIGTERM,), interrupt):
        yield


@contextmanager
def ending_well() -> Iterator[Callable[[], bool]]:
    """Make the first signal request a regular end, and a second one interrupt.

    Returns:
        Whether the end was asked for.
    """
    asked = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    with _handling(_ENDING, ask):
        yield asked.is_set


@contextmanager
def _handling(numbers: tuple[signal.Signals, ...], handler: Handler) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # Python requires it.
        yield
        return
    before = [(number, signal.signal(number, handler)) for number in numbers]
    try:
        yield
    finally:
        for number, old in before:
            signal.signal(number, old)
