"""Names for the files of a run."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from vlfau.inference.sources import printable

__all__ = ["unique_names"]

_LONGEST: Final = 180
"""Bytes, so that an ending and a number fit within the 255 of usual file systems."""


def unique_names(files: Iterable[Path]) -> dict[Path, str]:
    """Give every input the beginning of the names of its files, which no other input has.

    They depend on the inputs and their order alone, so that an interrupted run that goes on finds the same ones.

    >>> list(unique_names([Path("a/me.jpg"), Path("b/Me.png"), Path("camera:0")]).values())
    ['me', 'Me-2', 'camera-0']
    """
    names: dict[Path, str] = {}
    taken: set[str] = set()
    numbers: dict[str, int] = {}
    for file in files:
        stem = printable(file.stem).replace(":", "-")  # Windows has no colons in names.
        stem = stem.encode()[:_LONGEST].decode("utf-8", "ignore")
        # Some file systems do not tell capitals from small letters.
        key, name = stem.casefold(), stem
        while name.casefold() in taken:
            numbers[key] = numbers.get(key, 1) + 1
            name = f"{stem}-{numbers[key]}"
        taken.add(name.casefold())
        names[file] = name
    return names
