"""Files and folders that appear whole or not at all."""

import hashlib
import os
import secrets
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from vlfau.errors import ConfigError, OutputError
from vlfau.files.names import check_is_local, printable

__all__ = [
    "LEFTOVERS",
    "copy_whole",
    "fresh_folder",
    "make_folder",
    "move_whole",
    "real_target",
    "refuse_existing",
    "remove_leftovers",
    "replacing",
    "replacing_folder",
    "unfinished_copy",
]

LEFTOVERS: Final = ".vlfau-*.tmp"
"""The names of temporary files; those of killed processes stay behind."""


@contextmanager
def replacing(path: Path, *, sync: bool = True) -> Iterator[Path]:
    """Yield a temporary path to write to; the file gets its name when the block ends without an error.

    The temporary file lies in the same folder, so an existing file is replaced in one step. If the block fails, the
    existing file stays as it was. A symbolic link stays: the file that it names is replaced. What a killed process left
    is used again by the next one that writes the same file, except on Windows.

    Args:
        path: The file.
        sync: Whether to wait until the content is on the disk. Off, a power failure may leave an empty file, which is
            no harm where a file is one of many that can be made again.

    Raises:
        OutputError: The file cannot be written.
    """
    check_is_local(path)
    path = real_target(path)
    try:
        with _temporary_file(path) as temporary:
            yield temporary
            move_whole(temporary, path, sync=sync)
    except OSError as error:
        raise OutputError(f"cannot write {printable(path)} ({error.strerror or error}); choose another path") from None


@contextmanager
def _temporary_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside a file; it is removed if the block fails, and must be renamed otherwise.

    The name follows from that of the file, so that what a killed process left is found without reading the folder. If
    another process is using it, the name is drawn at random.
    """
    name = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]
    temporary = path.with_name(f".vlfau-{name}.tmp")
    descriptor = _held_alone(temporary)
    if descriptor is None:
        temporary = path.with_name(f".vlfau-{secrets.token_hex(6)}.tmp")
    try:
        yield temporary
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _held_alone(path: Path) -> int | None:
    """Make an empty file that no other process holds, or empty the one that a killed process left.

    Returns:
        Its descriptor, which holds it until it is closed; None if the file cannot be made, is used by another process,
        is not ours, or cannot be locked.
    """
    if sys.platform == "win32":  # A file that is open cannot be renamed there.
        return None
    import fcntl  # noqa: PLC0415 - not on Windows

    is_new = True
    try:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            is_new = False
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held = os.fstat(descriptor)
        if os.path.samestat(held, path.lstat()) and (is_new or _is_own_file(held)):
            os.ftruncate(descriptor, 0)
            return descriptor
    except BlockingIOError:
        pass
    except OSError:  # Such as a network folder without locks.
        if is_new:
            with suppress(OSError):
                path.unlink()
    os.close(descriptor)
    return None


def _is_own_file(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and found.st_nlink == 1


def move_whole(written: Path, path: Path, *, sync: bool = True) -> None:
    """Rename a file that was written to its end; another file of the new name is replaced in one step.

    Args:
        written: The file, on the same disk.
        path: Its new name.
        sync: Whether to wait first until the content is on the disk.

    Raises:
        OSError: It cannot be renamed.
    """
    if sync:
        with written.open("rb+") as stream:  # Windows syncs only a file that is open for writing.
            os.fsync(stream.fileno())
    written.replace(path)


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file so that the copy appears whole or not at all; no other process may be writing to the target.

    A copy that a kill or a full disk cut off is never taken for the file itself. The next call replaces it.

    Raises:
        OSError: The file cannot be read, or the copy cannot be written.
    """
    unfinished = unfinished_copy(target)
    try:
        shutil.copyfile(source, unfinished)
        move_whole(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)


def unfinished_copy(target: Path) -> Path:
    """Return the path that a copy has until it is whole."""
    return target.with_name(f".{target.name}.copying")


def real_target(path: Path) -> Path:
    """Return the file that a symbolic link names, whether it exists or not; any other path as it is."""
    return path.resolve() if path.is_symlink() else path


def remove_leftovers(folder: Path, *, below: bool = False) -> None:
    """Remove the temporary files of killed processes from a folder; no process may be writing there.

    Args:
        folder: The folder.
        below: Whether to look into its subfolders, too.
    """
    for left in folder.rglob(LEFTOVERS) if below else folder.glob(LEFTOVERS):
        left.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make a folder for outputs, unless it exists.

    Raises:
        OutputError: It cannot be made, or is a web address.
    """
    check_is_local(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot make the folder {printable(folder)} ({error.strerror or error}); choose another"
        ) from None


@contextmanager
def fresh_folder(output: Path) -> Iterator[Path]:
    """Yield a folder to fill; it gets its name when the block ends without an error, and is removed otherwise.

    Raises:
        ConfigError: The output exists, and is not replaced.
        OutputError: It is a web address.
    """
    refuse_existing(output)
    fresh = output.with_name(f".{output.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        yield fresh
        fresh.rename(output)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Yield a folder to fill; it replaces an existing folder when the block ends without an error.

    If the block fails, the existing folder stays as it was. After a kill between the two renames that replace it, the
    next call finds it again.

    Raises:
        OutputError: It is a web address.
        OSError: The folder cannot be written.
    """
    check_is_local(folder)
    fresh, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    _restore(folder, old)
    try:
        for leftover in (fresh, old):
            shutil.rmtree(leftover, ignore_errors=True)
        fresh.mkdir(parents=True)
        yield fresh
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
    finally:
        _restore(folder, old)
        for leftover in (fresh, old):
            shutil.rmtree(leftover, ignore_errors=True)


def _restore(folder: Path, old: Path) -> None:
    if old.exists() and not folder.exists():
        old.rename(folder)


def refuse_existing(output: Path) -> None:
    """Make sure that a folder does not exist yet.

    Raises:
        ConfigError: It exists.
        OutputError: It is a web address.
    """
    check_is_local(output)
    if output.exists():
        raise ConfigError(f"{output} exists already; remove it, or choose another folder")
