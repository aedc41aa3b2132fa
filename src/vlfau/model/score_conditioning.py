"""Conditions the caption decoders on the AUs' scores, so that words and numbers agree; an addition to the paper.

The paper's decoders see features, but not the scores of the classifier or of other branches, such as landmarks. Here
their input is shifted by the scores: an AU's features by its own, the face's by those of all AUs.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vlfau.facs import MAX_INTENSITY
from vlfau.model.branch import BranchLinear
from vlfau.model.classifier import AUOutput

__all__ = ["FeatureShift", "ScoreConditioning"]


@dataclass(frozen=True)
class FeatureShift:
    """A shift added to the features at every location.

    Attributes:
        local: (B, N, d), for the AUs' features; None if they have no captions.
        face: (B, d), for the face's features; None likewise.
    """

    local: Tensor | None
    face: Tensor | None


class ScoreConditioning(nn.Module):
    """Turn scores into shifts of features; untrained, the shifts are zero.

    Args:
        num_aus: N.
        feature_dim: d.
        intensity: Whether there are intensities.
        local: Whether AUs have captions.
        face: Whether the face has a caption.
    """

    def __init__(self, *, num_aus: int, feature_dim: int, intensity: bool, local: bool, face: bool) -> None:
        super().__init__()
        values = 1 + intensity
        self.local = BranchLinear(num_branches=num_aus, in_features=values, out_features=feature_dim) if local else None
        self.face = nn.Linear(values * num_aus, feature_dim) if face else None
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def forward(self, scores: AUOutput) -> FeatureShift:
        """Return the shifts; captions send no gradient back to the scores.

        Args:
            scores: Scores of B faces.
        """
        values = [scores.logits.sigmoid()]
        if scores.intensities is not None:
            values.append(scores.intensities / MAX_INTENSITY)
        told = torch.stack(values, dim=2).detach()  # (B, N, 1 or 2)
        return FeatureShift(
            self.local(told) if self.local is not None else None,
            self.face(told.flatten(1)) if self.face is not None else None,
        )
