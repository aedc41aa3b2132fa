"""Files that are there whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vlfau.errors import InputError

__all__ = ["remove_leftovers", "replacing"]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to, and move the file to its place when the block ends well.

    The temporary file lies in the same folder, so an existing file is replaced in one step; if the block
    fails, the existing file stays as it was.

    Raises:
        InputError: The file cannot be written.
    """
    temporary = path.with_name(f".vlfau-{secrets.token_hex(6)}.tmp")
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path} ({error.strerror or error}); choose another place") from None
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove what `replacing` left in a folder when its process was killed; nobody may be writing there."""
    for left in folder.glob(".vlfau-*.tmp"):
        left.unlink(missing_ok=True)
