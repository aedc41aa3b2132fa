"""Joint training of vision and language (extra `train`)."""

from vlfau.model.checkpoint import PROTOCOL_THRESHOLD, Checkpoint, load_checkpoint, read_metadata
from vlfau.training.checkpoint import save_checkpoint
from vlfau.training.config import EpochChoice, TrainConfig, read_config
from vlfau.training.train import is_main_process, train

__all__ = [
    "PROTOCOL_THRESHOLD",
    "Checkpoint",
    "EpochChoice",
    "TrainConfig",
    "is_main_process",
    "load_checkpoint",
    "read_config",
    "read_metadata",
    "save_checkpoint",
    "train",
]
