"""DAIR, the dual-level AU individual refinement (section 3.1.2, Eq. 2 and 3)."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vlfau.model.branch import BranchLinear

__all__ = ["DAIR", "Refinement", "pool_cells"]

OPEN_GATE, GATE_SPREAD = 2.0, 1.5
CHANNEL_BLOCK = 128
"""Channels that are processed together: few enough that a block of all branches stays in the processor's cache."""


@dataclass(frozen=True)
class Refinement:
    """How every branch weighs the shared features.

    A branch's features are V times one weight per channel times one weight per location. They are multiplied out
    only on demand, since N copies of V are the largest thing in the network.

    Attributes:
        channel_attention: (B, N, d), in [0, 1].
        attention_maps: (B, N, H, W), where each branch looks, in [0, 1].
    """

    channel_attention: Tensor
    attention_maps: Tensor

    def __getitem__(self, faces: slice) -> "Refinement":
        """Return the refinement of some of the faces."""
        return Refinement(self.channel_attention[faces], self.attention_maps[faces])

    def refine(self, features: Tensor, branches: Tensor | None = None, *, pooling: int = 1) -> Tensor:
        """Return the refined features of the branches.

        Args:
            features: (B, H, W, d), V on its grid.
            branches: (B, N'), the branches wanted for every face; None for all N.
            pooling: Cells along a side that become one, their mean.

        Returns:
            (B, N', L, d), L = (H / pooling) * (W / pooling).
        """
        channels, maps = self.channel_attention, self.attention_maps
        if branches is not None:
            faces = torch.arange(len(branches), device=branches.device)[:, None]
            channels, maps = channels[faces, branches], maps[faces, branches]
        # The sum of a cell's locations, weighted by every branch, is a product of matrices: (N', K) x (K, d).
        cells = _cells(features, pooling)  # (B, L, K, d)
        weights = _cells(maps.permute(0, 2, 3, 1), pooling) / pooling**2  # (B, L, K, N')
        return (weights.transpose(2, 3) @ cells).transpose(1, 2) * channels[:, :, None]

    def refine_and_pool(self, stem_features: Tensor) -> Tensor:
        """Return the mean over the locations of every branch's features, (B, N, d), of V (B, L, d)."""
        by_location = self.attention_maps.flatten(2) @ stem_features  # (B, N, d)
        return self.channel_attention * by_location / stem_features.shape[1]


def pool_cells(features: Tensor, size: int) -> Tensor:
    """Return the mean of every `size` x `size` cells of features (B, H, W, d): (B, H / size, W / size, d)."""
    if size == 1:
        return features
    batch, height, width, _ = features.shape
    return _cells(features, size).mean(2).view(batch, height // size, width // size, -1)


def _cells(features: Tensor, size: int) -> Tensor:
    """Return the K = size^2 locations of every cell of features (B, H, W, d): (B, L, K, d)."""
    batch, height, width, channels = features.shape
    split = features.reshape(batch, height // size, size, width // size, size, channels).transpose(2, 3)
    return split.reshape(batch, -1, size**2, channels)


class DAIR(nn.Module):
    """Channel and spatial attention for every AU branch at once.

    Channel level (Eq. 2): max- and average-pooled features go through one bottleneck MLP per branch, are summed
    and squashed. Spatial level (Eq. 3): max and mean over the channels of the result go through one 3x3
    convolution per branch. Eq. 3 prints no sigmoid on the spatial map; CBAM (Woo et al., ECCV 2018), which it
    follows, has one, and so has this module.
    """

    def __init__(self, *, num_aus: int, feature_dim: int, reduction: int = 16) -> None:
        super().__init__()
        hidden_dim = max(1, feature_dim // reduction)
        self.squeeze = BranchLinear(num_branches=num_aus, in_features=feature_dim, out_features=hidden_dim)
        self.excite = BranchLinear(num_branches=num_aus, in_features=hidden_dim, out_features=feature_dim)
        self.spatial = nn.Conv2d(2 * num_aus, num_aus, kernel_size=3, padding=1, groups=num_aus)
        # All gates start almost open. Half open, they would keep three quarters of the signal and of the gradient
        # from the branches, and the language losses would outweigh them.
        # Each branch starts with channels of its own, or the shared caption decoder could not tell AUs apart.
        nn.init.normal_(self.excite.bias, OPEN_GATE / 2, GATE_SPREAD / 2)  # the bias counts twice, for max and mean
        assert self.spatial.bias is not None
        nn.init.constant_(self.spatial.bias, OPEN_GATE)

    def forward(self, features: Tensor) -> Refinement:
        """Compute how every AU's branch weighs the shared features.

        Args:
            features: (B, H, W, d), V on its grid.
        """
        height, width, channels = features.shape[1:]
        stem_features = features.flatten(1, 2)  # (B, L, d)
        pooled = torch.cat([stem_features.amax(1), stem_features.mean(1)])  # (2B, d)
        excited = self.excite(F.relu(self.squeeze(pooled[:, None])))  # (2B, N, d)
        channel_attention = torch.sigmoid(excited.view(2, -1, *excited.shape[1:]).sum(0))  # (B, N, d)

        # Max and mean over the channels of the channel-refined features, which need not exist as a whole.
        feature_blocks = torch.split(stem_features, CHANNEL_BLOCK, dim=2)
        weight_blocks = torch.split(channel_attention, CHANNEL_BLOCK, dim=2)
        blocks = zip(feature_blocks, weight_blocks, strict=True)
        peaks = [(block[:, None] * weights[:, :, None]).amax(3) for block, weights in blocks]
        mean = channel_attention @ stem_features.transpose(1, 2) / channels  # (B, N, L)
        statistics = torch.stack([torch.stack(peaks).amax(0), mean], dim=2)  # (B, N, 2, L)
        stacked = statistics.view(-1, 2 * statistics.shape[1], height, width)  # (B, 2N, H, W)
        return Refinement(channel_attention, torch.sigmoid(self.spatial(stacked)))
