"""One writer per file: a lock that ends with the process that holds it, however that process ends."""

import errno
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from vlfau.errors import OutputError
from vlfau.files.names import check_is_local, printable

if TYPE_CHECKING:
    from filelock import FileLock

__all__ = ["OutputLock", "lock_output"]

_NO_LOCKS_HERE: Final = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}
"""Errors of network folders that do not support locks; files there are written without a lock."""
_RETRY_S: Final = 0.2
"""A holder deletes its lock file just before it lets go; whoever opened that file meanwhile must open it again."""


class OutputLock:
    """Holds a file for one writer until `release`, or until its `with` block or its process ends.

    Args:
        lock: The lock of the operating system; None where the folder has no locks.
        path: The lock file.
    """

    def __init__(self, lock: "FileLock | None", path: Path) -> None:
        self._lock, self._path = lock, path
        self._is_held = True

    def __enter__(self) -> Self:
        """Return the lock itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Release the lock."""
        self.release()

    def release(self) -> None:
        """Let the next writer in; a second call does nothing."""
        if not self._is_held:
            return
        self._is_held = False
        try:
            if sys.platform != "win32":
                self._path.unlink(missing_ok=True)  # Windows cannot delete an open file; filelock deletes it there.
        finally:
            if self._lock is not None:
                self._lock.release()


def lock_output(target: Path) -> OutputLock:
    """Lock a file for writing, with a hidden lock file beside it.

    The operating system releases the lock when its process dies, so leftover lock files do no harm.

    Args:
        target: The file that will be written. Its folder must exist.

    Returns:
        The lock, which can be used as a context manager.

    Raises:
        OutputError: Another process is writing the file, its folder cannot be written, or it is a web address.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 - most commands write nothing and need no lock

    check_is_local(target)
    path = target.with_name(f".{target.name}.lock")
    lock = FileLock(path, thread_local=False, fallback_to_soft=False, on_acquired=_write_process_id)
    try:
        target.parent.stat()  # filelock would make a folder whose name is mistyped.
        lock.acquire(timeout=_RETRY_S, poll_interval=_RETRY_S / 10)
    except Timeout:
        raise OutputError(
            f"another run{_holder(path)} is writing {printable(target)}; wait until it ends, or choose another name"
        ) from None
    except OSError as error:
        if error.errno in _NO_LOCKS_HERE:
            return OutputLock(None, path)
        raise OutputError(
            f"cannot write {printable(target)} ({error.strerror or error}); choose another folder"
        ) from None
    return OutputLock(lock, path)


def _write_process_id(descriptor: int) -> None:
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())


def _holder(path: Path) -> str:
    try:
        return f" (process {int(path.read_text('ascii'))})"
    except (OSError, ValueError):  # Windows does not allow reading a locked file.
        return ""
