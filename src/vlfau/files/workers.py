"""Workers: how many there may be, and processes that do not outlive the one that started them."""

import os
import threading
from multiprocessing import parent_process
from typing import Final

from vlfau.errors import ConfigError

__all__ = ["MAX_WORKERS", "check_number", "follow_parent"]

MAX_WORKERS: Final = max(64, 2 * (os.cpu_count() or 1))
"""Threads or processes; more would only wait for each other and fill the memory."""


def check_number(name: str, value: int, most: int) -> None:
    """Refuse a number that is below 1 or above what makes sense.

    Args:
        name: Of the option, for the error.
        value: The number.
        most: The largest that makes sense.

    Raises:
        ConfigError: It is out of range.
    """
    if not 1 <= value <= most:
        raise ConfigError(f"{name} is {value}; give a number from 1 to {most}")


def follow_parent() -> None:
    """End this worker as soon as its parent ends; an initialiser for a pool of processes.

    A worker that waits for work does not notice that nobody is left to give it any.
    """
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
