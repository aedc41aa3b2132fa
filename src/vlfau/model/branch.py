"""One linear layer per branch, all in one multiplication; a branch belongs to an AU or a landmark."""

import math

import torch
from torch import Tensor, nn

__all__ = ["BranchLinear"]


class BranchLinear(nn.Module):
    """N independent linear layers of the same shape, one per branch.

    Initialised like `torch.nn.Linear`, branch by branch.
    """

    def __init__(self, *, num_branches: int, in_features: int, out_features: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(in_features)
        self.weight = nn.Parameter(torch.empty(num_branches, in_features, out_features).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(num_branches, out_features).uniform_(-bound, bound))

    def forward(self, inputs: Tensor) -> Tensor:
        """Apply every branch's layer to its own inputs, or to shared ones.

        Args:
            inputs: (B, N, in_features), or (B, 1, in_features) if all branches share their input.

        Returns:
            (B, N, out_features).
        """
        return torch.einsum("bni,nio->bno", inputs.expand(-1, len(self.weight), -1), self.weight) + self.bias
