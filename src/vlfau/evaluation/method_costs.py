"""What a trained network costs: weights, work and time per face, training time."""

import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from vlfau.model.checkpoint import load_checkpoint
from vlfau.model.vlfau import VLFAU
from vlfau.training.run_folder import CHECKPOINT_FOLDER, RESUME_FILE

__all__ = ["MethodCosts", "method_costs", "network_costs"]

WARM_UP: Final = 3
REPEATS: Final = 15
TIMER: Final = "TrainingTime"
"""The callback that counts a run's seconds (`vlfau.training.callbacks`)."""


@dataclass(frozen=True, slots=True)
class MethodCosts:
    """Costs of a network without its caption decoders.

    Attributes:
        parameters: Number of weights.
        flops: Floating-point operations per face, additions and multiplications counted singly.
        seconds_per_face: Median CPU time of one face on one thread of this machine; None if it was not measured.
        training_seconds: Time of the training run with its validations; None if it is unknown.
    """

    parameters: int
    flops: int
    seconds_per_face: float | None
    training_seconds: float | None


def method_costs(run: Path, *, timed: bool = True) -> MethodCosts:
    """Measure the costs of a run's network.

    Args:
        run: Folder of the run, with its checkpoint.
        timed: Whether to time it.

    Raises:
        CheckpointError: It has no checkpoint, or a damaged one.
    """
    network, metadata = load_checkpoint(run / CHECKPOINT_FOLDER)
    return network_costs(
        network, metadata.model.crop_size, training_seconds=_training_seconds(run / RESUME_FILE), timed=timed
    )


def network_costs(network: VLFAU, crop_size: int, *, training_seconds: float | None, timed: bool = True) -> MethodCosts:
    """Measure the costs of a network in evaluation mode.

    Args:
        network: The network.
        crop_size: Side of its input.
        training_seconds: What its training took; None if that is unknown.
        timed: Whether to time it.
    """
    vision = [part for name, part in network.named_children() if not name.endswith("_decoder")]
    crop = torch.zeros(1, 3, crop_size, crop_size, dtype=torch.uint8)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.encode(crop)
    return MethodCosts(
        sum(weight.numel() for part in vision for weight in part.parameters()),
        int(counter.get_total_flops()),
        _seconds_per_face(network, crop) if timed else None,
        training_seconds,
    )


def _seconds_per_face(network: VLFAU, crop: Tensor) -> float:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        seconds = []
        for _ in range(WARM_UP + REPEATS):
            started = time.thread_time()  # CPU time, which other programs do not lengthen
            with torch.inference_mode():
                network.encode(crop)
            seconds.append(time.thread_time() - started)
    finally:
        torch.set_num_threads(threads)
    return median(seconds[WARM_UP:])


def _training_seconds(path: Path) -> float | None:
    """Return what the state to resume from says; None if it is gone or of an earlier version."""
    if not path.is_file():
        return None
    seconds = torch.load(path, weights_only=True).get("callbacks", {}).get(TIMER, {}).get("seconds")
    return None if seconds is None else float(seconds)
