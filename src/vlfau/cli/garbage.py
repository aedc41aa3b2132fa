"""No search for garbage where there is none: while a command imports what it needs, and when it ends.

The two take a fifth of a short command.
"""

import atexit
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quick_end", "quick_imports"]


@contextmanager
def quick_imports() -> Iterator[None]:
    """Import without looking for garbage meanwhile; modules are none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def quick_end() -> None:
    """End this process without looking for garbage: the system takes back all memory anyway."""
    atexit.register(_keep_garbage)


def _keep_garbage() -> None:
    # Libraries of the training half complain of what is still there at the end.
    if "torch" not in sys.modules:
        gc.freeze()
