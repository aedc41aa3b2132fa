"""The heads of the branches: one fully connected layer each (section 3.3)."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from vlfau.facs import MAX_INTENSITY
from vlfau.model.branch import BranchLinear

__all__ = ["AUClassifier", "AUIntensity", "AUOutput", "rescale"]


@dataclass(frozen=True)
class AUOutput:
    """AU scores of a part of the network.

    Attributes:
        logits: (B, N).
        intensities: (B, N), from 0 to 5; None without that head.
    """

    logits: Tensor
    intensities: Tensor | None = None

    def __getitem__(self, faces: slice) -> "AUOutput":
        """Return the scores of some of the faces."""
        return AUOutput(self.logits[faces], None if self.intensities is None else self.intensities[faces])

    @classmethod
    def mean(cls, *parts: "AUOutput", weights: Tensor | None = None) -> "AUOutput":
        """Return the weighted mean of several parts' scores.

        Args:
            parts: P of them.
            weights: (P, 1, N), the weight of each part for each AU, with a sum of 1 per AU; None weights all alike.
        """
        told = [part.intensities for part in parts if part.intensities is not None]
        logits, intensities = torch.stack([part.logits for part in parts]), torch.stack(told) if told else None
        if weights is None:
            return cls(logits.mean(0), None if intensities is None else intensities.mean(0))
        return cls((weights * logits).sum(0), None if intensities is None else (weights * intensities).sum(0))


class AUClassifier(nn.Module):
    """Score every AU from its branch's pooled features.

    The paper's two-way softmax equals the sigmoid of the one logit given here.
    """

    def __init__(self, *, num_aus: int, feature_dim: int) -> None:
        super().__init__()
        self.linear = BranchLinear(num_branches=num_aus, in_features=feature_dim, out_features=1)

    def forward(self, pooled_features: Tensor) -> Tensor:
        """Return `au_logits` (B, N) of the branches' features, mean-pooled over the locations: (B, N, d)."""
        return cast("Tensor", self.linear(pooled_features)).squeeze(2)


class AUIntensity(AUClassifier):
    """Estimate the intensity of every AU; an addition to the paper."""

    def forward(self, pooled_features: Tensor) -> Tensor:
        """Return intensities (B, N) from 0 to 5 (A = 1 to E = 5) of the branches' pooled features (B, N, d)."""
        return MAX_INTENSITY * super().forward(pooled_features).sigmoid()


@torch.no_grad()
def rescale(layer: BranchLinear | nn.Linear, row: int, slope: float, shift: float) -> None:
    """Rescale a layer so that one of its outputs becomes `slope` times the old one plus `shift`."""
    layer.weight[row] *= slope
    layer.bias[row] = slope * layer.bias[row] + shift
