"""The estimated cost of runs: their workload at the measured rates."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from vlfau.evaluation.prediction_runner import EvalOptions
from vlfau.evaluation.rehearsal.resources import PeakMemory, machine_name
from vlfau.evaluation.rehearsal.timing import Timings
from vlfau.evaluation.rehearsal.workload import PARTS, Workload
from vlfau.files.atomic import replacing
from vlfau.training import TrainConfig

__all__ = [
    "REHEARSAL_FILE",
    "DiskSizes",
    "Rates",
    "RunCost",
    "SavedRates",
    "disk_need",
    "estimate_cost",
    "rate_settings",
    "read_rates",
    "step_seconds",
    "write_rates",
]

REHEARSAL_FILE: Final = "rehearsal.json"
FORMAT: Final = 1


@dataclass(frozen=True)
class DiskSizes:
    """What a run leaves on the disk, in bytes.

    Attributes:
        checkpoint: Size of the checkpoint.
        resume: Size of the file to resume from: the network, AdamW's two moments, and the moving average if any.
        answers_per_frame: Size of the predictions of one evaluated frame.
        words_per_frame: Size of the captions of one described frame.
    """

    checkpoint: int
    resume: int
    answers_per_frame: float
    words_per_frame: float = 0.0


@dataclass(frozen=True)
class Rates:
    """How fast one network is on this machine, in seconds.

    Attributes:
        step: Time of a training step.
        validate: Time of a validation batch.
        see: Time to predict the AUs of an evaluation batch.
        speak: Time to describe an evaluation batch in words; None for a network without captions.
        load: Time for one process to read and augment one face of the training set.
        score: Time to score the captions of one frame.
        save: Time to write the files of one epoch.
        start: Time before the first step and around the evaluation.
        sizes: What a run leaves on the disk.
        peak: Peak memory of a training step, including the network and its optimiser.
        peak_is_measured: Whether the peak was measured on a step of full size.
    """

    step: Timings
    validate: Timings
    see: Timings
    speak: Timings | None
    load: float
    score: float
    save: float
    start: float
    sizes: DiskSizes
    peak: PeakMemory
    peak_is_measured: bool


@dataclass(frozen=True)
class SavedRates:
    """The content of `rehearsal.json`.

    Attributes:
        settings: The settings that the rates depend on, by name.
        rates: The rates of each network, by `network_key`.
        format: Version of the file format.
    """

    settings: dict[str, Any]
    rates: dict[str, Rates]
    format: int = FORMAT


def rate_settings(config: TrainConfig, options: EvalOptions) -> dict[str, Any]:
    """Return every setting that the rates of a configuration depend on, apart from the parts of Table 4."""
    model = {name: value for name, value in asdict(config.model).items() if name not in PARTS}
    run = ("batch_size", "precision", "accelerator", "threads", "local_captions_per_face", "frozen_vision")
    settings = {
        "machine": machine_name(),
        "model": model,
        "aus": config.data.aus,
        "augmentation": asdict(config.augmentation),
        "average_decay": config.optimiser.average_decay,
        "evaluation batch": options.batch_size,
        **{name: getattr(config.run, name) for name in run},
    }
    plain: dict[str, Any] = json.loads(json.dumps(settings))  # as in a file
    return plain


def write_rates(folder: Path, saved: SavedRates) -> None:
    """Write `rehearsal.json` into the folder of the runs.

    Raises:
        InputError: The file cannot be written.
    """
    with replacing(folder / REHEARSAL_FILE) as temporary:
        temporary.write_bytes(TypeAdapter(SavedRates).dump_json(saved, indent=2))


def read_rates(folder: Path, settings: Mapping[str, Any]) -> Mapping[str, Rates]:
    """Return the rates of an earlier rehearsal with the same settings; empty if there was none."""
    try:
        content = (folder / REHEARSAL_FILE).read_bytes()
        saved = TypeAdapter(with_config(ConfigDict(extra="forbid"))(SavedRates)).validate_json(content)
    except (OSError, ValidationError):  # An old or damaged file is ignored.
        return {}
    return saved.rates if saved.format == FORMAT and saved.settings == settings else {}


@dataclass(frozen=True)
class RunCost:
    """The estimated seconds of one run.

    Attributes:
        workload: What the run does.
        training: Training steps, and writing the files of every epoch.
        validation: All validations.
        evaluation: Prediction of the test fold, and the start of training and evaluation.
        describing: Captions and their scores.
    """

    workload: Workload
    training: float
    validation: float
    evaluation: float
    describing: float

    @property
    def total(self) -> float:
        """The seconds of the whole run."""
        return self.training + self.validation + self.evaluation + self.describing


def estimate_cost(workload: Workload, rates: Rates, *, num_workers: int) -> RunCost:
    """Return the estimated cost of a run.

    Args:
        workload: What the run does.
        rates: How fast its network is on this machine.
        num_workers: Processes that load faces while the network trains; with 0, loading and training alternate.
    """
    captioning = rates.speak.per_face + rates.score if rates.speak is not None else 0.0
    return RunCost(
        workload=workload,
        training=workload.steps * step_seconds(rates, num_workers) + workload.epochs * rates.save,
        validation=workload.validated * rates.validate.per_face,
        evaluation=workload.tested * rates.see.per_face + rates.start,
        describing=workload.described * captioning,
    )


def step_seconds(rates: Rates, num_workers: int) -> float:
    """Return the seconds of a step and of loading its faces: with worker processes, the slower of the two."""
    loading = rates.load * rates.step.wanted
    if num_workers == 0:
        return rates.step.seconds + loading
    return max(rates.step.seconds, loading / num_workers)


def disk_need(runs: Sequence[Workload], rates: Mapping[str, Rates]) -> int:
    """Return the bytes that runs leave, plus the room that one of them needs while it replaces its files."""
    need, largest = 0.0, 0
    for run in runs:
        sizes = rates[run.network].sizes
        need += sizes.checkpoint + sizes.resume
        need += run.tested * sizes.answers_per_frame + run.described * sizes.words_per_frame
        largest = max(largest, sizes.checkpoint + sizes.resume)
    return round(need + largest)
