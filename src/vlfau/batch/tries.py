"""How often a worker died over a file: some files end the process that reads them."""

import os
import re
from pathlib import Path
from typing import Final

__all__ = ["MAX_DEATHS", "Tries"]

MAX_DEATHS: Final = 3
_LINE: Final = re.compile(r"^(\S+) (-?1) \d+$", re.MULTILINE)


class Tries:
    """Remembers, on the disk, which files of a unit were begun and not ended.

    Args:
        path: The file to remember in.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text("ascii", "replace") if path.exists() else ""
        self._deaths: dict[str, int] = {}
        for file, change in _LINE.findall(text):  # A machine that lost its power may have left other things.
            self._deaths[file] = self._deaths.get(file, 0) + int(change)

    def deaths(self, file: str) -> int:
        """Return how many workers began a file, by its id, and did not end it."""
        return self._deaths.get(file, 0)

    def begin(self, file: str) -> None:
        """Say that this process begins a file."""
        self._write(file, 1)

    def end(self, file: str) -> None:
        """Say that it lived through it."""
        self._write(file, -1)

    def forget(self) -> None:
        """Remove what was remembered."""
        self._path.unlink(missing_ok=True)

    def _write(self, file: str, change: int) -> None:
        with self._path.open("a", encoding="ascii") as stream:
            stream.write(f"{file} {change} {os.getpid()}\n")
