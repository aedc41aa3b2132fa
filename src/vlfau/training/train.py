"""A training run from configuration to checkpoint."""

import json
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.fabric.utilities.warnings import PossibleUserWarning
from lightning.pytorch.callbacks import (
    Callback,
    EMAWeightAveraging,
    LearningRateMonitor,
    ModelCheckpoint,
    TQDMProgressBar,
)
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only

from vlfau.atomic import remove_leftovers, replacing
from vlfau.data import FaceDataModule
from vlfau.errors import CheckpointError, ConfigError, ManifestError
from vlfau.facs import action_unit
from vlfau.language import Descriptions
from vlfau.language.carried import DESCRIPTIONS_FILE, read_descriptions, write_descriptions
from vlfau.model import build_vlfau
from vlfau.model.losses import au_weights
from vlfau.model.stem import FACEMESH
from vlfau.training.checkpoint import Checkpoint, save_checkpoint
from vlfau.training.config import TrainConfig
from vlfau.training.module import VLFAUModule
from vlfau.training.resume_file import WholeCheckpointIO
from vlfau.training.start import Start, read_start, take_weights

__all__ = ["is_main_process", "train"]

BEST_FOLDER = "best"
RESUME_FILE = "last.ckpt"
CONFIG_FILE = "config.json"
MONITORED = "val/f1_macro"


def train(config: TrainConfig, *, resume: bool = False) -> Path:
    """Train a network and keep its best state.

    The run's folder gets `best/` (the checkpoint with the highest macro F1 on the fold), `last.ckpt` (to
    resume from), `config.json`, `descriptions.json` and TensorBoard's files.

    Args:
        config: What to train, on what, and how.
        resume: Go on from the folder's `last.ckpt`.

    Returns:
        The folder of the best checkpoint.

    Raises:
        InputError: The configuration, the manifest, or what is to be resumed is wrong.
    """
    output = config.run.output
    last = output / RESUME_FILE
    if resume and not last.is_file():
        raise CheckpointError(
            f"there is nothing to resume in {output}: it has no {RESUME_FILE}; start without --resume"
        )
    if not resume and last.exists():
        raise ConfigError(f"{output} holds a run already; go on with --resume, or give another run.output")
    if config.run.max_epochs % config.run.validate_every_epochs:
        raise ConfigError(
            f"run.validate_every_epochs {config.run.validate_every_epochs} does not divide run.max_epochs "
            f"{config.run.max_epochs}, so the end would never be validated and kept; change one of them"
        )
    if config.run.frozen_vision and (
        config.run.start_from is None or not (config.model.local_language or config.model.global_language)
    ):
        raise ConfigError(
            "run.frozen_vision leaves words alone to learn; give run.start_from, whose vision half is to stay, and "
            "switch local_language or global_language on"
        )
    L.seed_everything(config.run.seed, workers=True, verbose=False)
    if config.run.threads is not None:
        torch.set_num_threads(config.run.threads)
    learned = output / DESCRIPTIONS_FILE
    # A run ends with the texts that it began with, whatever was corrected meanwhile.
    data = _data(config, read_descriptions(learned) if resume and learned.is_file() else None)
    start = read_start(config, data.au_ids)
    module = _module(config, data, start)
    frozen = start if config.run.frozen_vision else None
    papers = Checkpoint(
        model=config.model,
        au_ids=data.au_ids,
        vocabulary=tuple(data.vocabulary.to_list()),
        fold=config.data.fold,
        aligned_size=config.data.aligned_size,
        training=_provenance(config, data, frozen),
        scores={},
        descriptions=data.descriptions,
        thresholds=None if frozen is None else frozen.thresholds,
    )
    output.mkdir(parents=True, exist_ok=True)
    if is_main_process():
        remove_leftovers(output)
    with replacing(output / CONFIG_FILE) as temporary:
        temporary.write_text(json.dumps(asdict(config), indent=2, default=str) + "\n", encoding="utf-8")
    if is_main_process() and not resume and papers.speaks:
        write_descriptions(learned, data.descriptions)
    best = BestCheckpoint(output / BEST_FOLDER, papers)
    average = config.optimiser.average_decay
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    trainer = L.Trainer(
        default_root_dir=output,
        accelerator=config.run.accelerator,
        devices=config.run.devices,
        num_nodes=config.run.num_nodes,
        strategy=config.run.strategy,
        plugins=[WholeCheckpointIO()],
        accumulate_grad_batches=config.run.accumulate_batches,
        precision=config.run.precision,
        max_epochs=config.run.max_epochs,
        gradient_clip_val=config.optimiser.gradient_clip,
        check_val_every_n_epoch=config.run.validate_every_epochs,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        log_every_n_steps=10,
        enable_model_summary=False,
        logger=TensorBoardLogger(output, name="", version="tensorboard"),
        callbacks=[
            best,
            ModelCheckpoint(
                output,
                filename=Path(RESUME_FILE).stem,
                enable_version_counter=False,
                every_n_epochs=1,
                save_on_train_epoch_end=True,
            ),
            LearningRateMonitor("step"),
            TQDMProgressBar(refresh_rate=1),
            EpochSeed(config.run.seed),
            StopAfter(config.run.stop_after_epochs),
            *([] if average is None else [AveragedWeights(decay=average)]),
        ],
    )
    with _quiet_lightning():
        trainer.fit(module, data, ckpt_path=last if resume else None, weights_only=True)
    return best.folder


def is_main_process() -> bool:
    """Return whether this process speaks for all that train together."""
    return int(getattr(rank_zero_only, "rank", None) or 0) == 0


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Keep advertisements, and advice that does not concern the user, out of the terminal."""
    with warnings.catch_warnings():
        # Lightning calls parts of torch that are on their way out, and guesses what a user may have overlooked.
        for category in (FutureWarning, DeprecationWarning, PossibleUserWarning):
            warnings.filterwarnings("ignore", category=category)
        warnings.filterwarnings("ignore", message=".*exists and is not empty.*")
        yield


class BestCheckpoint(Callback):
    """Keeps the checkpoint with the highest macro F1 so far; of equals the latest, whose words are better."""

    def __init__(self, folder: Path, papers: Checkpoint) -> None:
        self.folder, self.papers = folder, papers
        self.best_f1 = -1.0

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the checkpoint if the epoch was the best so far."""
        scores = {
            name.removeprefix("val/"): round(float(value), 4)
            for name, value in trainer.callback_metrics.items()
            if name.startswith("val/")
        }
        f1 = float(trainer.callback_metrics[MONITORED])
        if not trainer.is_global_zero or f1 < self.best_f1:
            return
        self.best_f1 = f1
        assert isinstance(pl_module, VLFAUModule)
        scores["epoch"] = trainer.current_epoch + 1
        save_checkpoint(self.folder, pl_module.network, Checkpoint(**{**vars(self.papers), "scores": scores}))

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run must know."""
        return {"best_f1": self.best_f1}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up a resumed run's best score."""
        self.best_f1 = state_dict["best_f1"]


class AveragedWeights(EMAWeightAveraging):
    """Keeps the average of the weights in the module until the end of a validation, when the best are written.

    Lightning takes it out before. Stands behind `BestCheckpoint` among the callbacks.
    """

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Keep the average where the network will be trained."""
        self._device = trainer.strategy.root_device
        super().setup(trainer, pl_module, stage)

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *step: Any) -> None:
        """Update the average; whole numbers, such as places in tables, are none to average."""
        super().on_train_batch_end(trainer, pl_module, *step)
        assert self._average_model is not None
        for average, current in zip(self._average_model.module.buffers(), pl_module.buffers(), strict=True):
            if not average.is_floating_point():
                average.copy_(current)

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Leave the average where it is."""

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Go on with the weights themselves."""
        super().on_validation_epoch_end(trainer, pl_module)


class EpochSeed(Callback):
    """Seeds every epoch by its number, so that a resumed run draws what an undisturbed one draws."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Seed torch."""
        torch.manual_seed(self.seed + trainer.current_epoch)


class StopAfter(Callback):
    """Stops a call after some epochs, without touching the schedule of the whole run."""

    def __init__(self, epochs: int | None) -> None:
        self.epochs, self.done = epochs, 0

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Count the epoch."""
        self.done += 1
        if self.done == self.epochs:
            trainer.should_stop = True


def _data(config: TrainConfig, descriptions: Descriptions | None = None) -> FaceDataModule:
    if config.data.validation is not None and config.data.fold is not None:
        raise ConfigError(
            "data.validation and data.fold both say what validates; set data.fold to null, or leave one out"
        )
    if config.data.aligned_size < config.model.crop_size:
        raise ConfigError(
            f"data.aligned_size {config.data.aligned_size} is below model.crop_size {config.model.crop_size}; crops "
            "are taken from aligned faces, raise it"
        )
    return FaceDataModule(
        manifest=config.data.manifest,
        au_ids=config.data.au_ids(),
        fold=config.data.fold,
        validation=config.data.validation,
        aligned_size=config.data.aligned_size,
        crop_size=config.model.crop_size,
        batch_size=config.run.batch_size,
        num_workers=min(config.run.num_workers, os.cpu_count() or 1),
        augmentation=config.augmentation,
        gender_dropout=config.data.gender_dropout,
        seed=config.run.seed,
        keep_in_memory=config.data.keep_in_memory,
        words=config.model.local_language or config.model.global_language,
        descriptions=descriptions,
    )


def _module(config: TrainConfig, data: FaceDataModule, start: Start | None = None) -> VLFAUModule:
    rates = data.train_frames.rates()
    never = [action_unit(au_id).label for au_id, rate in zip(data.au_ids, rates, strict=True) if not rate > 0]
    if never:
        raise ManifestError(
            f"in {config.data.manifest} {', '.join(never)} is never active among the training frames, so it can't be "
            "learned; leave it out of data.aus"
        )
    network = build_vlfau(
        config.model,
        num_aus=len(data.au_ids),
        vocabulary_size=len(data.vocabulary),
        stem_weights=config.stem.weights,
    )
    if config.model.intensity and all(
        level in {None, 0} for frame in data.train_frames.frames for level in frame.intensities
    ):
        raise ManifestError(
            f"{config.data.manifest} has no intensities (columns such as AU12_intensity) to learn from; set "
            "model.intensity to false"
        )
    if config.model.landmarks not in {0, len(data.train_frames.landmark_ids)}:
        raise ManifestError(
            f"{config.data.manifest} has {len(data.train_frames.landmark_ids)} landmarks (columns such as "
            f"landmark_33_x), and model.landmarks wants {config.model.landmarks}; give it their number, or 0"
        )
    if config.model.landmarks and min(config.run.batch_size, len(data.train_frames.frames)) < 2:
        raise ConfigError(
            "model.landmarks normalises the places of landmarks over a batch, which needs two faces or more; raise "
            f"run.batch_size ({config.run.batch_size}), or give more frames ({len(data.train_frames.frames)})"
        )
    if start is not None:
        take_weights(network, start, data.vocabulary.tokens, config)
    if config.run.frozen_vision:
        network.freeze_vision()
    return VLFAUModule(
        network=network.to(memory_format=torch.channels_last),  # a third less time for convolutions on a CPU
        vocabulary=data.vocabulary,
        au_ids=data.au_ids,
        weights=au_weights(np.asarray(rates).tolist(), config.run.weight_sum),
        optimiser=config.optimiser,
        local_captions_per_face=config.run.local_captions_per_face,
        active_first=config.run.active_first,
    )


def _provenance(config: TrainConfig, data: FaceDataModule, frozen: Start | None) -> dict[str, Any]:
    # Paths say nothing of a network, but something of its maker's machine.
    run = {name: value for name, value in asdict(config.run).items() if name not in {"output", "start_from"}}
    own = {
        "data": config.data.description or config.data.manifest.name,
        "synthetic": config.data.synthetic,
        "from_scratch": config.stem.weights is None and config.model.backbone != FACEMESH,
        "warm_start": config.run.start_from is not None,
        "backbone": config.model.backbone,
        "train_frames": len(data.train_frames.frames),
        "test_frames": len(data.test_frames.frames),
        "recipe": {"optimiser": asdict(config.optimiser), "augmentation": asdict(config.augmentation), "run": run},
        "torch": torch.__version__,
    }
    # Behind a frozen vision half words alone are this run's.
    return own if frozen is None else {**frozen.training, "words": own}
