"""Which files a user means: files, and folders as the files in them."""

import os
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Final

from vlfau.errors import InputError
from vlfau.files.names import printable

__all__ = ["OWN_ENDINGS", "PICTURE_SUFFIXES", "expand_inputs"]

OWN_ENDINGS: Final = (".vlfau.jpg", ".vlfau.mp4", ".heat.jpg", ".timeline.png")
"""How the names of files end that `vlfau predict` draws."""
PICTURE_SUFFIXES: Final = frozenset(
    {
        *(".bmp", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".mpo"),
        *(".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"),
    }
)


def expand_inputs(paths: Iterable[str | Path], *, suffixes: Collection[str] = PICTURE_SUFFIXES) -> list[Path]:
    """Replace every folder by the files of some kinds in it and below, in natural order (2 before 10).

    Hidden files, and those that `vlfau predict` drew, are left out. Files are returned as they are, each once, whether
    they can be read or not.

    Args:
        paths: Files and folders.
        suffixes: Those of the kinds that are wanted, in small letters; the default takes pictures.

    Raises:
        InputError: A folder holds no such file.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if not path.is_dir():
            found[path] = None
            continue
        files = sorted(_files_below(path, suffixes), key=_natural_order)
        if not files:
            raise InputError(
                f"folder {printable(path)} holds no file that ends in {', '.join(sorted(suffixes))}; "
                "name another folder or the files themselves"
            )
        found.update(dict.fromkeys(files))
    return list(found)


def _files_below(folder: Path, suffixes: Collection[str]) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            lower = name.lower()
            is_wanted = os.path.splitext(lower)[1] in suffixes  # noqa: PTH122 - os.walk gives text
            if is_wanted and not lower.startswith(".") and not lower.endswith(OWN_ENDINGS):
                yield Path(parent, name)


def _natural_order(path: Path) -> list[tuple[int, int, str]]:
    pieces = re.findall(r"[0-9]+|[^0-9]+", str(path))
    return [(0, int(piece), "") if piece[0] in "0123456789" else (1, 0, piece.casefold()) for piece in pieces]
