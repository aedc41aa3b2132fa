"""The AU classifier: one fully connected layer a branch (section 3.3)."""

from typing import cast

from torch import Tensor, nn

from vlfau.model.branch import BranchLinear

__all__ = ["AUClassifier"]


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
