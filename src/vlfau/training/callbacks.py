"""Callbacks between the epochs of a run."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback, EMAWeightAveraging

from vlfau.model.checkpoint import Checkpoint
from vlfau.training.checkpoint import save_checkpoint
from vlfau.training.config import EpochChoice
from vlfau.training.module import VLFAUModule

__all__ = ["AveragedWeights", "EpochSeed", "KeptCheckpoint", "StopAfter", "TrainingTime", "ValidateLast"]

MONITORED = "val/f1_macro"


class KeptCheckpoint(Callback):
    """Writes the checkpoint of the epoch that the run keeps.

    With `last` that is the last epoch, whatever its scores. Otherwise it is the epoch with the highest macro F1 so far;
    of equals the latest, whose captions are better.

    Args:
        folder: Where to write it.
        metadata: Metadata of the network, without its scores.
        choice: Which epoch is kept.
    """

    def __init__(self, folder: Path, metadata: Checkpoint, choice: EpochChoice) -> None:
        self.folder, self.metadata, self.choice = folder, metadata, choice
        self.best_f1 = -1.0

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Write the checkpoint if this epoch is the one to keep so far."""
        if not self._is_to_keep(trainer) or not trainer.is_global_zero:
            return
        assert isinstance(pl_module, VLFAUModule)
        scores = _scores(trainer.callback_metrics) | {"epoch": trainer.current_epoch + 1}
        save_checkpoint(self.folder, pl_module.network, replace(self.metadata, scores=scores))

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a resumed run."""
        return {"best_f1": self.best_f1}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore a resumed run's best score."""
        self.best_f1 = state_dict["best_f1"]

    def _is_to_keep(self, trainer: L.Trainer) -> bool:
        if self.choice is EpochChoice.LAST:
            return trainer.current_epoch + 1 == trainer.max_epochs
        f1 = float(trainer.callback_metrics[MONITORED])
        is_best = f1 >= self.best_f1
        self.best_f1 = max(f1, self.best_f1)
        return is_best


def _scores(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {
        name.removeprefix("val/"): round(float(value), 4) for name, value in metrics.items() if name.startswith("val/")
    }


class ValidateLast(Callback):
    """Validates after the last epoch, also where the number of epochs between validations does not divide all."""

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Ask for a validation at the end of the last epoch."""
        if trainer.current_epoch + 1 == trainer.max_epochs:
            trainer.check_val_every_n_epoch = 1


class AveragedWeights(EMAWeightAveraging):
    """Keeps the average of the weights in the module until the end of a validation, when checkpoints are written.

    Lightning takes it out before. Stands behind `KeptCheckpoint` among the callbacks.
    """

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Keep the average where the network will be trained."""
        self._device = trainer.strategy.root_device
        super().setup(trainer, pl_module, stage)

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *step: Any) -> None:
        """Update the average; integers, such as table indices, are not averaged."""
        super().on_train_batch_end(trainer, pl_module, *step)
        assert self._average_model is not None
        for average, current in zip(self._average_model.module.buffers(), pl_module.buffers(), strict=True):
            if not average.is_floating_point():
                average.copy_(current)

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Leave the average where it is."""

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Restore the weights themselves."""
        super().on_validation_epoch_end(trainer, pl_module)


class EpochSeed(Callback):
    """Seeds every epoch by its number, so that a resumed run draws the same numbers as an undisturbed one."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Seed torch."""
        torch.manual_seed(self.seed + trainer.current_epoch)


class StopAfter(Callback):
    """Stops a call after some epochs, without changing the schedule of the whole run."""

    def __init__(self, epochs: int | None) -> None:
        self.epochs, self.done = epochs, 0

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Count the epoch."""
        self.done += 1
        if self.done == self.epochs:
            trainer.should_stop = True


class TrainingTime(Callback):
    """Counts the seconds that a run trains and validates, over all calls; `last.ckpt` keeps them."""

    def __init__(self) -> None:
        self._before, self._since = 0.0, monotonic()

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clock of this call."""
        self._since = monotonic()

    def state_dict(self) -> dict[str, Any]:
        """Return the seconds so far."""
        return {"seconds": self._before + monotonic() - self._since}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the seconds of earlier calls."""
        self._before = state_dict["seconds"]
