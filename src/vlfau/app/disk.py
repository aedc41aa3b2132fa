"""The folder of visitors' files, and the bytes that may lie in it."""

import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from vlfau.errors import OutputError
from vlfau.files.lock import lock_output

__all__ = ["Disk", "FullError", "own_folder", "sweep"]

_PREFIX: Final = "vlfau-app-"
_TOLERANCE_S: Final = 60.0
"""By how much a file may be younger than now."""
_BUSY: Final = "the server holds as many files as it can; try again in some minutes"


class FullError(Exception):
    """The folder has no room for more; the message may be shown to visitors."""


class Disk:
    """A folder with a limit on its size that also counts bytes which are still to come.

    Args:
        folder: Folder of uploads and results.
        max_bytes: Maximum total size of its files.
    """

    def __init__(self, folder: Path, max_bytes: float) -> None:
        self.folder, self._max_bytes = folder, max_bytes
        self._reserved: dict[Path, int] = {}
        self._lock = threading.Lock()

    @contextmanager
    def new_folder(self, size: int) -> Iterator[Path]:
        """Reserve bytes for a new subfolder while the block fills it.

        The subfolder stays, and is deleted if the block fails or is cancelled.

        Args:
            size: Maximum number of bytes that the block will write.

        Raises:
            FullError: There is no room for that many bytes.
        """
        with self._lock:
            if self._used() + size > self._max_bytes:
                raise FullError(_BUSY)
            own = Path(tempfile.mkdtemp(dir=self.folder))
            self._reserved[own] = size
        try:
            yield own
        except BaseException:
            shutil.rmtree(own, ignore_errors=True)
            raise
        finally:
            with self._lock:
                del self._reserved[own]

    def _used(self) -> int:
        """Return the bytes of all files; of a folder that is being filled, at least the bytes reserved for it."""
        total = 0
        for path in self.folder.iterdir():
            total += max(_size(path), self._reserved.get(path, 0))
        return total


def _size(path: Path) -> int:
    total = 0
    for file in (path, *path.rglob("*")):
        with suppress(OSError):  # Deleted meanwhile.
            total += file.stat().st_size if file.is_file() else 0
    return total


def sweep(folder: Path, older_than_s: float) -> None:
    """Delete files and empty folders that were not modified for this many seconds.

    Those from before the clock was set back, whose age is unknown, are deleted too.
    """
    now = time.time()
    for path in sorted(folder.rglob("*"), reverse=True):  # Contents come before their folder.
        with suppress(OSError):  # Already deleted, or a folder in use.
            if not -_TOLERANCE_S <= now - path.lstat().st_mtime <= older_than_s:
                path.rmdir() if path.is_dir() else path.unlink()


@contextmanager
def own_folder() -> Iterator[Path]:
    """Give the page a temporary folder, locked as long as its process lives, and deleted at the end.

    Folders of pages that were killed are deleted first: their locks ended with them.
    """
    parent = Path(tempfile.gettempdir()).resolve()
    _delete_abandoned(parent)
    folder = parent / f"{_PREFIX}{secrets.token_hex(6)}"
    with lock_output(folder):  # Before the folder exists, so that no other page takes it for abandoned.
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _delete_abandoned(parent: Path) -> None:
    for lock in parent.glob(f".{_PREFIX}*.lock"):
        folder = parent / lock.name[1 : -len(".lock")]
        with suppress(OSError, OutputError):  # Its page is alive, or belongs to another user.
            if lock.is_symlink() or folder.is_symlink() or not lock.read_bytes():
                continue  # A lock without its holder's number is from a folder that supports no locks.
            if hasattr(os, "getuid") and lock.stat().st_uid != os.getuid():
                continue
            with lock_output(folder):
                shutil.rmtree(folder, ignore_errors=True)
