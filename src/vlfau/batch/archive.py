"""The driver: distributes the files of an archive and counts finished ones."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vlfau.batch.cluster import cluster
from vlfau.batch.folder import open_results_folder
from vlfau.batch.inputs import Unit, file_id, find_files, units_of
from vlfau.batch.journal import Journal, Outcome, Status
from vlfau.batch.worker import Job
from vlfau.media.analysed import ANALYSED_SUFFIXES
from vlfau.media.inputs import unread_files
from vlfau.runs.options import ArchiveOptions
from vlfau.tables.errors_file import SkippedList

__all__ = ["Archive", "ArchiveProgress", "process_archive"]

_UNITS_AT_ONCE: Final = 20_000
"""Ray keeps some kilobytes for each unit that waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveProgress:
    """Progress of a run.

    Attributes:
        files: Number of files in the archive.
        done_before: Files processed by earlier runs.
        processed: Files processed by this run.
        failed: Those of them that failed or were truncated.
        frames: Pictures and frames analysed by this run.
        faces: Faces in them.
        size: Total size of the files to process, in bytes.
        processed_size: Size of the processed files, in bytes.
    """

    files: int
    done_before: int
    processed: int = 0
    failed: int = 0
    frames: int = 0
    faces: int = 0
    size: int = 0
    processed_size: int = 0


class Archive:
    """An archive that is being processed.

    Args:
        job: Settings shared by all workers.
        units: All units.
        journal: Outcomes of earlier runs.

    Attributes:
        job: Settings shared by all workers.
        pending: Units still to process.
        progress: Progress of the run.
    """

    def __init__(self, job: Job, units: Sequence[Unit], journal: Journal) -> None:
        self.job, self._journal = job, journal
        files = [(file_id(file.name), unit, file) for unit in units for file in unit.files]
        missing = {unit for name, unit, _ in files if name not in journal}
        self.pending = [unit for unit in units if unit in missing]
        self._sizes = {name: file.size or 0 for name, unit, file in files if unit in missing}
        self.progress = ArchiveProgress(
            files=len(files), done_before=len(files) - len(self._sizes), size=sum(self._sizes.values())
        )
        job.folder.clean(journal.shards())

    def record(self, outcomes: Iterable[Outcome]) -> ArchiveProgress:
        """Record the outcomes of a unit's files, and return the progress.

        Raises:
            InputError: It cannot be written.
        """
        outcomes = list(outcomes)
        self._journal.add(outcomes)
        before = self.progress
        self.progress = ArchiveProgress(
            files=before.files,
            done_before=before.done_before,
            processed=before.processed + len(outcomes),
            failed=before.failed + sum(outcome.status is not Status.DONE for outcome in outcomes),
            frames=before.frames + sum(outcome.frames for outcome in outcomes),
            faces=before.faces + sum(outcome.faces for outcome in outcomes),
            size=before.size,
            processed_size=before.processed_size + sum(self._sizes.get(outcome.id, 0) for outcome in outcomes),
        )
        return self.progress

    def finish(self) -> None:
        """Delete shards that the list does not name."""
        self.job.folder.clean(self._journal.shards())


def process_archive(
    source: str | Path,
    out: str | Path,
    options: ArchiveOptions | None = None,
    *,
    workers: int | None = None,
    address: str | None = None,
    retry: bool = False,
    progress: Callable[[ArchiveProgress], None] | None = None,
) -> ArchiveProgress:
    """Analyse every file of an archive, and write the rows as Parquet.

    Resumes an interrupted run when called again. Files that cannot be read are listed in `errors.csv`, and the others
    are processed. What is left out of a folder is listed in `skipped.csv`.

    Args:
        source: A list of files, a folder, or a pattern: see `find_files`.
        out: Folder for results/ and the lists; new, or from an earlier run.
        options: How files are analysed; None takes the defaults.
        workers: Number of processes, each of which uses one core; None uses all cores of the machine or cluster.
        address: Ray cluster; None starts Ray on this machine, or uses the Ray that this process is connected to.
        retry: Retry files that failed or were truncated in an earlier run.
        progress: Called with the progress at the start and after each unit.

    Returns:
        The final progress.

    Raises:
        InputError: The archive, the folder or an option is invalid, or differs between machines.
        MissingExtraError: Ray is not installed.
        VlfauError: Ray does not start, or stops.
    """
    options = (options or ArchiveOptions()).for_workers()
    bundle = options.predictor().bundle
    units = units_of(find_files(source))
    report = progress or (lambda progress: None)
    with (
        open_results_folder(Path(out), options, bundle) as (folder, token),
        Journal(folder.files, retry=retry) as journal,
    ):
        unread = unread_files(Path(source), suffixes=ANALYSED_SUFFIXES) if Path(source).is_dir() else {}
        SkippedList(folder.skipped, unread).write()
        archive = Archive(Job(folder, token, options, dict(bundle.files)), units, journal)
        report(archive.progress)
        try:
            if archive.pending:
                _process(archive, workers, address, report)
            archive.finish()
        finally:
            journal.finish(folder.errors)
        return archive.progress


def _process(
    archive: Archive, workers: int | None, address: str | None, report: Callable[[ArchiveProgress], None]
) -> None:
    with cluster(address, workers) as process:
        for start in range(0, len(archive.pending), _UNITS_AT_ONCE):
            for outcomes in process(archive.job, archive.pending[start : start + _UNITS_AT_ONCE]):
                report(archive.record(outcomes))
