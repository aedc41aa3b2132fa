"""Names for the files that `vlfau predict` writes about each input.

A name depends on its input alone, never on the other inputs or their order: a run that is resumed with more inputs
finds the names that it had. Folders are kept as `cp -r` keeps them.
"""

import hashlib
import os
from pathlib import Path
from typing import Final

from vlfau.files.names import printable
from vlfau.media.camera import camera_number

__all__ = ["output_name"]

_MAX_BYTES: Final = 180
"""An ending and a number fit beside it within the 255 bytes of usual file systems."""


def output_name(given: Path, file: Path, *, parents: bool = False) -> Path:
    """Return how the names of an input's files begin, as a path relative to the output folder.

    Args:
        given: What the user named: the file itself, or a folder that holds it.
        file: The input.
        parents: Whether to keep every folder of the input's path, as `cp --parents` does.

    >>> output_name(Path("study"), Path("study/b/me.png")).as_posix()
    'study/b/me.png'
    >>> output_name(Path("a/me.png"), Path("a/me.png")).as_posix()
    'me.png'
    >>> output_name(Path("a/me.png"), Path("a/me.png"), parents=True).as_posix()
    'a/me.png'
    """
    if camera_number(os.fspath(file)) is not None:
        return Path(os.fspath(file).replace(":", "-"))  # Windows has no colons in names.
    if parents:
        normal = Path(os.path.normpath(file))
        kept = Path(os.path.abspath(file)) if ".." in normal.parts else normal  # noqa: PTH100 - keeps links as named
        parts = kept.relative_to(kept.anchor).parts
    elif given == file:
        parts = (file.name,)
    else:
        folder = given.name if given.name not in {"", ".."} else Path(os.path.abspath(given)).name  # noqa: PTH100
        parts = (folder, *file.relative_to(given).parts) if folder else file.relative_to(given).parts
    return Path(*map(_writable, parts))


def _writable(part: str) -> str:
    """Return a part of a path as valid UTF-8 of limited length; different parts stay different."""
    text = printable(part)
    if len(text.encode()) <= _MAX_BYTES:
        return text
    digest = hashlib.sha256(os.fsencode(part)).hexdigest()[:12]
    return f"{text.encode()[: _MAX_BYTES - 13].decode('utf-8', 'ignore')}-{digest}"
