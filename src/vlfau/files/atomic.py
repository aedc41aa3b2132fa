"""Files that are there whole or not at all."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from vlfau.errors import ConfigError, OutputError

__all__ = [
    "LEFTOVERS",
    "copy_whole",
    "fresh_folder",
    "real_target",
    "refuse_existing",
    "remove_leftovers",
    "replacing",
    "sync",
]

LEFTOVERS: Final = ".vlfau-*.tmp"
"""The names of files that were not written to their end."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to, and move the file to its place when the block ends well.

    The temporary file lies in the same folder, so an existing file is replaced in one step; if the block
    fails, the existing file stays as it was. A symbolic link stays one: the file that it names is replaced.

    Raises:
        OutputError: The file cannot be written.
    """
    path = real_target(path)
    temporary = path.with_name(f".vlfau-{secrets.token_hex(6)}.tmp")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"cannot write {path} ({error.strerror or error}); choose another place") from None
    finally:
        temporary.unlink(missing_ok=True)


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file so that the copy appears whole or not at all; nobody else may be writing to the target.

    A copy that a kill or a full disk cuts off is never taken for the file itself. The next call replaces it.

    Raises:
        OSError: The file cannot be read, or the copy cannot be written.
    """
    unfinished = target.with_name(f".{target.name}.copying")
    try:
        shutil.copyfile(source, unfinished)
        sync(unfinished)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def real_target(path: Path) -> Path:
    """Return the file that a symbolic link names, whether it exists or not; any other path as it is."""
    return path.resolve() if path.is_symlink() else path


def sync(path: Path) -> None:
    """Wait until a file's content lies on the disk."""
    with path.open("rb+") as written:  # Windows wants the right to write.
        os.fsync(written.fileno())


def remove_leftovers(folder: Path, *, below: bool = False) -> None:
    """Remove what `replacing` left in a folder when its process was killed; nobody may be writing there.

    Args:
        folder: The folder.
        below: Whether to look into the folders in it, too.
    """
    for left in folder.rglob(LEFTOVERS) if below else folder.glob(LEFTOVERS):
        left.unlink(missing_ok=True)


@contextmanager
def fresh_folder(output: Path) -> Iterator[Path]:
    """Give a folder to fill, which gets its name when all went well and is removed otherwise.

    Raises:
        ConfigError: The output exists, and is not replaced.
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


def refuse_existing(output: Path) -> None:
    """Make sure that a folder can be written.

    Raises:
        ConfigError: It exists.
    """
    if output.exists():
        raise ConfigError(f"{output} exists already; remove it, or name another folder")
