"""Which files a user means: files and folders as paths of pictures."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from vlfau.errors import ImageError

__all__ = ["ANNOTATED_SUFFIX", "PICTURE_SUFFIXES", "expand_inputs", "printable"]

ANNOTATED_SUFFIX: Final = ".vlfau.jpg"
PICTURE_SUFFIXES: Final = frozenset(
    {
        *(".bmp", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".mpo"),
        *(".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"),
    }
)


def expand_inputs(paths: Iterable[str | Path]) -> list[Path]:
    """Replace every folder by the pictures in it and below, in natural order (2 before 10).

    Hidden files, and pictures that `vlfau predict` drew, are left out. Files are returned as they are, each
    once, whether they can be read or not.

    Raises:
        ImageError: A folder holds no picture.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if not path.is_dir():
            found[path] = None
            continue
        pictures = sorted(_pictures_below(path), key=_natural_order)
        if not pictures:
            raise ImageError(
                f"folder {printable(path)} holds no picture ({', '.join(sorted(PICTURE_SUFFIXES))}); "
                "name another folder or the files themselves"
            )
        found.update(dict.fromkeys(pictures))
    return list(found)


def printable(path: str | Path) -> str:
    """Return a path as text that can be written anywhere, even if the name is no valid Unicode."""
    return os.fsencode(path).decode("utf-8", "replace")


def _pictures_below(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            lower = name.lower()
            is_picture = os.path.splitext(lower)[1] in PICTURE_SUFFIXES  # noqa: PTH122 - os.walk gives text
            if is_picture and not lower.startswith(".") and not lower.endswith(ANNOTATED_SUFFIX):
                yield Path(parent, name)


def _natural_order(path: Path) -> list[tuple[int, int, str]]:
    pieces = re.findall(r"[0-9]+|[^0-9]+", str(path))
    return [(0, int(piece), "") if piece[0] in "0123456789" else (1, 0, piece.casefold()) for piece in pieces]
