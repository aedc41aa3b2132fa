"""The configuration of `vlfau train`, as dataclasses; the defaults are the paper's recipe (section 4.1)."""

import reprlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from vlfau.data.transforms import AugmentationConfig
from vlfau.errors import ConfigError
from vlfau.facs import AU_SETS, check_au_ids
from vlfau.model import ModelConfig
from vlfau.model.losses import WeightSum
from vlfau.training.controls import CaptionControl

__all__ = ["DataConfig", "EpochChoice", "OptimiserConfig", "RunConfig", "StemConfig", "TrainConfig", "read_config"]


class EpochChoice(StrEnum):
    """The epoch whose network a run keeps.

    Attributes:
        LAST: The last one. Nothing is chosen, so the test fold is seen once, at the end.
        HELD_OUT: The one with the highest macro F1 on people who are kept out of training for that: a share of those of
            the training folds, or `DataConfig.validation` where it is given.
        TEST_FOLD: The one with the highest macro F1 on the test fold itself. Much published code does so; the score
            is too high, since the test fold chose the network that it then tests.
    """

    LAST = "last"
    HELD_OUT = "held-out"
    TEST_FOLD = "test-fold"


@dataclass(frozen=True)
class DataConfig:
    """Training data.

    Attributes:
        manifest: The CSV file of frames, relative to the configuration's folder.
        aus: The AUs: a list, the name of a set such as "bp4d", or nothing for all of the manifest.
        fold: The test fold, whose people are never trained on; None trains on everything.
        validation: A manifest of other people to validate on, with `fold` None; relative like `manifest`.
        aligned_size: Side of the aligned faces, from which crops are taken.
        keep_in_memory: Whether to keep all faces in memory.
        gender_dropout: The share of global captions that leave a known gender out, which teaches the
            neutral subject that prediction uses.
        train_subjects: How many of the people who may train do so, drawn by `run.seed`; None takes all.
        description: Description of the data, for the model's metadata.
        synthetic: Whether the faces are synthetic, for the model's metadata.
    """

    manifest: Path
    aus: list[int] | str | None = None
    fold: int | None = 1
    validation: Path | None = None
    aligned_size: int = 256
    keep_in_memory: bool = False
    gender_dropout: float = 0.3
    train_subjects: int | None = None
    description: str = ""
    synthetic: bool = False

    def au_ids(self) -> tuple[int, ...] | None:
        """Return the AUs as numbers, or None for those of the manifest."""
        if self.aus is None:
            return None
        if isinstance(self.aus, list):
            return check_au_ids(self.aus)
        if self.aus not in AU_SETS:
            raise ConfigError(
                f"data.aus '{self.aus}' is not a set of AUs; choose among {', '.join(AU_SETS)}, or list them"
            )
        return AU_SETS[self.aus]


@dataclass(frozen=True)
class StemConfig:
    """Initial weights of the stem.

    Attributes:
        weights: A local file of ImageNet weights of the backbone; None starts from scratch, and the run is labelled so.
    """

    weights: Path | None = None


@dataclass(frozen=True)
class OptimiserConfig:
    """AdamW with a cosine schedule to 0, stepped every iteration.

    The paper gives no learning rate; 1e-4 is ME-GraphAU's for the same stem (IJCAI 2022).

    Attributes:
        learning_rate: Peak learning rate.
        betas: AdamW's betas.
        weight_decay: AdamW's weight decay.
        warmup_steps: Steps over which the rate rises from 0 first.
        stem_rate: The stem's learning rate as a share of the others', so that pre-trained features change less.
        schedule_epochs: Epochs in which the rate falls to 0, for a run that ends earlier and is continued by another.
            None takes the run's epochs.
        gradient_clip: Largest norm of the gradient; None leaves it.
        average_decay: Validate and keep an exponential moving average of the weights (Polyak and Juditsky, 1992) with
            this decay per step, such as 0.999, in place of the weights themselves; None keeps these.
    """

    learning_rate: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 5e-4
    warmup_steps: int = 0
    stem_rate: float = 1.0
    schedule_epochs: int | None = None
    gradient_clip: float | None = None
    average_decay: float | None = None

    def __post_init__(self) -> None:
        if self.average_decay is not None and not 0 <= self.average_decay < 1:
            raise ConfigError(
                f"optimiser.average_decay {self.average_decay} is not from 0 to below 1; give one such as 0.999"
            )


@dataclass(frozen=True)
class RunConfig:
    """Length, output and execution of a run.

    Attributes:
        output: The folder that holds the run, relative to where the command is called. In a configuration file,
            `{fold}` stands for `data.fold` ("all" where it is null) and `{seed}` for `run.seed`.
        epoch_choice: Which epoch's network is kept: last, held-out or test-fold (`EpochChoice`).
        held_out_share: With held-out and without `DataConfig.validation`: the share of the people of the training folds
            who choose the epoch and do not train.
        max_epochs: Epochs of the whole run; the learning rate's schedule ends with them.
        stop_after_epochs: Epochs after which this call stops, to be resumed later; None runs to the end.
        validate_every_epochs: Epochs between two validations; the last epoch is always validated. With `last` they
            only show progress.
        batch_size: Faces per step and device.
        accumulate_batches: Batches whose gradients are accumulated before each step.
        num_workers: Number of processes for loading data.
        start_from: A checkpoint or a bundle with the same AUs (a folder, or a bundle's name such as "default"), perhaps
            without captions. The run starts from its vision half and, if their sizes match, from its caption decoders,
            keeping the words that they share. None starts from scratch.
        frozen_vision: Whether the vision half and its thresholds stay those of `start_from`, so that only the caption
            decoders train.
        precision: Lightning's precision.
        seed: Seed of all random numbers.
        weight_sum: Sum of the class weights of Eq. 9.
        local_captions_per_face: AUs per face and step whose captions are learned, drawn at random; the expected loss is
            Eq. 10's. None takes all.
        active_first: Share of faces for which captions of active AUs are drawn first: if AUs are rare, decoders that
            mostly see captions of inactive ones would describe no others.
        decided_captions: Whether an AU's caption teaches only where the network, at a probability of .5, predicts the
            state that it describes. With a frozen vision half and `model.told_scores`, decoders so learn to say what
            was decided, also where that is wrong.
        caption_control: What captions mean in training: their own AU ("none"), or nothing ("shuffled"), a control for
            what language adds (`CaptionControl`).
        attention_loss: Weight of the loss that teaches the branches' spatial attention where their AUs act
            (`vlfau.model.au_regions`); needs a manifest with landmarks. 0, as in the paper, leaves attention alone.
        accelerator: Lightning's accelerator.
        devices: Lightning's devices, the number per node.
        num_nodes: Number of machines.
        strategy: Lightning's strategy for several devices, such as ddp. Strategies that shard weights are not
            supported.
        threads: Number of torch threads in this process; None keeps the default.
    """

    output: Path = Path("runs/vlfau")
    epoch_choice: EpochChoice = EpochChoice.LAST
    held_out_share: float = 0.15
    max_epochs: int = 15
    stop_after_epochs: int | None = None
    validate_every_epochs: int = 1
    batch_size: int = 64
    accumulate_batches: int = 1
    num_workers: int = 2
    start_from: Path | None = None
    frozen_vision: bool = False
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    seed: int = 1
    weight_sum: WeightSum = WeightSum.NUM_AUS
    local_captions_per_face: int | None = None
    active_first: float = 0.0
    decided_captions: bool = False
    caption_control: CaptionControl = CaptionControl.NONE
    attention_loss: float = 0.0
    accelerator: str = "auto"
    devices: int | str = 1
    num_nodes: int = 1
    strategy: str = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.held_out_share < 1:
            raise ConfigError(f"run.held_out_share {self.held_out_share} is not between 0 and 1; give one such as 0.15")


@dataclass(frozen=True)
class TrainConfig:
    """The configuration of a training run."""

    data: DataConfig
    model: ModelConfig = field(default_factory=ModelConfig)
    stem: StemConfig = field(default_factory=StemConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    run: RunConfig = field(default_factory=RunConfig)


def read_config(path: Path, overrides: Sequence[str] = ()) -> TrainConfig:
    """Read a YAML file, apply overrides, and validate it.

    Args:
        path: The file. Its paths `data.manifest`, `data.validation` and `stem.weights` are relative to its folder.
        overrides: Changes such as "run.max_epochs=2"; values are YAML, and paths relative to where the command is
            called.

    Raises:
        ConfigError: A key is unknown, or a value has the wrong type; the message names file and key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"configuration {path} can't be opened ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"configuration {path} is not UTF-8 text ({error}); save it as one") from error
    settings = _parsed(text, f"configuration {path}")
    if not isinstance(settings, dict):
        raise ConfigError(f"configuration {path} must be a mapping with 'data', 'model' and so on")
    _resolve(settings, path.parent)
    for override in overrides:
        _override(settings, override)
    _resolve(settings, Path())
    try:
        config = TypeAdapter(with_config(ConfigDict(extra="forbid"))(TrainConfig)).validate_python(settings)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        found = reprlib.repr(first["input"])  # Aliases can make a short file expand endlessly.
        raise ConfigError(f"configuration {path}, key '{key}': {first['msg']}; found {found}") from error
    return replace(config, run=replace(config.run, output=_output(config, path)))


def _output(config: TrainConfig, path: Path) -> Path:
    """Return the run's folder with the fold and the seed filled in."""
    places = {"fold": "all" if config.data.fold is None else config.data.fold, "seed": config.run.seed}
    text = str(config.run.output)
    for name, value in places.items():
        text = text.replace(f"{{{name}}}", str(value))
    if "{" in text or "}" in text:
        raise ConfigError(
            f"configuration {path}, key 'run.output': only {{fold}} and {{seed}} are filled in; found "
            f"'{config.run.output}'"
        )
    return Path(text)


def _parsed(text: str, what: str) -> Any:
    try:
        return yaml.safe_load(text)
    except Exception as error:  # For values such as the date 2001-99-99 its parser raises almost anything.
        raise ConfigError(f"{what} is not YAML ({error}); correct it") from None


def _resolve(settings: dict[str, Any], folder: Path) -> None:
    """Make paths that are still text absolute."""
    for section, key in (("data", "manifest"), ("data", "validation"), ("stem", "weights")):
        value = settings[section].get(key) if isinstance(settings.get(section), dict) else None
        if isinstance(value, str):
            settings[section][key] = (folder / value).absolute()


def _override(settings: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    *sections, name = key.split(".")
    if not equals or not sections:
        raise ConfigError(f"'{override}' does not set anything; write section.key=value")
    for section in sections:
        settings = settings.setdefault(section, {})
        if not isinstance(settings, dict):
            raise ConfigError(f"'{override}' goes into '{section}', which is a value and not a section")
    settings[name] = _parsed(value, f"the value of '{override}'")
