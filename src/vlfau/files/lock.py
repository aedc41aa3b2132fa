"""One writer a file: a lock that ends with the process that holds it, however that ends."""

import errno
import os
import sys
from pathlib import Path
from typing import Final

from vlfau.errors import OutputError
from vlfau.files.names import printable

__all__ = ["FileLock"]

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


_HELD: Final = {errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK}
_NO_LOCKS_HERE: Final = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}
"""What some network folders say; nothing can be held there, and refusing to write would help nobody."""


class FileLock:
    """Holds a target file for one writer; a lock file lies beside it meanwhile.

    The operating system drops the lock when its process dies, so a lock file that is left over stops nobody.

    Args:
        target: The file that will be written.

    Raises:
        OutputError: Another writer holds it, or the folder cannot be written.
    """

    def __init__(self, target: Path) -> None:
        self._path = target.with_name(f".{target.name}.lock")
        self._descriptor: int | None = None
        try:
            while self._descriptor is None:
                self._descriptor = self._acquire()
        except OSError as error:
            if error.errno in _HELD:
                raise OutputError(
                    f"another run{self._holder()} is writing {printable(target)}; wait until it ends, or choose "
                    "another place"
                ) from None
            raise OutputError(
                f"cannot write {printable(target)} ({error.strerror or error}); choose another place"
            ) from None

    def release(self) -> None:
        """Let the next writer in; a second call does nothing."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        try:
            if sys.platform != "win32":
                self._path.unlink(missing_ok=True)  # Windows deletes no open file.
        finally:
            os.close(descriptor)

    def _acquire(self) -> int | None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            try:
                _try_lock(descriptor)
            except OSError as error:
                if error.errno not in _NO_LOCKS_HERE:
                    raise
            # Its last holder may have deleted the file between the two steps above.
            if os.path.samestat(os.fstat(descriptor), self._path.stat()):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, str(os.getpid()).encode())
                return descriptor
        except FileNotFoundError:
            pass
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)
        return None

    def _holder(self) -> str:
        try:
            return f" (process {int(self._path.read_text('ascii'))})"
        except (OSError, ValueError):
            return ""
