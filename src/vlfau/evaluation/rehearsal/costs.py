"""What runs cost: their work at the rates that were measured."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from vlfau.evaluation.prediction_runner import EvalOptions
from vlfau.evaluation.rehearsal.ladder import Timed
from vlfau.evaluation.rehearsal.machine import Peak, machine_name
from vlfau.evaluation.rehearsal.work import PARTS, RunWork
from vlfau.files.atomic import replacing
from vlfau.training import TrainConfig

__all__ = [
    "REHEARSAL_FILE",
    "Kept",
    "Rates",
    "RunCost",
    "Sizes",
    "cost_of",
    "disk_need",
    "rate_settings",
    "read_kept",
    "step_seconds",
    "write_kept",
]

REHEARSAL_FILE: Final = "rehearsal.json"
FORMAT: Final = 1


@dataclass(frozen=True)
class Sizes:
    """What a run leaves on the disk, in bytes.

    Attributes:
        checkpoint: The network.
        resume: What a later call resumes from: the network, AdamW's two moments of it, and its moving average if any.
        answers_per_frame: Of every frame that is evaluated.
        words_per_frame: Of every frame that is described.
    """

    checkpoint: int
    resume: int
    answers_per_frame: float
    words_per_frame: float = 0.0


@dataclass(frozen=True)
class Rates:
    """How fast one network is on this machine, in seconds.

    Attributes:
        step: A training step.
        validate: A batch of a validation.
        see: A batch of the evaluation, in numbers.
        speak: A batch of it, described in words; None for a network that does not speak.
        load: A face of the training set, read and varied by one process.
        score: A described frame, its words scored.
        save: What an epoch writes.
        start: What a run takes before its first step and around its evaluation.
        sizes: What a run leaves on the disk.
        peak: The most memory of a training step, the network and its optimiser included.
        peak_is_measured: Whether that is of a step at full size.
    """

    step: Timed
    validate: Timed
    see: Timed
    speak: Timed | None
    load: float
    score: float
    save: float
    start: float
    sizes: Sizes
    peak: Peak
    peak_is_measured: bool


@dataclass(frozen=True)
class Kept:
    """What an earlier rehearsal measured.

    Attributes:
        settings: On which the rates depend, by name.
        rates: By network, see `network_key`.
        format: Of the file.
    """

    settings: dict[str, Any]
    rates: dict[str, Rates]
    format: int = FORMAT


def rate_settings(config: TrainConfig, options: EvalOptions) -> dict[str, Any]:
    """Return everything on which the rates of a configuration depend, but for the parts of Table 4."""
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
    plain: dict[str, Any] = json.loads(json.dumps(settings))  # as a file has them
    return plain


def write_kept(folder: Path, kept: Kept) -> None:
    """Write `rehearsal.json` into the folder of the runs that it is about.

    Raises:
        InputError: It cannot be written.
    """
    with replacing(folder / REHEARSAL_FILE) as temporary:
        temporary.write_bytes(TypeAdapter(Kept).dump_json(kept, indent=2))


def read_kept(folder: Path, settings: Mapping[str, Any]) -> Mapping[str, Rates]:
    """Return the rates of an earlier rehearsal under the same settings; none where there was no such."""
    try:
        content = (folder / REHEARSAL_FILE).read_bytes()
        kept = TypeAdapter(with_config(ConfigDict(extra="forbid"))(Kept)).validate_json(content)
    except (OSError, ValidationError):  # An old or damaged file says nothing of this run, and stops nothing.
        return {}
    return kept.rates if kept.format == FORMAT and kept.settings == settings else {}


@dataclass(frozen=True)
class RunCost:
    """The seconds that one run takes.

    Attributes:
        work: What it does.
        training: Its steps, and what it writes after every epoch.
        validation: All its validations.
        evaluation: The test fold in numbers, and the start of training and evaluation.
        describing: The words and their scores.
    """

    work: RunWork
    training: float
    validation: float
    evaluation: float
    describing: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.training + self.validation + self.evaluation + self.describing


def cost_of(work: RunWork, rates: Rates, *, num_workers: int) -> RunCost:
    """Return what a run costs.

    Args:
        work: What it does.
        rates: How fast its network is here.
        num_workers: Processes that load faces while the network trains; 0 loads in between.
    """
    speaking = rates.speak.per_face + rates.score if rates.speak is not None else 0.0
    return RunCost(
        work=work,
        training=work.steps * step_seconds(rates, num_workers) + work.epochs * rates.save,
        validation=work.validated * rates.validate.per_face,
        evaluation=work.tested * rates.see.per_face + rates.start,
        describing=work.described * speaking,
    )


def step_seconds(rates: Rates, num_workers: int) -> float:
    """Return how long a step takes with the loading of its faces: the slower of both where processes load ahead."""
    loading = rates.load * rates.step.wanted
    if num_workers == 0:
        return rates.step.seconds + loading
    return max(rates.step.seconds, loading / num_workers)


def disk_need(works: Sequence[RunWork], rates: Mapping[str, Rates]) -> int:
    """Return the bytes that runs leave, with what one of them needs more while it replaces its files."""
    need, most = 0.0, 0
    for work in works:
        sizes = rates[work.network].sizes
        need += sizes.checkpoint + sizes.resume
        need += work.tested * sizes.answers_per_frame + work.described * sizes.words_per_frame
        most = max(most, sizes.checkpoint + sizes.resume)
    return round(need + most)
