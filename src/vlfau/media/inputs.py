"""From what a user names to files: a folder stands for the files in it."""

import os
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Final

from vlfau.errors import InputError
from vlfau.files.names import missing_file, printable
from vlfau.media.kinds import NAMELESS_SUFFIXES, looks_like_picture, looks_like_video

__all__ = ["OWN_ENDINGS", "PICTURE_SUFFIXES", "check_is_file", "expand_inputs", "is_of_kind"]

OWN_ENDINGS: Final = (".vlfau.jpg", ".vlfau.mp4", ".heat.jpg", ".timeline.png")
"""Endings of the files that `vlfau predict` draws."""
PICTURE_SUFFIXES: Final = frozenset(
    {
        *(".bmp", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".mpo"),
        *(".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"),
    }
)


def expand_inputs(paths: Iterable[str | Path], *, suffixes: Collection[str] = PICTURE_SUFFIXES) -> list[Path]:
    """Replace every folder by the files of the wanted kinds in it and below, in natural order (2 before 10).

    Hidden files and the drawings of `vlfau predict` are left out. A file that is named itself is always returned, once,
    even if it cannot be read.

    Args:
        paths: Files and folders.
        suffixes: Endings of the wanted files, in lower case; pictures by default. Those that do not tell
            (`NAMELESS_SUFFIXES`) stand for the files that are pictures or videos by their content.

    Raises:
        InputError: A folder has no such file.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if not path.is_dir():
            found[path] = None
            continue
        files = sorted(_files_below(path, suffixes), key=_natural_order)
        if not files:
            raise InputError(
                f"folder {printable(path)} has no file that ends in {', '.join(sorted(filter(None, suffixes)))}; "
                "name another folder or the files themselves"
            )
        found.update(dict.fromkeys(files))
    return list(found)


def is_of_kind(path: str, suffixes: Collection[str]) -> bool:
    """Return whether a file has one of some endings; where those do not tell, whether it is a picture or a video.

    Args:
        path: The file.
        suffixes: In lower case, as for `expand_inputs`.
    """
    suffix = os.path.splitext(path)[1].lower()  # noqa: PTH122 - there may be a million of them
    if suffix not in suffixes or suffix not in NAMELESS_SUFFIXES:
        return suffix in suffixes
    return looks_like_video(Path(path)) or looks_like_picture(Path(path))


def check_is_file(path: Path, kind: str, error: type[InputError]) -> None:
    """Refuse what cannot be opened as a file.

    Args:
        path: The file.
        kind: What it should be, such as "picture".
        error: The error to raise.

    Raises:
        InputError: Of the type `error`: it is missing, a folder, empty, or not an ordinary file.
    """
    name = printable(path)
    try:
        if path.is_dir():
            raise error(f"{name} is a folder, not a {kind}; name a file in it")
        if not path.exists():
            raise error(missing_file(kind, path))
        if not path.is_file():
            raise error(f"{name} is not an ordinary file; name a {kind} file")
        if path.stat().st_size == 0:
            raise error(f"{kind} {name} is empty; copy it again")
    except (OSError, ValueError) as reason:
        raise error(f"{kind} {name} cannot be read ({reason}); check the path") from None


def _files_below(folder: Path, suffixes: Collection[str]) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            lower = name.lower()
            path = os.path.join(parent, name)  # noqa: PTH118 - os.walk gives text
            if not lower.startswith(".") and not lower.endswith(OWN_ENDINGS) and is_of_kind(path, suffixes):
                yield Path(path)


def _natural_order(path: Path) -> list[tuple[int, int, str]]:
    pieces = re.findall(r"[0-9]+|[^0-9]+", str(path))
    return [(0, int(piece), "") if piece[0] in "0123456789" else (1, 0, piece.casefold()) for piece in pieces]
