"""Worker processes that do not outlive the process that started them."""

import os
import threading
from multiprocessing import parent_process

__all__ = ["follow_parent"]


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
