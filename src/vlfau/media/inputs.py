"""From what a user names to files: a folder stands for the files in it."""

import glob
import os
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Final

from vlfau.errors import InputError
from vlfau.files.names import missing_file, printable
from vlfau.media.kinds import NAMELESS_SUFFIXES, looks_like_picture, looks_like_video

__all__ = [
    "OWN_ENDINGS",
    "PICTURE_SUFFIXES",
    "check_is_file",
    "expand_inputs",
    "is_of_kind",
    "matching",
    "unread_files",
]

OWN_ENDINGS: Final = (".vlfau.jpg", ".vlfau.mp4", ".heat.jpg", ".crop.jpg", ".timeline.png")
"""Endings of the files that `vlfau predict` draws."""
PICTURE_SUFFIXES: Final = frozenset(
    {
        *(".avif", ".bmp", ".gif", ".heic", ".heif", ".hif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".mpo"),
        *(".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"),
    }
)


def matching(given: Path) -> list[Path]:
    """Return the files that a pattern such as `study/*.jpg` names, for shells that do not expand it.

    A path that exists, or that is no pattern, is returned as it is; so is a pattern that nothing matches.
    """
    text = os.fspath(given)
    if not re.search(r"[*?[]", text) or os.path.lexists(text):
        return [given]
    return sorted(map(Path, glob.iglob(text, recursive=True)), key=_natural_order) or [given]  # noqa: PTH207 - any anchor


def unread_files(folder: Path, *, suffixes: Collection[str]) -> dict[Path, str]:
    """Return the files in a folder and below that `expand_inputs` leaves out, each with the reason; no hidden ones.

    Args:
        folder: The folder.
        suffixes: Endings of the wanted files, in lower case.
    """
    unread: dict[Path, str] = {}
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in sorted(name for name in names if not name.startswith(".")):
            path = Path(parent, name)
            if (reason := _reason_to_skip(str(path), suffixes)) is not None:
                unread[path] = reason
    return unread


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
            if _reason_to_skip(path := os.path.join(parent, name), suffixes) is None:  # noqa: PTH118 - there may be a million
                yield Path(path)


def _reason_to_skip(path: str, suffixes: Collection[str]) -> str | None:
    """Return why a file of a folder is not read; None if it is."""
    lower = os.path.basename(path).lower()  # noqa: PTH119 - there may be a million of them
    if lower.startswith("."):
        return "a hidden file"
    if lower.endswith(OWN_ENDINGS):
        return "a drawing of vlfau"
    if is_of_kind(path, suffixes):
        return None
    suffix = os.path.splitext(lower)[1]  # noqa: PTH122 - as above
    if suffix not in suffixes and suffix:
        return f"{suffix} is not the ending of a picture or video"
    return "neither its name nor its content is that of a picture or video"


def _natural_order(path: Path) -> list[tuple[int, int, str]]:
    pieces = re.findall(r"[0-9]+|[^0-9]+", str(path))
    return [(0, int(piece), "") if piece[0] in "0123456789" else (1, 0, piece.casefold()) for piece in pieces]
