"""Patches of features around landmarks."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vlfau.model.branch import BranchLinear

__all__ = ["LandmarkPatches"]


class LandmarkPatches(nn.Module):
    """Describe the surroundings of every landmark.

    A square patch of features is read around each landmark, between the cells too, and each
    landmark's own linear layer turns it into a few numbers: a lid and a lip corner have little in common.

    Args:
        channels: C.
        num_landmarks: K.
        side: Points along a patch's side.
        spacing: Cells between neighbouring points.
        description_dim: M, the numbers that describe a landmark.
    """

    offsets: Tensor

    def __init__(
        self, *, channels: int, num_landmarks: int, side: int, spacing: float = 1.0, description_dim: int
    ) -> None:
        super().__init__()
        steps = spacing * (torch.arange(side) - (side - 1) / 2)
        offsets = torch.stack([steps.expand(side, -1), steps[:, None].expand(-1, side)], dim=-1)
        self.register_buffer("offsets", offsets.flatten(0, 1), persistent=False)  # (side * side, 2), x and y in cells
        self.describe = BranchLinear(
            num_branches=num_landmarks, in_features=channels * side * side, out_features=description_dim
        )

    def forward(self, features: Tensor, landmarks: Tensor) -> Tensor:
        """Read the patches.

        Args:
            features: (B, C, H, W).
            landmarks: (B, K, 2), x and y as shares of the crop's side. A patch ends where the crop does: there is
                nothing beyond.

        Returns:
            (B, K, M).
        """
        height, width = features.shape[-2:]
        cells = self.offsets / self.offsets.new_tensor([width, height])
        places = landmarks[:, :, None] + cells  # (B, K, side * side, 2)
        # (B, C, K, side * side)
        patches = F.grid_sample(features, 2 * places - 1, mode="bilinear", align_corners=False)
        patches = patches.transpose(1, 2).flatten(2)  # (B, K, C * side * side)
        return F.gelu(self.describe(patches))
