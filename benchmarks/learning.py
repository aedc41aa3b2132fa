"""Training steps for benchmarks."""

from collections.abc import Callable

import torch
from torch import Tensor

from vlfau.language import Vocabulary
from vlfau.model import VLFAU
from vlfau.training.config import OptimiserConfig
from vlfau.training.module import VLFAUModule

__all__ = ["joint_module", "optimiser_of", "training_step"]


def joint_module(network: VLFAU, au_ids: tuple[int, ...], captions_per_face: int | None = None) -> VLFAUModule:
    """Return the Lightning module that trains a network, with equal weights for all AUs."""
    return VLFAUModule(
        network=network,
        vocabulary=Vocabulary.for_aus(au_ids),
        au_ids=au_ids,
        weights=torch.ones(len(au_ids)),
        optimiser=OptimiserConfig(),
        local_captions_per_face=captions_per_face,
    )


def optimiser_of(module: torch.nn.Module) -> torch.optim.Optimizer:
    """Return AdamW with a learning rate so low that the weights hardly change."""
    return torch.optim.AdamW(module.parameters(), lr=1e-5, weight_decay=5e-4)


def training_step(optimiser: torch.optim.Optimizer, loss_of: Callable[[], Tensor]) -> Callable[[], None]:
    """Return a function that makes one training step."""

    def step() -> None:
        optimiser.zero_grad()
        loss_of().backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return step
