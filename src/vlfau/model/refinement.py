"""DAIR, the dual-level AU individual refinement (section 3.1.2, Eq. 2 and 3)."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vlfau.model.branch import BranchLinear

__all__ = ["DAIR", "RefinedFeatures"]


@dataclass(frozen=True)
class RefinedFeatures:
    """What the branches make of the shared features.

    Attributes:
        au_features: (B, N, L, d), the refined features of every branch.
        attention_maps: (B, N, H, W), where each branch looks, in [0, 1].
    """

    au_features: Tensor
    attention_maps: Tensor


class DAIR(nn.Module):
    """Channel and spatial attention for every AU branch at once.

    Channel level (Eq. 2): max- and average-pooled features go through one bottleneck MLP a branch, are summed
    and squashed. Spatial level (Eq. 3): max and mean over the channels of the result go through one 3x3
    convolution a branch. Eq. 3 prints no sigmoid on the spatial map; CBAM (Woo et al., ECCV 2018), which it
    follows, has one, and so has this module.
    """

    def __init__(self, *, num_aus: int, feature_dim: int, reduction: int = 16) -> None:
        super().__init__()
        hidden_dim = max(1, feature_dim // reduction)
        self.squeeze = BranchLinear(num_branches=num_aus, in_features=feature_dim, out_features=hidden_dim)
        self.excite = BranchLinear(num_branches=num_aus, in_features=hidden_dim, out_features=feature_dim)
        self.spatial = nn.Conv2d(2 * num_aus, num_aus, kernel_size=3, padding=1, groups=num_aus)

    def forward(self, stem_features: Tensor) -> RefinedFeatures:
        """Refine the shared features once for every AU.

        Args:
            stem_features: (B, d, H, W), the stem's output.
        """
        height, width = stem_features.shape[2:]
        flat = stem_features.flatten(2)  # (B, d, L)
        pooled = torch.cat([flat.amax(2), flat.mean(2)])  # (2B, d)
        excited = self.excite(F.relu(self.squeeze(pooled[:, None])))  # (2B, N, d)
        channel_attention = torch.sigmoid(excited.unflatten(0, (2, -1)).sum(0))  # (B, N, d)
        refined = flat[:, None] * channel_attention[..., None]  # (B, N, d, L)

        statistics = torch.stack([refined.amax(2), refined.mean(2)], dim=2)  # (B, N, 2, L)
        stacked = statistics.flatten(1, 2).unflatten(2, (height, width))  # (B, 2N, H, W)
        attention_maps = torch.sigmoid(self.spatial(stacked))  # (B, N, H, W)
        refined = refined * attention_maps.flatten(2)[:, :, None]  # (B, N, d, L)
        return RefinedFeatures(refined.transpose(2, 3), attention_maps)
