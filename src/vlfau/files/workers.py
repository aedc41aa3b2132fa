"""Worker processes: how many are allowed, and how they end with the process that started them."""

import os
import threading
from multiprocessing import parent_process
from numbers import Integral
from typing import Final

from vlfau.errors import ConfigError

__all__ = ["MAX_WORKERS", "check_number", "follow_parent", "is_whole_number"]

MAX_WORKERS: Final = max(64, 2 * (os.cpu_count() or 1))
"""Threads or processes. More would only wait for each other and fill the memory."""


def check_number(name: str, value: int, maximum: int) -> None:
    """Make sure that a number is at least 1 and at most a maximum.

    Args:
        name: Name of the option, for the message.
        value: The number.
        maximum: The largest number that makes sense.

    Raises:
        ConfigError: It is not a whole number, or out of range.
    """
    if not (is_whole_number(value) and 1 <= value <= maximum):
        raise ConfigError(f"{name} is {value!r}; give a number from 1 to {maximum}")


def is_whole_number(value: object) -> bool:
    """Say whether a value is a whole number, of Python or NumPy: a caller's types are not checked otherwise."""
    return isinstance(value, Integral)


def follow_parent() -> None:
    """End this worker process when its parent ends; an initialiser for a pool of processes.

    A worker that waits for work does not notice by itself that its parent has died.
    """
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
