"""The landmarks of a face, and AU scores from their positions and surroundings; an addition to the paper.

An AU's branch sees how skin and features look, averaged over the locations of a coarse grid: it hardly knows the
distance from brow to lid, and loses folds of a few pixels. This one measures the first and looks at the second. It
finds landmarks as the expectations of maps (Sun et al., "Integral Human Pose Regression", ECCV 2018), moves them step
by step by the features around them (Xiong and De la Torre, "Supervised Descent Method", CVPR 2013), and scores the AUs
from the landmarks' positions, without the face's own position and size, and from the features around them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vlfau.facs import MAX_INTENSITY
from vlfau.model.branch import BranchLinear
from vlfau.model.classifier import AUOutput
from vlfau.model.patches import LandmarkPatches

__all__ = ["LandmarkBranch", "LandmarkMaps", "LandmarkOutput"]

MAP_CHANNELS = 48
NARROW_CHANNELS = 24
"""Widths of the levels that patches are read from."""
HIDDEN_DIM = 256
DESCRIPTION_DIM = 32
STEP_DESCRIPTION_DIM = 16
STEP_SIDE = 5
"""Points along a side of the patches that move landmarks."""
STEP_SPACINGS = (1.0, 0.5)
"""Their spacing in every step, in cells of the finest level."""
STEP_UNIT = 0.02
"""The unit of a step, as a share of the crop's side, so that untrained steps are small."""
PATCH_SIDES = (5, 3, 1)
"""Points along a side of the patches that score AUs, by the backbone's levels from the finest."""
DROPOUT = 0.2


@dataclass(frozen=True)
class LandmarkOutput:
    """Landmarks and the scores that they give.

    Attributes:
        estimates: (B, E, K, 2), x and y as shares of the crop's side, from its upper left corner: the places as they
            are first found, and after every step, which may lead out of the crop.
        scores: Of the AUs.
    """

    estimates: Tensor
    scores: AUOutput

    @property
    def landmarks(self) -> Tensor:
        """The landmarks after the last step, (B, K, 2)."""
        return self.estimates[:, -1]

    def __getitem__(self, faces: slice) -> "LandmarkOutput":
        """Return the output of some of the faces."""
        return LandmarkOutput(self.estimates[faces], self.scores[faces])


class LandmarkBranch(nn.Module):
    """Find landmarks, and score the AUs from their positions and surroundings.

    Args:
        channels: Channels of the backbone's four levels.
        num_landmarks: K.
        num_aus: N.
        intensity: Whether to estimate intensities too.
    """

    def __init__(self, *, channels: Sequence[int], num_landmarks: int, num_aus: int, intensity: bool) -> None:
        super().__init__()
        self.maps = LandmarkMaps(channels, num_landmarks)
        self.narrow = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, NARROW_CHANNELS, kernel_size=1), nn.BatchNorm2d(NARROW_CHANNELS), nn.ReLU())
            for width in channels[: len(PATCH_SIDES)]
        )
        self.steps = nn.ModuleList(_Step(num_landmarks, spacing=spacing) for spacing in STEP_SPACINGS)
        self.patches = nn.ModuleList(
            LandmarkPatches(
                channels=NARROW_CHANNELS, num_landmarks=num_landmarks, side=side, description_dim=DESCRIPTION_DIM
            )
            for side in PATCH_SIDES
        )
        self.normalise = nn.BatchNorm1d(2 * num_landmarks, affine=False)
        self.judge = nn.Sequential(
            nn.Linear((2 + len(PATCH_SIDES) * DESCRIPTION_DIM) * num_landmarks, HIDDEN_DIM),
            nn.GELU(),
            nn.Dropout(DROPOUT),
            nn.Linear(HIDDEN_DIM, HIDDEN_DIM),
            nn.GELU(),
            nn.Linear(HIDDEN_DIM, (1 + intensity) * num_aus),
        )
        self.num_aus = num_aus

    def forward(self, levels: Sequence[Tensor]) -> LandmarkOutput:
        """Find landmarks and scores of a batch of faces.

        Args:
            levels: The backbone's four levels, (B, C, S/4, S/4) to (B, C, S/32, S/32).

        Returns:
            The landmarks, and the scores that they give.
        """
        estimates = [self.maps(levels)]
        narrowed = [narrow(level) for narrow, level in zip(self.narrow, levels[: len(PATCH_SIDES)], strict=True)]
        for step in self.steps:
            # Each estimate has its own loss: a step learns from its predecessor's result.
            estimates.append(step(narrowed[0], estimates[-1].detach()))
        # No gradient passes through the positions, or landmarks would move to where they reveal an AU best.
        landmarks = estimates[-1].detach()
        places = self.normalise(_without_place_and_size(landmarks).flatten(1))  # (B, 2K)
        # (B, K * M) each
        seen = [patches(level, landmarks).flatten(1) for patches, level in zip(self.patches, narrowed, strict=True)]
        scores = self.judge(torch.cat([places, *seen], dim=1))  # (B, N) or (B, 2N)
        logits, strengths = scores[:, : self.num_aus], scores[:, self.num_aus :]
        intensities = MAX_INTENSITY * strengths.sigmoid() if strengths.shape[1] else None
        return LandmarkOutput(torch.stack(estimates, dim=1), AUOutput(logits, intensities))

    @property
    def scores_layer(self) -> nn.Linear:
        """The layer whose first N outputs are the AUs' logits."""
        return cast("nn.Linear", self.judge[-1])


class LandmarkMaps(nn.Module):
    """Find landmarks from the whole face."""

    def __init__(self, channels: Sequence[int], num_landmarks: int) -> None:
        super().__init__()
        self.finest = nn.Conv2d(channels[0], MAP_CHANNELS, kernel_size=3, stride=2, padding=1)
        self.coarser = nn.ModuleList(nn.Conv2d(width, MAP_CHANNELS, kernel_size=1) for width in channels[1:])
        self.head = nn.Sequential(
            nn.BatchNorm2d(MAP_CHANNELS),
            nn.ReLU(),
            nn.Conv2d(MAP_CHANNELS, MAP_CHANNELS, kernel_size=3, padding=1),
            nn.BatchNorm2d(MAP_CHANNELS),
            nn.ReLU(),
            nn.Conv2d(MAP_CHANNELS, num_landmarks, kernel_size=1),
        )

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        """Return the landmarks, (B, K, 2)."""
        features = self.finest(levels[0])  # (B, C, S/8, S/8)
        size = features.shape[-2:]
        for convolution, level in zip(self.coarser, levels[1:], strict=True):
            features = features + F.interpolate(convolution(level), size=size, mode="bilinear")
        logits = cast("Tensor", self.head(features))  # (B, K, H, W)
        maps = logits.flatten(2).softmax(2).view_as(logits)
        # Sums rather than a product of matrices, which mixed precision would round to a third of a pixel.
        x = (maps.sum(2) * _cell_centres(maps.shape[3], like=maps)).sum(2)
        y = (maps.sum(3) * _cell_centres(maps.shape[2], like=maps)).sum(2)
        return torch.stack([x, y], dim=2)


class _Step(nn.Module):
    """Move landmarks by the features around them: each by its own surroundings, and all by those of all."""

    def __init__(self, num_landmarks: int, *, spacing: float) -> None:
        super().__init__()
        self.patches = LandmarkPatches(
            channels=NARROW_CHANNELS,
            num_landmarks=num_landmarks,
            side=STEP_SIDE,
            spacing=spacing,
            description_dim=STEP_DESCRIPTION_DIM,
        )
        self.own = BranchLinear(num_branches=num_landmarks, in_features=STEP_DESCRIPTION_DIM, out_features=2)
        self.all = nn.Sequential(
            nn.Linear(STEP_DESCRIPTION_DIM * num_landmarks, HIDDEN_DIM),
            nn.GELU(),
            nn.Linear(HIDDEN_DIM, 2 * num_landmarks),
        )

    def forward(self, features: Tensor, landmarks: Tensor) -> Tensor:
        """Return the moved landmarks (B, K, 2), from features (B, C, H, W)."""
        seen = self.patches(features, landmarks)  # (B, K, M)
        moves: Tensor = self.own(seen) + self.all(seen.flatten(1)).view_as(landmarks)
        return landmarks + STEP_UNIT * moves


def _cell_centres(cells: int, *, like: Tensor) -> Tensor:
    """Return the centres of the cells along one side of a grid, (cells,), as shares of the side."""
    return (torch.arange(cells, dtype=like.dtype, device=like.device) + 0.5) / cells


def _without_place_and_size(landmarks: Tensor) -> Tensor:
    """Centre the landmarks (B, K, 2) and scale them to a mean square distance of 1 from their centre."""
    centred = landmarks - landmarks.mean(1, keepdim=True)
    size = centred.square().sum(2).mean(1).clamp(min=1e-8).sqrt()
    return centred / size[:, None, None]
