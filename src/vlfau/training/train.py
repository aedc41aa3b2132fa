"""A training run from configuration to checkpoint."""

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.fabric.utilities.warnings import PossibleUserWarning
from lightning.pytorch.callbacks import LearningRateMonitor, ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only

from vlfau.data.datamodule import FaceDataModule
from vlfau.data.folds import never_active
from vlfau.data.manifest import Manifest
from vlfau.errors import CheckpointError, ConfigError, ManifestError
from vlfau.facs import action_unit
from vlfau.files.atomic import make_folder, remove_leftovers
from vlfau.language import Descriptions
from vlfau.language.descriptions_file import DESCRIPTIONS_FILE, read_descriptions, write_descriptions
from vlfau.model import build_network
from vlfau.model.checkpoint import Checkpoint
from vlfau.model.losses import au_weights
from vlfau.model.rivals.network import RivalNetwork
from vlfau.model.rivals.registry import clip_length_of
from vlfau.model.stem import FACEMESH
from vlfau.training.callbacks import AveragedWeights, EpochSeed, KeptCheckpoint, StopAfter, TrainingTime, ValidateLast
from vlfau.training.config import EpochChoice, TrainConfig
from vlfau.training.module import VLFAUModule
from vlfau.training.rivals import RivalModule, check_rival
from vlfau.training.run_folder import (
    CHECKPOINT_FOLDER,
    EARLIER_CHECKPOINT_FOLDER,
    RESUME_FILE,
    UNSAVED_FILE,
    WholeCheckpointIO,
    check_new_run,
    check_same_run,
    content_of,
    write_config,
)
from vlfau.training.start import Start, read_start, take_weights

__all__ = ["data_of", "is_main_process", "module_of", "quiet_lightning", "train"]

Notify = Callable[[str], None]


def train(config: TrainConfig, *, resume: bool = False, notify: Notify | None = None) -> Path:
    """Train a network and keep the state of one epoch, which `config.run.epoch_choice` chooses.

    The run's folder gets `checkpoint/` (the network that is kept), `last.ckpt` (to resume from), `config.json`,
    `descriptions.json` and TensorBoard's files.

    Args:
        config: What to train, on what, and how.
        resume: Resume from the folder's `last.ckpt`, with the settings that the run started with.
        notify: Called with remarks that the user should know but need not act on; None writes them to the log.

    Returns:
        The folder of the checkpoint. With `last` it is written at the end of the last epoch, otherwise at the first
        validation and at every better one.

    Raises:
        InputError: The configuration, the manifest, or the state to resume from is wrong; or the run started
            with other settings.
    """
    output = config.run.output
    last = output / RESUME_FILE
    if resume and not last.is_file():
        raise CheckpointError(
            f"there is nothing to resume in {output}: it has no {RESUME_FILE}; start without --resume"
        )
    content = content_of(config)
    if resume:
        check_same_run(config, content)
    else:
        check_new_run(output)
    if config.run.frozen_vision and (
        config.run.start_from is None or not (config.model.local_language or config.model.global_language)
    ):
        raise ConfigError(
            "run.frozen_vision trains only the caption decoders; give run.start_from, whose vision half is kept, and "
            "switch local_language or global_language on"
        )
    L.seed_everything(config.run.seed, workers=True, verbose=False)
    if config.run.threads is not None:
        torch.set_num_threads(config.run.threads)
    learned = output / DESCRIPTIONS_FILE
    # A run keeps the texts that it started with, even if they were corrected since.
    data = data_of(config, read_descriptions(learned) if resume and learned.is_file() else None)
    start = read_start(config, data.au_ids)
    module = module_of(config, data, start)
    for notice in _notices(config, data):
        (notify or logging.getLogger(__name__).warning)(notice)
    metadata = Checkpoint(
        model=config.model,
        au_ids=data.au_ids,
        vocabulary=tuple(data.vocabulary.to_list()),
        fold=config.data.fold,
        aligned_size=config.data.aligned_size,
        training=_provenance(config, data, start),
        scores={},
        descriptions=data.descriptions,
        thresholds=start.thresholds if start is not None and config.run.frozen_vision else None,
    )
    make_folder(output)
    if is_main_process():
        remove_leftovers(output)
        if not resume:
            (output / UNSAVED_FILE).touch()
    write_config(config, content)
    if is_main_process() and not resume and metadata.has_captions:
        write_descriptions(learned, data.descriptions)
    kept = KeptCheckpoint(output / CHECKPOINT_FOLDER, metadata, config.run.epoch_choice)
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
            kept,
            TrainingTime(),
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
            ValidateLast(),
            *([] if average is None else [AveragedWeights(decay=average)]),
        ],
    )
    with quiet_lightning(), _fitting(last):
        trainer.fit(module, data, ckpt_path=last if resume else None, weights_only=True)
    if not kept.folder.exists() and (output / EARLIER_CHECKPOINT_FOLDER).exists() and _is_finished(trainer):
        raise CheckpointError(
            f"{output} holds a finished run of an earlier version, which kept the best epoch by the test fold in "
            f"{output / EARLIER_CHECKPOINT_FOLDER}; give that folder to the other commands, or train again in another "
            "run.output"
        )
    return kept.folder


def _is_finished(trainer: L.Trainer) -> bool:
    return trainer.max_epochs is not None and trainer.current_epoch >= trainer.max_epochs


def is_main_process() -> bool:
    """Return whether this process reports for all processes of the run."""
    return int(getattr(rank_zero_only, "rank", None) or 0) == 0


@contextmanager
def _fitting(last: Path) -> Iterator[None]:
    """Explain in a sentence that a state does not fit, such as one from before the descriptions changed.

    Raises:
        KeyboardInterrupt: It was interrupted; Lightning would end the process with exit code 1.
    """
    try:
        yield
    except SystemExit as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise
    except RuntimeError as error:
        if not str(error).startswith("Error(s) in loading state_dict"):
            raise
        reason = " ".join(str(error).split()[:40])
        raise CheckpointError(
            f"{last} does not fit the network of this version of vlfau ({reason} ...); resume the run with the version "
            "that began it, or start without --resume in another run.output"
        ) from None


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Keep advertisements and irrelevant advice out of the terminal."""
    with warnings.catch_warnings():
        # Lightning calls deprecated parts of torch, and guesses what a user may have overlooked.
        for category in (FutureWarning, DeprecationWarning, PossibleUserWarning):
            warnings.filterwarnings("ignore", category=category)
        for words in ("exists and is not empty", "callbacks used to create the checkpoint", "The dirpath has changed"):
            warnings.filterwarnings("ignore", message=f".*{words}.*")
        yield


def data_of(config: TrainConfig, descriptions: Descriptions | None = None) -> FaceDataModule:
    """Read the training, validation and test data of a run.

    Args:
        config: Configuration of the run.
        descriptions: The texts to learn; None means the package's own.

    Raises:
        InputError: A manifest is wrong, or the settings do not fit together.
    """
    if config.data.validation is not None and config.data.fold is not None:
        raise ConfigError(
            "data.validation and data.fold both choose the validation data; set data.fold to null, or leave one out"
        )
    if config.run.epoch_choice is EpochChoice.TEST_FOLD and config.data.fold is None:
        raise ConfigError(
            "run.epoch_choice is test-fold and there is no test fold (data.fold is null); choose last or held-out"
        )
    holds_out = config.run.epoch_choice is EpochChoice.HELD_OUT and config.data.validation is None
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
        held_out_share=config.run.held_out_share if holds_out else None,
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
        clip_length=clip_length_of(config.model),
        train_subjects=config.data.train_subjects,
        regions=config.run.attention_loss > 0,
    )


def module_of(config: TrainConfig, data: FaceDataModule, start: Start | None = None) -> VLFAUModule:
    """Build the network of a run with its initial weights, and its training module.

    Args:
        config: Configuration of the run.
        data: Its data.
        start: Its starting point, from `read_start`.

    Raises:
        InputError: The data are too few, or the weights do not fit.
    """
    never = _labels(data.train_frames)
    if never:
        raise ManifestError(
            f"in {config.data.manifest} {never} is never active among the training frames, so it can't be learned; "
            "leave it out of data.aus"
        )
    check_rival(config, data.train_frames)
    network = build_network(
        config.model,
        au_ids=data.au_ids,
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
    if config.run.attention_loss and not config.model.dair:
        raise ConfigError("run.attention_loss teaches DAIR's attention; switch model.dair on, or set it to 0")
    if start is not None:
        take_weights(network, start, data.vocabulary.tokens, config)
    if config.run.frozen_vision:
        network.freeze_vision()
    options: dict[str, Any] = {
        "network": network.to(memory_format=torch.channels_last),  # a third less time for convolutions on a CPU
        "vocabulary": data.vocabulary,
        "au_ids": data.au_ids,
        "weights": au_weights(data.train_frames.rates().tolist(), config.run.weight_sum),
        "optimiser": config.optimiser,
    }
    if isinstance(network, RivalNetwork):
        return RivalModule(landmark_ids=data.train_frames.landmark_ids, **options)
    return VLFAUModule(
        **options,
        local_captions_per_face=config.run.local_captions_per_face,
        active_first=config.run.active_first,
        decided_captions=config.run.decided_captions,
        caption_control=config.run.caption_control,
        attention_weight=config.run.attention_loss,
        landmark_ids=data.train_frames.landmark_ids,
    )


def _notices(config: TrainConfig, data: FaceDataModule) -> Iterator[str]:
    """Yield the reasons why a score of this run means less than it seems to."""
    if (never := _labels(data.test_frames)) and config.data.fold is not None:
        yield (
            f"no frame of the test fold {config.data.fold} of {config.data.manifest} shows {never}: its F1 there is 0 "
            "whatever the network learns, and lowers the mean; it can be left out of data.aus"
        )
    if (never := _labels(data.validation_frames)) and data.validation_frames is not data.test_frames:
        yield f"none of the people who are held out to choose the epoch shows {never}, so it does not help to choose"


def _labels(manifest: Manifest) -> str:
    """Return the names of the AUs that no frame shows, with commas."""
    return ", ".join(action_unit(au_id).label for au_id in never_active(manifest))


def _provenance(config: TrainConfig, data: FaceDataModule, start: Start | None) -> dict[str, Any]:
    # Paths say nothing about a network, but something about its maker's machine.
    run = {name: value for name, value in asdict(config.run).items() if name not in {"output", "start_from"}}
    from_scratch = config.stem.weights is None and config.model.backbone != FACEMESH
    if start is not None:  # The stem is that of the earlier run.
        from_scratch = bool(start.training.get("from_scratch", from_scratch))
    own = {
        "data": config.data.description or config.data.manifest.name,
        "synthetic": config.data.synthetic,
        "from_scratch": from_scratch,
        "warm_start": config.run.start_from is not None,
        "method": config.model.method,
        "backbone": config.model.backbone,
        "train_frames": len(data.train_frames.frames),
        "test_frames": len(data.test_frames.frames),
        "epoch_choice": str(config.run.epoch_choice),
        "held_out_subjects": list(data.held_out_subjects),
        "recipe": {"optimiser": asdict(config.optimiser), "augmentation": asdict(config.augmentation), "run": run},
        "torch": torch.__version__,
    }
    if start is None or not config.run.frozen_vision:
        return own
    return {**start.training, "words": own}  # With a frozen vision half, only the captions are this run's.
