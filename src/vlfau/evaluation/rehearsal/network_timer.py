"""Times training, evaluation and captioning of one network on any number of faces."""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from torch.utils.data import DataLoader

from vlfau.data.dataset import Batch, FrameDataset, collate
from vlfau.data.manifest import Manifest
from vlfau.evaluation.consistency import consistency
from vlfau.evaluation.figures import caption_scores
from vlfau.evaluation.prediction_runner import EvalOptions, PredictionRunner
from vlfau.evaluation.predictions import Predictions
from vlfau.evaluation.rehearsal.costs import DiskSizes
from vlfau.evaluation.rehearsal.timing import Clock
from vlfau.model.checkpoint import PROTOCOL_THRESHOLD, Checkpoint
from vlfau.training import TrainConfig, save_checkpoint
from vlfau.training.module import VLFAUModule
from vlfau.training.run_folder import WholeCheckpointIO
from vlfau.training.train import data_of, module_of, quiet_lightning

__all__ = ["NetworkTimer"]

FLOAT = 4
MOMENTS = 2
"""Numbers that AdamW keeps for every trainable weight."""
MIN_BATCH = 2
"""Faces of a step that is made only to save its result; batch normalisation needs at least two."""


class NetworkTimer:
    """Builds a network with its trainer and its evaluation, and times them on a small manifest.

    Args:
        config: The configuration of a real run, with a small manifest.
        options: How the evaluation runs the network.
        clock: Returns the time in seconds.

    Raises:
        InputError: The configuration, the weights or the manifest are wrong.
    """

    def __init__(self, config: TrainConfig, options: EvalOptions, *, clock: Clock = time.perf_counter) -> None:
        self.config, self.options, self._clock = config, options, clock
        if config.run.threads is not None:
            torch.set_num_threads(config.run.threads)
        logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
        self.data = data_of(config)
        self.module = module_of(config, self.data)
        self.device = self._trainer().strategy.root_device
        train, test = self.data.train_frames, self.data.test_frames
        self._manifest = replace(train, frames=(*test.frames, *train.frames))
        self._described: tuple[Manifest, Predictions] | None = None

    @property
    def has_captions(self) -> bool:
        """Whether the network describes faces in words."""
        return self.module.network.local_decoder is not None or self.module.network.global_decoder is not None

    @property
    def num_parameters(self) -> int:
        """The number of the network's weights."""
        return sum(parameter.numel() for parameter in self.module.network.parameters())

    @property
    def optimiser_bytes(self) -> int:
        """The bytes that AdamW keeps beside the weights after the first step."""
        trainable = sum(each.numel() for each in self.module.network.parameters() if each.requires_grad)
        return MOMENTS * FLOAT * trainable

    def time_step(self, size: int, calls: int) -> float:
        """Make training steps on `size` faces each, and return the seconds of the last one."""
        return self._fit(size, calls)

    def time_validation(self, size: int, calls: int) -> float:
        """Validate `size` faces `calls` times, and return the seconds of the last time."""
        clock = _BatchClock(self._clock)
        batch = self._batch(self.data.validation_set, size)
        with quiet_lightning():
            self._trainer(clock).validate(self.module, _batches([batch] * calls), verbose=False)
        return clock.seconds[-1]

    def time_prediction(self, size: int, calls: int) -> float:
        """Predict the AUs of `size` faces `calls` times, and return the seconds of the last time."""
        runner, manifest = self._runner(), self._frames(size)
        started = 0.0
        for _ in range(calls):
            started = self._clock()
            runner.run(manifest)
        return self._clock() - started

    def time_captioning(self, size: int, calls: int) -> float:
        """Describe `size` faces `calls` times, and return the seconds of the last time.

        Captions of an untrained network have maximum length.
        """
        runner, manifest = self._runner(), self._frames(size)
        predictions = runner.run(manifest)
        seconds = 0.0
        for _ in range(calls):
            started = self._clock()
            predictions = runner.describe(manifest, predictions, range(size), threshold=PROTOCOL_THRESHOLD)
            seconds = self._clock() - started
        self._described = manifest, predictions
        return seconds

    def time_caption_scoring(self) -> float:
        """Score the captions of `time_captioning`, and return the seconds per face."""
        assert self._described is not None
        manifest, predictions = self._described
        started = self._clock()
        caption_scores(predictions, manifest.frames, range(len(predictions)))
        consistency(predictions, PROTOCOL_THRESHOLD)
        return (self._clock() - started) / len(predictions)

    def time_loading(self, size: int) -> float:
        """Read and augment `size` faces in this process, and return the seconds per face."""
        started = self._clock()
        self._batch(self.data.train_set, size)
        return (self._clock() - started) / size

    def time_saving(self, folder: Path) -> float:
        """Write the files of one epoch into a folder, and return the seconds."""
        saving = _Saving(self._clock, folder / "last.ckpt", folder / "checkpoint", self._metadata())
        self._fit(min(MIN_BATCH, self.config.run.batch_size), 1, saving)
        return saving.seconds

    def disk_sizes(self) -> DiskSizes:
        """Return the sizes of a run's files, from the number of weights and the shape of the predictions."""
        network = self.module.network
        weights = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
        averaged = weights if self.config.optimiser.average_decay is not None else 0
        predictions = self._runner().run(self._frames(1))
        arrays = (predictions.au_probs, predictions.occurrence, predictions.au_features, predictions.attention_maps)
        return DiskSizes(
            checkpoint=weights,
            resume=weights + averaged + self.optimiser_bytes,
            answers_per_frame=sum(array.nbytes for array in arrays),
            words_per_frame=0.0 if self._described is None else _caption_bytes_per_frame(self._described[1]),
        )

    def _runner(self) -> PredictionRunner:
        return PredictionRunner.of_network(self.module.network.eval(), self._metadata(), self.data.au_ids, self.options)

    def _metadata(self) -> Checkpoint:
        return Checkpoint(
            model=self.config.model,
            au_ids=self.data.au_ids,
            vocabulary=tuple(self.data.vocabulary.to_list()),
            fold=self.config.data.fold,
            aligned_size=self.config.data.aligned_size,
            training={},
            scores={},
            descriptions=self.data.descriptions,
        )

    def _frames(self, size: int) -> Manifest:
        return replace(self._manifest, frames=tuple(islice(cycle(self._manifest.frames), size)))

    def _batch(self, faces: FrameDataset, size: int) -> Batch:
        samples = [faces[index % len(faces)] for index in range(size)]
        return collate(samples, pad_id=self.data.vocabulary.pad_id)

    def _fit(self, size: int, steps: int, *callbacks: Callback) -> float:
        clock = _BatchClock(self._clock)
        batch = self._batch(self.data.train_set, size)
        self.module.train()
        with quiet_lightning():
            self._trainer(clock, *callbacks, max_steps=steps).fit(self.module, _batches([batch] * steps))
        return clock.seconds[-1]

    def _trainer(self, *callbacks: Callback, max_steps: int = -1) -> L.Trainer:
        run = self.config.run
        return L.Trainer(
            accelerator=run.accelerator,
            devices=1,
            plugins=[WholeCheckpointIO()],
            precision=run.precision,
            max_epochs=1,
            max_steps=max_steps,
            gradient_clip_val=self.config.optimiser.gradient_clip,
            limit_val_batches=0 if max_steps > 0 else None,
            num_sanity_val_steps=0,
            enable_checkpointing=False,
            enable_model_summary=False,
            enable_progress_bar=False,
            logger=False,
            callbacks=list(callbacks),
        )


class _BatchClock(Callback):
    """Times batches, waiting for the GPU to finish."""

    def __init__(self, clock: Clock) -> None:
        self.seconds: list[float] = []
        self._clock, self._started = clock, 0.0

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: L.LightningModule, *batch: Any) -> None:
        """Start the clock for a training step."""
        self._started = self._now()

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *batch: Any) -> None:
        """Record its seconds."""
        self.seconds.append(self._now() - self._started)

    def on_validation_batch_start(self, trainer: L.Trainer, pl_module: L.LightningModule, *batch: Any) -> None:
        """Start the clock for a validation batch."""
        self._started = self._now()

    def on_validation_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *batch: Any) -> None:
        """Record its seconds."""
        self.seconds.append(self._now() - self._started)

    def _now(self) -> float:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return self._clock()


class _Saving(Callback):
    """Writes the files of one epoch at the end of training, and times it."""

    def __init__(self, clock: Clock, resume: Path, checkpoint: Path, metadata: Checkpoint) -> None:
        self.seconds = 0.0
        self._clock, self._resume, self._checkpoint, self._metadata = clock, resume, checkpoint, metadata

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the files, and record the seconds."""
        assert isinstance(pl_module, VLFAUModule)
        started = self._clock()
        trainer.save_checkpoint(self._resume)
        save_checkpoint(self._checkpoint, pl_module.network, self._metadata)
        self.seconds = self._clock() - started


def _batches(batches: Sequence[Batch]) -> DataLoader[Batch]:
    return DataLoader(list(batches), batch_size=None)  # type: ignore[arg-type]


def _caption_bytes_per_frame(predictions: Predictions) -> float:
    """Return the mean length of a frame's captions, one byte per letter."""
    all_captions = (predictions.local_captions, predictions.global_captions, predictions.consistent_captions)
    return sum(len(str(row)) for captions in all_captions if captions is not None for row in captions) / len(
        predictions
    )
