"""Where the landmarks of a face lie, and what their places alone say of its AUs; an addition to the paper.

A branch sees how skin and features look, averaged over the locations; it hardly knows the distance from brow to lid.
This part measures it: landmarks as the expectations of maps (Sun et al., "Integral Human Pose Regression", ECCV 2018),
then a small network on their places after position and size are taken out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vlfau.model.classifier import MAX_INTENSITY, AUScores

__all__ = ["FaceGeometry", "Geometry"]

MAP_CHANNELS = 96
HIDDEN_DIM = 256


@dataclass(frozen=True)
class Geometry:
    """What the landmarks say.

    Attributes:
        landmarks: (B, K, 2), x and y as shares of the crop's side, from its upper left corner.
        scores: Of the AUs, from the places of the landmarks alone.
    """

    landmarks: Tensor
    scores: AUScores

    def of(self, faces: slice) -> "Geometry":
        """Return that of some of the faces."""
        return Geometry(self.landmarks[faces], self.scores.of(faces))


class FaceGeometry(nn.Module):
    """Find landmarks, and judge the AUs by their places.

    Args:
        channels: Of the backbone's four levels.
        num_landmarks: K.
        num_aus: N.
        intensity: Whether to tell intensities too.
    """

    def __init__(self, *, channels: Sequence[int], num_landmarks: int, num_aus: int, intensity: bool) -> None:
        super().__init__()
        self.finest = nn.Conv2d(channels[0], MAP_CHANNELS, kernel_size=3, stride=2, padding=1)
        self.coarser = nn.ModuleList(nn.Conv2d(width, MAP_CHANNELS, kernel_size=1) for width in channels[1:])
        self.maps = nn.Sequential(
            nn.BatchNorm2d(MAP_CHANNELS),
            nn.ReLU(),
            nn.Conv2d(MAP_CHANNELS, MAP_CHANNELS, kernel_size=3, padding=1),
            nn.BatchNorm2d(MAP_CHANNELS),
            nn.ReLU(),
            nn.Conv2d(MAP_CHANNELS, num_landmarks, kernel_size=1),
        )
        self.judge = nn.Sequential(
            nn.BatchNorm1d(2 * num_landmarks, affine=False),
            nn.Linear(2 * num_landmarks, HIDDEN_DIM),
            nn.GELU(),
            nn.Linear(HIDDEN_DIM, HIDDEN_DIM),
            nn.GELU(),
            nn.Linear(HIDDEN_DIM, (1 + intensity) * num_aus),
        )
        self.num_aus = num_aus

    def forward(self, levels: Sequence[Tensor]) -> Geometry:
        """Measure a batch of faces.

        Args:
            levels: The backbone's four levels, (B, C, S/4, S/4) to (B, C, S/32, S/32).
        """
        landmarks = self._find(levels)
        # The labels of AUs must not move the landmarks, or these would no longer lie where they lie on photographs.
        scores = self.judge(_without_place_and_size(landmarks.detach()).flatten(1))  # (B, N) or (B, 2N)
        logits, strengths = scores[:, : self.num_aus], scores[:, self.num_aus :]
        intensities = MAX_INTENSITY * strengths.sigmoid() if strengths.shape[1] else None
        return Geometry(landmarks, AUScores(logits, intensities))

    def _find(self, levels: Sequence[Tensor]) -> Tensor:
        features = self.finest(levels[0])  # (B, M, S/8, S/8)
        size = features.shape[-2:]
        for convolution, level in zip(self.coarser, levels[1:], strict=True):
            features = features + F.interpolate(convolution(level), size=size, mode="bilinear")
        maps = cast("Tensor", self.maps(features)).flatten(2).softmax(2)  # (B, K, L)
        return maps @ _cell_centres(*size, like=maps)


def _cell_centres(height: int, width: int, *, like: Tensor) -> Tensor:
    """Return (L, 2), x and y of the cells of a grid as shares of its sides, row by row."""
    x = (torch.arange(width, dtype=like.dtype, device=like.device) + 0.5) / width
    y = (torch.arange(height, dtype=like.dtype, device=like.device) + 0.5) / height
    return torch.stack([x.expand(height, -1), y[:, None].expand(-1, width)], dim=-1).flatten(0, 1)


def _without_place_and_size(landmarks: Tensor) -> Tensor:
    """Centre the landmarks (B, K, 2) and scale them to a mean square distance of 1 from their centre."""
    centred = landmarks - landmarks.mean(1, keepdim=True)
    size = centred.square().sum(2).mean(1).clamp(min=1e-8).sqrt()
    return centred / size[:, None, None]
