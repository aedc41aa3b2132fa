"""`--prepare` of `vlfau crossval` and `vlfau ablate`: from the raw folders of a data set to its manifest."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from vlfau.cli.console import print_notice
from vlfau.cli.measuring import ProgressBar
from vlfau.errors import ConfigError

if TYPE_CHECKING:
    from vlfau.evaluation.rehearsal import DataCount
    from vlfau.prepare import Source
    from vlfau.training import TrainConfig

__all__ = ["PreparedSample", "prepare_manifest", "prepared_sample"]

MANIFEST: Final = "manifest.csv"
SHARE: Final = 0.01


@dataclass(frozen=True)
class PreparedSample:
    """A prepared hundredth of a raw data set.

    Attributes:
        manifest: Manifest of the sample.
        counts: Label counts of the whole data set.
        seconds: Estimated time for preparing the whole data set.
    """

    manifest: Path
    counts: "DataCount"
    seconds: float


def prepare_manifest(config: "TrainConfig", folder: Path, workers: int) -> None:
    """Prepare a raw data set into the folder of `data.manifest` unless that exists; resumes an interrupted run.

    Args:
        config: Configuration; its data.aus selects the data set.
        folder: Folder of the raw data.
        workers: Number of processes.

    Raises:
        InputError: The data set is unknown, or the raw data are wrong.
    """
    if config.data.manifest.exists():
        print_notice(f"{config.data.manifest} exists, so nothing is prepared", title="note", style="yellow")
        return
    source = _read(config, folder)
    with ProgressBar("Preparing") as progress:
        _prepare(source, config, config.data.manifest.parent, workers, progress)


@contextmanager
def prepared_sample(config: "TrainConfig", folder: Path, workers: int) -> Iterator[PreparedSample]:
    """Prepare a hundredth of a raw data set, some frames of every person, into a temporary folder.

    Args:
        config: Configuration; its data.aus selects the data set.
        folder: Folder of the raw data.
        workers: Number of processes.

    Raises:
        InputError: The data set is unknown, or the raw data are wrong.
    """
    from vlfau.evaluation.rehearsal import DataCount, FoldCount
    from vlfau.prepare.prepare import sample_source
    from vlfau.prepare.report import Counts

    source = _read(config, folder)
    with_picture = [(clip, frame) for clip, frame in source.frames() if clip.has_picture(frame)]
    counted = Counts.of(source.protocol, with_picture)
    numbers = zip(counted.subjects.tolist(), counted.frames.tolist(), counted.positives.tolist(), strict=True)
    folds = (
        FoldCount(fold, subjects, frames, tuple(positives))
        for fold, (subjects, frames, positives) in enumerate(numbers, 1)
    )
    counts = DataCount(source.protocol.au_ids, tuple(fold for fold in folds if fold.frames))
    some = sample_source(source, SHARE)
    with TemporaryDirectory() as place, ProgressBar("Preparing a hundredth") as progress:
        began = time.perf_counter()
        _prepare(some, config, Path(place), workers, progress)
        per_frame = (time.perf_counter() - began) / sum(1 for _ in some.frames())
        yield PreparedSample(Path(place) / MANIFEST, counts, per_frame * len(with_picture))


def _read(config: "TrainConfig", folder: Path) -> "Source":
    from vlfau.prepare import read_bp4d, read_disfa

    readers: Mapping[str, Callable[[Path], Source]] = {"bp4d": read_bp4d, "disfa": read_disfa}
    name = config.data.aus
    if not isinstance(name, str) or name not in readers:
        raise ConfigError(
            f"--prepare knows {' and '.join(readers)} (data.aus), not {name}; call `vlfau prepare` yourself "
            "and give data.manifest"
        )
    if config.data.manifest.name != MANIFEST:
        raise ConfigError(
            f"--prepare writes a file {MANIFEST}, and data.manifest is {config.data.manifest}; name it so, as in "
            f"--set data.manifest=data/{name}/{MANIFEST}"
        )
    return readers[name](folder)


def _prepare(
    source: "Source", config: "TrainConfig", folder: Path, workers: int, progress: Callable[[int, int], None]
) -> None:
    from vlfau.prepare import prepare

    prepare(source, folder, size=config.data.aligned_size, workers=workers, progress=progress)
