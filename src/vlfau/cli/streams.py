"""Standard streams that may fail: a closed pipe, a full disk, no stream at all."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

__all__ = ["SturdyStream", "output_failure", "sturdy_streams"]


class SturdyStream:
    """Passes text on to a stream, until that fails; what comes later is dropped.

    Args:
        stream: The stream; None, as Python gives for a closed one, drops all.

    Attributes:
        failure: What went wrong; None while all is well.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self.failure: OSError | None = None if stream is not None else OSError(errno.EBADF, os.strerror(errno.EBADF))
        self._stream = open(os.devnull, "w", encoding="utf-8") if stream is None else stream  # noqa: PTH123, SIM115

    def write(self, text: str) -> int:
        """Write a text, or drop it."""
        if self.failure is None:
            with self._noting():
                return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what was written."""
        if self.failure is None:
            with self._noting():
                self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        """Be like the stream in everything else."""
        return getattr(self._stream, name)

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except UnicodeError:
            raise
        except (OSError, ValueError) as error:  # ValueError: it was closed.
            self.failure = error if isinstance(error, OSError) else OSError(errno.EBADF, str(error))
            with suppress(OSError, ValueError):  # What Python holds back for it must not fail again at the end.
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


@contextmanager
def sturdy_streams() -> Iterator[None]:
    """Let no failing standard stream stop the work."""
    _fill_closed_descriptors()
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = SturdyStream(before[0]), SturdyStream(before[1])
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before


def _fill_closed_descriptors() -> None:
    """Keep a file that is opened later from getting the number of a closed stream, and its messages."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def output_failure() -> OSError | None:
    """Return why the standard output takes nothing any more; None while it does."""
    return sys.stdout.failure if isinstance(sys.stdout, SturdyStream) else None
