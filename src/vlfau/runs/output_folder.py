"""The output folder of a run: file names, and a record of the files that vlfau wrote, so that no others are touched.

A name depends only on its input, never on other inputs or their order, so a run resumed with more inputs keeps its
names. Folders are kept as with `cp -r`.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from vlfau.errors import OutputError
from vlfau.files.atomic import make_folder
from vlfau.files.names import printable
from vlfau.files.records import RecordFile, parse_json, whole_records
from vlfau.media.camera import is_live

__all__ = ["RECORD_FILE", "OutputFolder", "output_name"]

RECORD_FILE: Final = ".vlfau-outputs.jsonl"
_MAX_BYTES: Final = 180
"""Maximum length of a name; leaves room for a suffix and a number within the 255 bytes of common file systems."""


class OutputFolder:
    """Assigns output paths to inputs, and records them in a file in the folder.

    A path is recorded before it is written, so that files left by a killed process are recognised.

    Args:
        folder: The folder; it is created.
        resume: Whether files of an earlier run still belong to their inputs. Otherwise files of any input may replace
            them.
        overwrite: Whether files that vlfau did not write may also be replaced. Inputs are never replaced.

    Raises:
        OutputError: The folder cannot be created or read.
    """

    def __init__(self, folder: Path, *, resume: bool, overwrite: bool) -> None:
        self.folder, self._overwrite = folder, overwrite
        self._inputs: set[Path] = set()
        self._record: RecordFile | None = None
        self._is_torn = False
        make_folder(folder)
        try:
            self._recorded = self._read()
        except OSError as error:
            raise OutputError(f"cannot use the folder {printable(folder)} ({error.strerror}); choose another") from None
        self._owners = dict(self._recorded) if resume else {}

    def protect(self, inputs: Iterable[Path]) -> None:
        """Protect these files from being overwritten."""
        self._inputs.update(Path(os.path.realpath(path)) for path in inputs)

    def check(self, name: Path, owner: str) -> None:
        """Check that a path may be written.

        Args:
            name: Relative to the folder.
            owner: The input that the file belongs to, as text.

        Raises:
            OutputError: The path is an input, belongs to another input, or holds a file that vlfau did not write.
        """
        path, key = self.folder / name, name.as_posix()
        shown = printable(path)
        if Path(os.path.realpath(path)) in self._inputs:
            raise OutputError(f"{shown} is one of the inputs and is not overwritten; choose another --out")
        if self._owners.get(key, owner) != owner:
            raise OutputError(
                f"{self._owners[key]} and {owner} would both write {shown}; keep their folders apart with --parents, "
                "or choose another --out for one of them"
            )
        if key not in self._recorded and not self._overwrite and os.path.lexists(path):
            raise OutputError(
                f"{shown} exists, and vlfau did not write it; move it away, choose another --out, or replace it with "
                "--overwrite"
            )

    def claim(self, name: Path, owner: str) -> Path:
        """Return a path to write to; records it and creates its folders.

        Args:
            name: Relative to the folder.
            owner: The input that the file belongs to, as text.

        Raises:
            OutputError: The path is an input, belongs to another input, holds a file that vlfau did not write, or
                cannot be created.
        """
        self.check(name, owner)
        if self._owners.get(name.as_posix()) != owner:
            self._remember(name.as_posix(), owner)
        return self.folder / name

    def close(self) -> None:
        """Close the record, if anything was written to it."""
        if self._record is not None:
            self._record.close()

    def _remember(self, key: str, owner: str) -> None:
        try:
            (self.folder / key).parent.mkdir(parents=True, exist_ok=True)
            if self._recorded.get(key) != owner:
                if self._record is None:
                    self._record = self._opened()
                self._record.append(f"{json.dumps({'file': key, 'input': owner})}\n".encode())
                self._record.flush()
        except OSError as error:
            raise OutputError(
                f"cannot write {printable(self.folder / key)} ({error.strerror or error}); free disk space or check "
                "the folder"
            ) from None
        self._recorded[key] = self._owners[key] = owner

    def _opened(self) -> RecordFile:
        """Open the record for further lines; drops a truncated last line."""
        path = self.folder / RECORD_FILE
        if self._is_torn:
            with path.open("rb") as stream:
                size = max((end for end, _ in whole_records(stream, quoted=False)), default=0)
            os.truncate(path, size)
        return RecordFile(path)

    def _read(self) -> dict[str, str]:
        """Return the files of earlier runs with their inputs."""
        path = self.folder / RECORD_FILE
        owners: dict[str, str] = {}
        if not path.exists():
            return owners
        size = 0
        with path.open("rb") as stream:
            for end, line in whole_records(stream, quoted=False):
                try:
                    entry = parse_json(line)
                    owners[str(entry["file"])] = str(entry["input"])
                except (ValueError, KeyError, TypeError):
                    continue
                finally:
                    size = end
        self._is_torn = path.stat().st_size > size
        return owners


def output_name(given: Path, file: Path, *, parents: bool = False) -> Path:
    """Return the common beginning of an input's output names, as a path relative to the output folder.

    Args:
        given: The path given by the user: the file itself, or a folder that contains it.
        file: The input.
        parents: Whether to keep every folder of the input's path, as `cp --parents` does.

    >>> output_name(Path("study"), Path("study/b/me.png")).as_posix()
    'study/b/me.png'
    >>> output_name(Path("a/me.png"), Path("a/me.png")).as_posix()
    'me.png'
    >>> output_name(Path("a/me.png"), Path("a/me.png"), parents=True).as_posix()
    'a/me.png'
    """
    if is_live(os.fspath(file)):
        return Path(os.fspath(file).replace(":", "-"))  # Windows does not allow colons in names.
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
