"""The driver: deals out an archive, and counts what is done."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vlfau.batch.cluster import cluster
from vlfau.batch.folder import open_results_folder
from vlfau.batch.inputs import Unit, file_id, find_files, units_of
from vlfau.batch.journal import Journal, Outcome, Status
from vlfau.batch.worker import Job
from vlfau.runs.options import ArchiveOptions

__all__ = ["Archive", "ArchiveProgress", "process_archive"]

_UNITS_AT_ONCE: Final = 20_000
"""Ray keeps some kilobytes for each unit that waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveProgress:
    """How far a run is.

    Attributes:
        files: Files of the archive.
        done_before: Those that earlier runs processed.
        processed: Those that this run processed.
        failed: Of these, those that failed or broke off.
        frames: Pictures and frames that this run analysed.
        faces: Faces in them.
        size: Bytes of all files that this run has to process.
        processed_size: Of those that it processed.
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
        job: What its workers share.
        units: All of them.
        journal: What earlier runs did.

    Attributes:
        job: What its workers share.
        pending: The units that are to be done.
        progress: How far the run is.
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
        """Write down what became of the files of a unit, and return how far the run is now.

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
        """Keep only the shards that the list names."""
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

    A run that was stopped, however, is resumed when it is started again. A file that cannot be read is
    listed in `errors.csv`, and the others are processed.

    Args:
        source: A list of files, a folder, or a pattern: see `find_files`.
        out: Folder for results/, files.csv and errors.csv, new or begun before.
        options: How files are analysed; None takes the defaults.
        workers: Processes, each of which keeps one core busy; None takes all cores of the machine or cluster.
        address: A Ray cluster; None starts Ray on this machine, or uses the one that runs in this process.
        retry: Try files again that failed or broke off in an earlier run.
        progress: Is called with how far the run is, at its start and after each unit.

    Returns:
        How far it came.

    Raises:
        InputError: The archive, the folder or an option is not as it must be, or not the same for all machines.
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
