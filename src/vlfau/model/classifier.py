"""The heads of the branches: one fully connected layer each (section 3.3)."""

from typing import cast

from torch import Tensor, nn

from vlfau.model.branch import BranchLinear

__all__ = ["AUClassifier", "AUIntensity"]

MAX_INTENSITY = 5.0


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
    """Tell how strongly every AU acts; an addition to the paper."""

    def forward(self, pooled_features: Tensor) -> Tensor:
        """Return intensities (B, N) from 0 to 5 (A = 1 to E = 5) of the branches' pooled features (B, N, d)."""
        return MAX_INTENSITY * super().forward(pooled_features).sigmoid()
