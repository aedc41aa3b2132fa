"""The state of an unfinished run, beside its tables: its options, and the finished videos.

The first line holds the options as JSON, each further line the name of a video and the number of its last frame. Rows
do not show whether a video is finished: inputs may have another order when the run is resumed, and a resumed table
drops its last frame, in which faces may be missing.
"""

import errno
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vlfau.errors import InputError, OutputError
from vlfau.files.atomic import replacing
from vlfau.files.names import printable
from vlfau.files.records import RecordFile, parse_json
from vlfau.files.same_settings import check_same_settings

__all__ = ["ResumeFile"]


class ResumeFile:
    """A hidden file that exists from the start of a run until its successful end.

    Args:
        table: The run's first table.
        settings: All options that affect the rows, by name.
    """

    def __init__(self, table: Path, settings: Mapping[str, Any]) -> None:
        self._table, self._settings = table, dict(settings)
        self._path = table.with_name(f".{table.name}.run")
        self._file: RecordFile | None = None
        self._was_interrupted = False
        self._finished: dict[str, int | None] = {}
        self._finished_here: set[str] = set()

    def exists(self) -> bool:
        """Return whether an earlier run was interrupted."""
        return self._path.exists()

    def check(self) -> None:
        """Check that the interrupted run had the same options.

        Raises:
            InputError: It had different options, or their record is damaged.
        """
        try:
            before = parse_json(self._path.read_text("utf-8").partition("\n")[0])
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno in {errno.ENOENT, errno.ENAMETOOLONG}:
                return
            before = None
        if not isinstance(before, dict):
            raise InputError(
                f"{printable(self._path)}, which holds the options of the run that began {printable(self._table)}, is "
                "damaged; start over without --resume"
            )
        self.check_options(self._table, before)

    def check_options(self, table: Path, before: Mapping[str, Any]) -> None:
        """Check that this run has the options of an earlier one.

        Args:
            table: A table of the earlier run.
            before: The options of the earlier run.

        Raises:
            InputError: It had different options.
        """
        check_same_settings(
            _as_given({name: value for name, value in before.items() if name in self._settings}),
            _as_given(self._settings),
            what=printable(table),
            ways_out="give the same options, or start over without --resume",
        )

    def begin(self, *, resume: bool) -> None:
        """Record the start of a run.

        Args:
            resume: Whether videos finished by an earlier run remain finished.

        Raises:
            OutputError: The file cannot be written.
        """
        self._was_interrupted = self.exists()
        if resume and self._was_interrupted:
            known = self._path.read_bytes().splitlines(keepends=True)[1:]
            self._finished = dict(filter(None, map(_finished_video, known)))
        lines = [json.dumps(self._settings), *map(json.dumps, sorted(self._finished.items()))]
        with replacing(self._path) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        self._file = RecordFile(self._path)

    def has_finished(self, video: str, last_frame: int | None) -> bool:
        """Return whether an earlier run finished a video.

        Args:
            video: The video.
            last_frame: The last frame with rows in a table.
        """
        if not self._was_interrupted:
            return True
        return video in self._finished and self._finished[video] == last_frame

    def finish(self, video: str, last_frame: int | None) -> None:
        """Record that a video is finished and its rows are written.

        Args:
            video: The video.
            last_frame: Number of its last frame; None if it has none.

        Raises:
            OutputError: The file cannot be written.
        """
        assert self._file is not None
        try:
            self._file.append(f"{json.dumps([video, last_frame])}\n".encode())
            self._file.flush()
        except OSError as error:
            raise OutputError(
                f"cannot write {printable(self._path)} ({error.strerror or error}); free disk space"
            ) from None
        self._finished_here.add(video)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._file is not None:
            self._file.close()

    def end(self, earlier: Mapping[str, int | None]) -> list[str]:
        """Record that the run has ended well; the file stays if a video of an earlier run is still unfinished.

        Args:
            earlier: The last frame of each video with rows of earlier runs; None for a picture.

        Returns:
            The unfinished videos, which this run was not given.
        """
        unfinished = sorted(
            video
            for video, last_frame in earlier.items()
            if last_frame is not None and video not in self._finished_here and not self.has_finished(video, last_frame)
        )
        if not unfinished:
            self._path.unlink(missing_ok=True)
        return unfinished


def _finished_video(line: bytes) -> tuple[str, int | None] | None:
    """Parse a line about a video; a truncated line, or one of an earlier version, is ignored."""
    if not line.endswith(b"\n"):
        return None
    try:
        video, last_frame = parse_json(line)
    except (ValueError, TypeError):
        return None
    return (video, last_frame) if isinstance(video, str) and isinstance(last_frame, int | None) else None


def _as_given(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return recorded settings as command-line options.

    >>> _as_given({"every": "0.2s", "consistent": False})
    {'--every': '0.2s', '--free-words': True}
    """
    options = {f"--{name}": value for name, value in settings.items() if name != "consistent"}
    # Runs without this setting predate the option; their captions were free, if there were any.
    has_words = settings.get("describe") != "never"
    return options | {"--free-words": has_words and not settings.get("consistent", False)}
