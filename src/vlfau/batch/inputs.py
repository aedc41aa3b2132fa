"""Lists the files of an archive (from a list, a folder, or a pattern), and divides them into units of work."""

import csv
import glob
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Self

from vlfau.errors import InputError, ManifestError
from vlfau.files.names import printable
from vlfau.media.analysed import ANALYSED_SUFFIXES, VIDEO_SUFFIXES
from vlfau.media.inputs import expand_inputs, is_of_kind
from vlfau.media.moving_pictures import is_numbered

__all__ = ["PICTURES_A_UNIT", "ArchiveFile", "Unit", "file_id", "find_files", "units_of"]

_LIST_SUFFIXES: Final = frozenset({".csv", ".txt"})
_COLUMN: Final = "file"
PICTURES_A_UNIT: Final = 200
_MAX_STEM: Final = 60


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """One file of an archive.

    Attributes:
        name: As the user wrote it.
        path: Absolute path, for the workers.
        size: Size in bytes; None if the driver does not see the file.
    """

    name: str
    path: str
    size: int | None

    @property
    def is_video(self) -> bool:
        """Whether its name is that of a video."""
        return os.path.splitext(self.path)[1].lower() in VIDEO_SUFFIXES  # noqa: PTH122 - a million of them


@dataclass(frozen=True, slots=True)
class Unit:
    """The files that one worker processes at a time and writes to one shard.

    Attributes:
        files: One video, or some pictures.
    """

    files: tuple[ArchiveFile, ...]

    @property
    def key(self) -> str:
        """Identifier of the unit: equal files have equal keys."""
        return file_id("\0".join(file.name for file in self.files))

    @property
    def shard(self) -> str:
        """Path of its rows, relative to the results folder."""
        # The key comes first: Parquet readers skip names that begin with a dot or an underscore.
        stem = Path(self.files[0].path).stem if self.files[0].is_video else "pictures"
        clean = re.sub(r"[^\w.-]", "_", printable(stem))[:_MAX_STEM]
        return str(PurePosixPath(self.key[:2], f"{self.key}-{clean}.parquet"))

    @property
    def size(self) -> int:
        """Total size in bytes."""
        return sum(file.size or 0 for file in self.files)

    def to_json(self) -> str:
        """Return it as ASCII text, even if names are not valid Unicode."""
        return json.dumps([asdict(file) for file in self.files])

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Parse the result of `to_json`."""
        return cls(tuple(ArchiveFile(**file) for file in json.loads(text)))


def find_files(source: str | Path) -> list[ArchiveFile]:
    """List the files of an archive, each once.

    Args:
        source: A .txt file with one file per line, a .csv file with the column `file` (names are relative to the list's
            folder), a folder, a single file, numbered pictures such as `frames_%05d.png`, or a pattern such as
            `films/**/*.mp4`.

    Raises:
        InputError: It does not exist, or names no file.
    """
    path, text = Path(source), os.fspath(source)
    if path.is_file() and path.suffix.lower() in _LIST_SUFFIXES:
        names, folder = list(_listed(path)), path.parent
    elif path.exists():
        names, folder = list(map(str, expand_inputs([path], suffixes=ANALYSED_SUFFIXES))), Path()
    elif is_numbered(path):
        names, folder = [text], Path()
    elif glob.has_magic(text):
        names, folder = list(_matching(text)), Path()
    else:
        raise InputError(
            f"{printable(text)} does not exist; name a list (.txt or .csv), a folder, or a pattern in quotes such as "
            "'films/**/*.mp4'"
        )
    return list(_files(dict.fromkeys(names), folder))


def units_of(files: Sequence[ArchiveFile]) -> list[Unit]:
    """Divide files into units, largest first, so that no worker starts a long video when the others are done."""
    return sorted(_divided(files), key=lambda unit: -unit.size)


def file_id(name: str) -> str:
    """Return a short identifier for a file, for any name.

    >>> file_id("films/a.mp4")
    '4b4f9dd8d530fb7c'
    """
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:16]


def _files(names: Iterable[str], folder: Path) -> Iterator[ArchiveFile]:
    start = os.path.abspath(folder)  # noqa: PTH100 - keeps links as they are
    for name in names:
        path = os.path.normpath(os.path.join(start, name))  # noqa: PTH118 - a million of them
        try:
            size = os.stat(path).st_size  # noqa: PTH116
        except (OSError, ValueError):
            size = None
        yield ArchiveFile(name, path, size)


def _listed(path: Path) -> Iterator[str]:
    """Yield the names in a list; names need not be valid Unicode."""
    found = False
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
            lines = _column(path, stream) if path.suffix.lower() == ".csv" else stream
            for line in lines:
                if name := line.strip("\r\n\0"):
                    found = True
                    yield name
    except OSError as error:
        raise ManifestError(
            f"list {printable(path)} cannot be read ({error.strerror}); check its permissions"
        ) from None
    except csv.Error as error:
        raise ManifestError(f"list {printable(path)} is not valid CSV ({error}); correct it") from None
    if not found:
        raise ManifestError(f"list {printable(path)} names no files; write one per line, or in the column '{_COLUMN}'")


def _column(path: Path, stream: Iterable[str]) -> Iterator[str]:
    table = csv.DictReader(stream, strict=True)
    columns = table.fieldnames or ()
    if _COLUMN not in columns:
        raise ManifestError(
            f"list {printable(path)} has the columns {printable(', '.join(columns)) or 'of an empty file'}; one "
            f"must be called '{_COLUMN}'"
        )
    yield from (row[_COLUMN] or "" for row in table)


def _matching(pattern: str) -> Iterator[str]:
    found = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
    files = [name for name in found if is_of_kind(name, ANALYSED_SUFFIXES) and not Path(name).is_dir()]
    if not files:
        raise InputError(f"no video or picture fits the pattern {printable(pattern)}; put it in quotes, and check it")
    yield from files


def _divided(files: Sequence[ArchiveFile]) -> Iterator[Unit]:
    yield from (Unit((file,)) for file in files if file.is_video)
    pictures = tuple(file for file in files if not file.is_video)
    yield from (Unit(pictures[start : start + PICTURES_A_UNIT]) for start in range(0, len(pictures), PICTURES_A_UNIT))
