"""Parts that several methods share."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vlfau.model.branch import BranchLinear
from vlfau.model.rivals.base import RivalInputs, RivalSetup

__all__ = [
    "AUFeatures",
    "FineFeatures",
    "TransformerBlock",
    "attend",
    "attention_loss",
    "conv_block",
    "dice_loss",
    "linear_scores",
    "masked_mean",
    "scaled_dot_attention",
]


class AUFeatures(nn.Module):
    """Give every AU its own features at every location: a linear layer, batch normalisation and ReLU per AU."""

    def __init__(self, *, num_aus: int, in_dim: int, out_dim: int) -> None:
        super().__init__()
        self.linear = BranchLinear(num_branches=num_aus, in_features=in_dim, out_features=out_dim)
        self.normalise = nn.BatchNorm1d(num_aus * out_dim)

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, N, L, out_dim) of shared features (B, L, in_dim)."""
        locations = features.shape[1]
        each = self.linear(features.flatten(0, 1)[:, None])  # (B * L, N, out_dim)
        normal = self.normalise(each.flatten(1)).view(each.shape)
        return torch.unflatten(F.relu(normal), 0, (-1, locations)).transpose(1, 2)


def linear_scores(*, num_aus: int, in_dim: int) -> Callable[[Tensor], Tensor]:
    """Return a module that scores every AU from its own features, (B, N, in_dim) to (B, N)."""
    return nn.Sequential(BranchLinear(num_branches=num_aus, in_features=in_dim, out_features=1), nn.Flatten(1))


def conv_block(in_channels: int, out_channels: int, *, groups: int = 1, stride: int = 1) -> nn.Sequential:
    """Return a 3x3 convolution with batch normalisation and ReLU."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, groups=groups, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )


def scaled_dot_attention(queries: Tensor, keys: Tensor) -> Tensor:
    """Return softmax(Q K^T / sqrt(d)) over the keys: (..., Q, d) and (..., K, d) to (..., Q, K)."""
    scores: Tensor = queries @ keys.transpose(-1, -2) / queries.shape[-1] ** 0.5
    return scores.softmax(-1)


def masked_mean(terms: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of the terms that a mask marks, a scalar; 0 if it marks none."""
    return torch.where(mask, terms, 0).sum() / mask.sum().clamp(min=1)


def dice_loss(au_logits: Tensor, occurrence: Tensor, valid_mask: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted multi-label Dice loss of JAA-Net, over the annotated faces.

    1 - (2 p y + e) / (p^2 + y^2 + e) with e = 1, averaged over faces and AUs.
    """
    probs = au_logits.sigmoid()
    terms = 1 - (2 * probs * occurrence + 1) / (probs.square() + occurrence.square() + 1)
    return masked_mean(weights * terms, valid_mask)


class FineFeatures(nn.Module):
    """V and the backbone's second level, an eighth of the crop's side, in one map.

    Several methods look at regions that are smaller than a cell of V's grid.

    Args:
        setup: Sizes.
        width: Channels of the map.
    """

    def __init__(self, setup: RivalSetup, width: int) -> None:
        super().__init__()
        self.fine = nn.Conv2d(setup.channels[1], width, kernel_size=1, bias=False)
        self.coarse = nn.Linear(setup.feature_dim, width)
        self.normalise = nn.BatchNorm2d(width)

    def forward(self, inputs: RivalInputs) -> Tensor:
        """Return (B, width, H, W)."""
        fine = self.fine(inputs.levels[1])
        coarse = self.coarse(inputs.stem_features).permute(0, 3, 1, 2)
        return F.relu(self.normalise(fine + F.interpolate(coarse, size=fine.shape[-2:], mode="bilinear")))


def attend(maps: Tensor, features: Tensor) -> Tensor:
    """Return the mean of features (B, C, H, W) under each AU's attention (B, N, H, W): (B, N, C)."""
    weights = maps.flatten(2) / maps.flatten(2).sum(2, keepdim=True).clamp(min=1e-6)
    return weights @ features.flatten(2).transpose(1, 2)


def attention_loss(maps: Tensor, predefined: Tensor) -> Tensor:
    """Return the mean squared difference of attention (B, N, H, W) from a predefined one, NaN where that is unknown."""
    return masked_mean((maps - predefined.nan_to_num()).square(), ~predefined.isnan())


class TransformerBlock(nn.Module):
    """Self-attention and a multi-layer perceptron, each added to its input, normalised before (Xiong et al., 2020)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.value, self.project = (nn.Linear(width, width) for _ in range(3))
        self.key = nn.Linear(width, width, bias=False)
        self.think = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the next tokens (B, T, C)."""
        normal = self.before(tokens)
        query, key, value = (
            layer(normal).unflatten(2, (self.heads, -1)).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        told = (scaled_dot_attention(query, key) @ value).transpose(1, 2).flatten(2)
        tokens = tokens + self.project(told)
        thought: Tensor = tokens + self.think(self.between(tokens))
        return thought
