"""A disk that can be full: a tmpfs where one can be mounted, otherwise a limit on the size of every file."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.kill.killing import MAX_SECONDS
from tests.kill.starting import Started

ROOM = 256 << 20
"""Bytes of the disk while it has room; a tmpfs takes memory only for what is on it."""


@dataclass(frozen=True)
class Disk:
    """A small disk.

    Attributes:
        folder: Where it is.
        is_mounted: Whether it is a disk of its own. Otherwise only single files are limited.
    """

    folder: Path
    is_mounted: bool

    def used(self) -> int:
        """Return how many bytes are taken."""
        return shutil.disk_usage(self.folder).used

    def run(self, words: Sequence[object], log: Path, *, room: int = ROOM) -> int:
        """Run a command while so many bytes are free.

        Args:
            words: The words of the command.
            log: What it prints is added here.
            room: Free bytes; on a disk that is none of its own, the size of the largest file.
        """
        max_file = None
        if self.is_mounted:
            size = self.used() + room
            subprocess.run(["mount", "-o", f"remount,size={size}", str(self.folder)], check=True)
        elif room != ROOM:
            max_file = room
        return Started([*map(str, words)], log, max_file=max_file).wait(MAX_SECONDS)


@contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """Mount a disk on a folder if this is allowed, as it is for root."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(folder)]
    may_mount = sys.platform == "linux" and os.geteuid() == 0 and shutil.which("mount") is not None
    is_mounted = may_mount and subprocess.run(command, check=False, capture_output=True).returncode == 0
    try:
        if is_mounted:
            (folder / "filler").write_bytes(bytes(4096))  # An empty disk cannot be full: a size of 0 is no limit.
        yield Disk(folder, is_mounted)
    finally:
        if is_mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)
