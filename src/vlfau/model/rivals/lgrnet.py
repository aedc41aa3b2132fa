"""LGRNet: AU regions read one after the other, and the whole face beside them.

Ge, Wan, Han, Jose, Ji, Wu and Liu, "Local Global Relational Network for Facial Action Units Recognition", FG 2021.

- Local patches: features around the landmarks of each AU, on both sides of the face.
- Skip-BiLSTM: the AUs' regions are a sequence that two LSTMs read in opposite directions; a state joins not only the
  state before but also the one two places before, h_i = LSTM(x_i, h_(i-1) + W h_(i-2)), so that distant regions meet
  after fewer steps.
- Feature fusion and refinement: a gate from local and global features, s = sigmoid(W [h_i : g]), mixes both, f_i = s
  h_i + (1 - s) W g, and a residual layer refines the result.
- A classifier per AU; weighted cross entropy.

Checked against the abstract alone, and that of its successor ALGRNet (arXiv:2203.01800): neither public code nor the
full text was found. They name the skip-BiLSTM over the AUs' local features, the fusion and refinement with the whole
face, and regions that follow from detected landmarks; the equations are this package's.

Differences: a head on the stem finds the landmarks (`vlfau.model.landmarks.LandmarkMaps`), because prediction sees the
crop alone, and its loss is added, for the abstract leaves open how they are found; regions are squares of 3 x 3 cells
around the AU's two centres, on an eighth of the crop's side, although the abstract calls regular shapes a limit.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vlfau.model.landmarks import LandmarkMaps
from vlfau.model.losses import landmark_loss
from vlfau.model.rivals.base import Rival, RivalInputs, RivalOutput, RivalSetup, RivalTargets
from vlfau.model.rivals.centres import LANDMARKS, AUCentres, centre_attention
from vlfau.model.rivals.parts import FineFeatures, linear_scores

__all__ = ["LGRNet"]

PATCH_SIDE = 3
SKIP = 2


class LGRNet(Rival):
    """Patches at the AUs' centres, a skip-BiLSTM over them, and fusion with the whole face.

    Args:
        setup: Sizes.
        width: Channels of an AU's features.
    """

    published = ("LGRNet",)
    uses_landmarks = True
    uses_centres = True

    def __init__(self, setup: RivalSetup, *, width: int = 64) -> None:
        super().__init__()
        self.landmarks = LandmarkMaps(setup.channels, len(LANDMARKS))
        self.centres = AUCentres(setup.au_ids)
        self.features = FineFeatures(setup, width)
        self.local = nn.Linear(2 * PATCH_SIDE**2 * width, width)
        self.forwards, self.backwards = _SkipLSTM(width), _SkipLSTM(width)
        self.join = nn.Linear(2 * width, width)
        self.whole = nn.Linear(setup.feature_dim, width)
        self.gate = nn.Linear(2 * width, width)
        self.refine = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
        self.scores = linear_scores(num_aus=setup.num_aus, in_dim=width)

    def forward(self, inputs: RivalInputs) -> RivalOutput:
        """Score the AUs, with `landmarks` (B, K, 2)."""
        landmarks = self.landmarks(inputs.levels)
        centres = self.centres(landmarks.detach())  # (B, N, 2, 2)
        features = self.features(inputs)
        local = F.relu(self.local(_patches(features, centres)))  # (B, N, C)
        related = self.join(torch.cat([self.forwards(local), self.backwards(local.flip(1)).flip(1)], dim=2))
        whole = self.whole(inputs.stem_features.mean((1, 2)))[:, None].expand_as(related)
        share = self.gate(torch.cat([related, whole], dim=2)).sigmoid()
        fused = share * related + (1 - share) * whole
        maps = centre_attention(centres, *features.shape[-2:])
        return RivalOutput(self.scores(fused + self.refine(fused)), maps, {"landmarks": landmarks})

    def losses(self, output: RivalOutput, targets: RivalTargets) -> dict[str, Tensor]:
        """Return the AU loss and that of the landmarks."""
        landmarks = landmark_loss(output.extras["landmarks"], targets.landmarks)
        return super().losses(output, targets) | {"landmarks": landmarks}


def _patches(features: Tensor, centres: Tensor) -> Tensor:
    """Return the features (B, C, H, W) around both centres (B, N, 2, 2) of each AU: (B, N, 2 * side^2 * C)."""
    height, width = features.shape[-2:]
    steps = torch.arange(PATCH_SIDE, dtype=features.dtype, device=features.device) - (PATCH_SIDE - 1) / 2
    offsets = torch.stack(
        [steps.expand(PATCH_SIDE, -1) / width, steps[:, None].expand(-1, PATCH_SIDE) / height], dim=-1
    )
    places = (centres[:, :, :, None] + offsets.flatten(0, 1)).flatten(2, 3)  # (B, N, 2 * side^2, 2)
    read = F.grid_sample(features, 2 * places - 1, mode="bilinear", align_corners=False)  # (B, C, N, 2 * side^2)
    return read.permute(0, 2, 3, 1).flatten(2)


class _SkipLSTM(nn.Module):
    """An LSTM over AUs whose states also join the one two places before."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(width, width)
        self.skip = nn.Linear(width, width, bias=False)

    def forward(self, sequence: Tensor) -> Tensor:
        """Return the states (B, N, C) of a sequence (B, N, C)."""
        hidden = cell = torch.zeros_like(sequence[:, 0])
        states: list[Tensor] = []
        for place in range(sequence.shape[1]):
            if place >= SKIP:
                hidden = hidden + self.skip(states[place - SKIP])
            hidden, cell = self.cell(sequence[:, place], (hidden, cell))
            states.append(hidden)
        return torch.stack(states, dim=1)
