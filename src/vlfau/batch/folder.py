"""The results folder of an archive, shared by the driver and the workers.

results/ab/abc...-name.parquet   one shard per video, or per some hundred pictures files.csv                        the
outcome of every file errors.csv                       files that failed or were truncated _state/settings.json the
options of the run _state/run                       the run that may write; workers of other runs may not
_state/writing/                  unfinished shards _state/tries/                    files that are being read
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vlfau._version import version
from vlfau.errors import InputError
from vlfau.files.atomic import replacing
from vlfau.files.lock import lock_output
from vlfau.files.names import check_is_local, printable
from vlfau.files.same_settings import refuse_foreign_folder, start_or_resume_folder
from vlfau.inference.bundle import Bundle
from vlfau.runs.options import ArchiveOptions

__all__ = ["ResultsFolder", "open_results_folder"]

FORMAT: Final = 2


@dataclass(frozen=True, slots=True)
class ResultsFolder:
    """Paths in the results folder.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def results(self) -> Path:
        """The folder of shards."""
        return self.path / "results"

    @property
    def files(self) -> Path:
        """The list of processed files."""
        return self.path / "files.csv"

    @property
    def errors(self) -> Path:
        """The list of files that failed or were truncated."""
        return self.path / "errors.csv"

    @property
    def skipped(self) -> Path:
        """The list of files in the archive's folder that are not read."""
        return self.path / "skipped.csv"

    @property
    def state(self) -> Path:
        """The folder with the state for resuming."""
        return self.path / "_state"

    def allows(self, token: str) -> bool:
        """Return whether a run may write here: not if a newer run has started, or if this is another folder."""
        try:
            return (self.state / "run").read_text("ascii") == token
        except (OSError, ValueError):
            return False

    def clean(self, shards: set[str]) -> None:
        """Remove unlisted shards of unfinished units, and their temporary files."""
        for folder in ("writing", "tries"):
            shutil.rmtree(self.state / folder, ignore_errors=True)
        for parent, _, names in os.walk(self.results):
            for name in names:
                path = Path(parent, name)
                if path.relative_to(self.results).as_posix() not in shards:
                    path.unlink(missing_ok=True)


@contextmanager
def open_results_folder(path: Path, options: ArchiveOptions, bundle: Bundle) -> Iterator[tuple[ResultsFolder, str]]:
    """Create or resume a results folder, and lock it.

    Returns:
        The folder, and a token by which workers recognise this run.

    Raises:
        InputError: It cannot be written, contains other files or results of other settings, or another run is writing
            to it.
    """
    check_is_local(path)
    folder, token = ResultsFolder(Path(os.path.abspath(path))), secrets.token_hex(16)  # noqa: PTH100 - keeps links
    ours: dict[str, Any] = {
        "format": FORMAT,
        "vlfau": version(),
        "model": f"{bundle.info.name} {bundle.info.version}",
        "graphs": dict(bundle.files),
        **options.record(),
    }
    record = folder.state / "settings.json"
    refuse_foreign_folder(folder.path, record)
    try:
        folder.state.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {printable(path)} ({error.strerror}); choose another") from None
    with lock_output(folder.state / "run"):
        # Without words it does not matter whether they are free, as earlier versions recorded.
        start_or_resume_folder(folder.path, ours, record, may_differ=() if options.wants_words else {"consistent"})
        with replacing(folder.state / "run") as temporary:
            temporary.write_text(token, "ascii")
        yield folder, token
