"""Units of work: a video, or some hundred pictures; what one worker does without a break."""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Self

from vlfau.batch.inputs import ArchiveFile
from vlfau.files.names import printable

__all__ = ["PICTURES_A_UNIT", "Unit", "file_id", "units_of"]

PICTURES_A_UNIT: Final = 200
_MAX_STEM: Final = 60


@dataclass(frozen=True, slots=True)
class Unit:
    """What one worker does in one go, and writes to one shard.

    Attributes:
        files: One video, or some pictures.
    """

    files: tuple[ArchiveFile, ...]

    @property
    def key(self) -> str:
        """Names the unit: equal files, equal key."""
        return file_id("\0".join(file.name for file in self.files))

    @property
    def shard(self) -> str:
        """Where its rows go, relative to the folder of results."""
        # The key comes first: readers of Parquet pass over names that begin with a dot or an underscore.
        stem = Path(self.files[0].path).stem if self.files[0].is_video else "pictures"
        clean = re.sub(r"[^\w.-]", "_", printable(stem))[:_MAX_STEM]
        return str(PurePosixPath(self.key[:2], f"{self.key}-{clean}.parquet"))

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(file.size or 0 for file in self.files)

    def to_json(self) -> str:
        """Return it as text in ASCII, also with names that are no valid Unicode."""
        return json.dumps([asdict(file) for file in self.files])

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        return cls(tuple(ArchiveFile(**file) for file in json.loads(text)))


def file_id(name: str) -> str:
    """Return a short name for a file, whatever is in its real one.

    >>> file_id("films/a.mp4")
    '4b4f9dd8d530fb7c'
    """
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:16]


def units_of(files: Sequence[ArchiveFile]) -> list[Unit]:
    """Divide files among units, the largest first, so that no worker begins a long video when the others end."""
    return sorted(_divided(files), key=lambda unit: -unit.size)


def _divided(files: Sequence[ArchiveFile]) -> Iterator[Unit]:
    yield from (Unit((file,)) for file in files if file.is_video)
    pictures = tuple(file for file in files if not file.is_video)
    yield from (Unit(pictures[start : start + PICTURES_A_UNIT]) for start in range(0, len(pictures), PICTURES_A_UNIT))
