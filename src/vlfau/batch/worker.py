"""A worker: analyses the files of a unit, streams their rows to a shard, and reports the outcomes."""

import math
import os
import platform
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2

from vlfau.batch.folder import ResultsFolder
from vlfau.batch.inputs import ArchiveFile, Unit, file_id
from vlfau.batch.journal import Outcome, Status
from vlfau.errors import BundleError, InputError, MissingExtraError, VlfauError
from vlfau.files.names import printable
from vlfau.inference.predictor import Predictor
from vlfau.inference.results import PictureResult
from vlfau.runs.engine import file_results
from vlfau.runs.options import ArchiveOptions
from vlfau.tables.write import TableWriter, open_sink

__all__ = ["MAX_CRASHES", "CrashLog", "Job", "StopRunError", "Worker"]

MAX_CRASHES: Final = 3
_ROWS_AT_ONCE: Final = 2000
_LINE: Final = re.compile(r"^(\S+) (-?1) \d+$", re.MULTILINE)


class StopRunError(VlfauError):
    """An error that would affect every other file too."""


@dataclass(frozen=True, slots=True)
class Job:
    """Settings shared by all workers of a run.

    Attributes:
        folder: Results folder.
        token: Token of the run.
        options: How files are analysed.
        graphs: SHA-256 of the model's graphs, by file name.
    """

    folder: ResultsFolder
    token: str
    options: ArchiveOptions
    graphs: Mapping[str, str]


class CrashLog:
    """Records on disk which files of a unit killed the process that read them: those started but not finished.

    Args:
        path: The record file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text("ascii", "replace") if path.exists() else ""
        self._counts: dict[str, int] = {}
        for file, change in _LINE.findall(text):  # A power failure may have left other content.
            self._counts[file] = self._counts.get(file, 0) + int(change)

    def crash_count(self, file: str) -> int:
        """Return how many workers started the file with this id and did not finish it."""
        return self._counts.get(file, 0)

    def begin(self, file: str) -> None:
        """Record that this process starts a file."""
        self._write(file, 1)

    def end(self, file: str) -> None:
        """Record that it finished the file."""
        self._write(file, -1)

    def forget(self) -> None:
        """Delete the record."""
        self._path.unlink(missing_ok=True)

    def _write(self, file: str, change: int) -> None:
        with self._path.open("a", encoding="ascii") as stream:
            stream.write(f"{file} {change} {os.getpid()}\n")


class Worker:
    """Processes units, one after the other.

    Args:
        job: Settings shared by all workers.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._predictor: Predictor | None = None

    def process(self, unit: Unit) -> list[Outcome]:
        """Analyse all files of a unit.

        Its shard is written whole or not at all, and replaced if the unit is repeated.

        Raises:
            StopRunError: The model, the results folder or the disk cannot be used.
        """
        self._check_folder()
        predictor = self._predictor = self._predictor or self._opened()
        crashes = CrashLog(self._job.folder.state / "tries" / unit.key)
        with self._shard(unit, predictor) as sink:
            outcomes = [_FileRun(file, predictor, sink, self._job.options, crashes).outcome() for file in unit.files]
            # A frame without a face has a row, a picture without a face does not; animated pictures have many frames.
            is_video = unit.files[0].is_video
            with_rows = {outcome.id for outcome in outcomes if outcome.faces or outcome.frames > (0 if is_video else 1)}
            if with_rows:
                self._publish(sink, unit)
        crashes.forget()
        return [replace(outcome, shard=unit.shard) if outcome.id in with_rows else outcome for outcome in outcomes]

    def _opened(self) -> Predictor:
        cv2.setNumThreads(1)
        machine = platform.node()
        try:
            predictor = self._job.options.predictor()
        except (InputError, MissingExtraError) as error:
            raise StopRunError(f"machine {machine} cannot open the model: {error}") from None
        if dict(predictor.bundle.files) != dict(self._job.graphs):
            raise StopRunError(
                f"machine {machine} has another model at {predictor.bundle.folder}; install the same vlfau on all "
                "machines, or use a bundle in a shared folder"
            )
        return predictor

    def _check_folder(self) -> None:
        if not self._job.folder.allows(self._job.token):
            raise StopRunError(
                f"machine {platform.node()} does not see this run in {printable(self._job.folder.path)}: choose a "
                "results folder on shared storage, and do not let a second run write to it"
            )

    @contextmanager
    def _shard(self, unit: Unit, predictor: Predictor) -> Iterator[TableWriter]:
        # Separate folders: a worker presumed dead may still be writing to its own.
        folder = self._job.folder.state / "writing" / f"{unit.key}-{secrets.token_hex(4)}"
        options = self._job.options
        try:
            folder.mkdir(parents=True)
            sink = open_sink(
                folder / "shard.parquet",
                model=predictor.bundle.info,
                groups=options.groups,
                keep_doubtful=options.keep_doubtful or not options.quality,
                flush_rows=_ROWS_AT_ONCE,
                flush_s=math.inf,
            )
        except (OSError, InputError) as error:
            raise StopRunError(
                f"cannot write {printable(folder)} ({error}); free disk space or check the folder, then resume"
            ) from None
        try:
            yield sink
        finally:
            sink.abandon()
            shutil.rmtree(folder, ignore_errors=True)

    def _publish(self, sink: TableWriter, unit: Unit) -> None:
        target = self._job.folder.results / unit.shard
        try:
            sink.close()
            self._check_folder()
            target.parent.mkdir(parents=True, exist_ok=True)
            sink.path.replace(target)
        except (OSError, InputError) as error:
            raise StopRunError(
                f"cannot write {printable(target)} ({error}); free disk space or check the folder, then resume"
            ) from None


class _FileRun:
    """One file being written to the shard."""

    def __init__(
        self, file: ArchiveFile, predictor: Predictor, sink: TableWriter, options: ArchiveOptions, crashes: CrashLog
    ) -> None:
        self._file, self._predictor, self._sink, self._options = file, predictor, sink, options
        self._crashes = crashes
        self._name, self._id = printable(file.name), file_id(file.name)
        self._frames = self._faces = 0
        self._notes: list[str] = []

    def outcome(self) -> Outcome:
        """Analyse the file and return its outcome."""
        if self._crashes.crash_count(self._id) >= MAX_CRASHES:
            return self._ended(
                "WorkerDied",
                f"{self._name} ended the process that read it {MAX_CRASHES} times, by a crash or for want of memory; "
                "convert it, or look at it alone",
            )
        self._crashes.begin(self._id)
        try:
            results = file_results(
                self._predictor, self._file.path, self._options, file=self._name, notice=self._notes.append
            )
            with closing(results):
                for result in results:
                    self._write(result)
        except (StopRunError, BundleError) as error:
            raise StopRunError(str(error)) from None
        except Exception as error:  # One bad file never stops the others.
            self._crashes.end(self._id)
            return self._ended(type(error).__name__, self._reason(error))
        self._crashes.end(self._id)
        return self._ended()

    def _write(self, result: PictureResult) -> None:
        try:
            self._sink.write(result)
        except InputError as error:
            raise StopRunError(str(error)) from None
        self._frames += 1
        self._faces += len(result.faces)

    def _ended(self, kind: str = "", message: str = "") -> Outcome:
        status = Status.DONE if not kind else Status.PARTIAL if self._frames else Status.FAILED
        return Outcome(
            file=self._name,
            status=status,
            frames=self._frames,
            faces=self._faces,
            kind=kind,
            message=message,
            id=self._id,
            notes="; ".join(self._notes),
        )

    def _reason(self, error: Exception) -> str:
        if self._file.size is not None and not os.path.exists(self._file.path):  # noqa: PTH110 - any name
            return (
                f"{self._name} is not on machine {platform.node()} ({printable(self._file.path)}), but the driver sees "
                "it; keep the archive on storage that all machines share, under the same path"
            )
        return str(error) or type(error).__name__
