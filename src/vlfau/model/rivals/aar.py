"""AAR: attention that is regressed under a prior, and relations of AUs that adapt in space and time.

Shao, Zhou, Cai, Zhu and Yao, "Facial Action Unit Detection via Adaptive Attention and Relation", IEEE Transactions on
Image Processing, 2023.

- Adaptive attention regression: a network regresses each AU's attention map from the face's features, held near the
  attention that the AU's centres predefine by a squared difference, and guided by AU detection through the features
  that it lets pass. So it may spread to regions that correlate weakly.
- Adaptive spatio-temporal graph convolution: nodes are the AUs of every frame of a clip. A layer adds three messages:
  each AU's own pattern (weights of its own), those of the frame's other AUs under learned weights, and those of the
  same AU in the frames before and after: X' = X + ReLU(BN(X_n W_n + A X W + X_(t-1) P + X_t C + X_(t+1) N)).
- Loss: weighted cross entropy of the AUs plus lambda times that of the attention.

Checked against the abstract alone, and that of the preprint's first version (arXiv:2001.01168): neither public code nor
the full text was found. They name a global attention map per AU, held by a predefined one and guided by AU detection;
relations whose weights are learned, not predefined; each AU's own pattern; and dependencies in time. The equations are
this package's.

Differences: attention lies on an eighth of the crop's side; the centres come from FaceMesh's landmarks; an AU's own
pattern has weights of its own, not mixed from some that all AUs share; a clip's first and last frames repeat themselves
beyond its ends, so that a single picture, which is all that prediction sees, is a still clip. Training uses clips of 8
frames, and lambda is 1.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vlfau.model.branch import BranchLinear
from vlfau.model.rivals.base import Rival, RivalInputs, RivalOutput, RivalSetup, RivalTargets
from vlfau.model.rivals.centres import AUCentres, centre_attention
from vlfau.model.rivals.parts import FineFeatures, attend, attention_loss, conv_block, linear_scores

__all__ = ["AAR"]


class AAR(Rival):
    """Attention regression and a spatio-temporal graph of AUs.

    Args:
        setup: Sizes.
        width: Channels of an AU's node.
        attention_weight: lambda.
        clip_length: Frames of a training clip.
    """

    published = ("AAR",)
    uses_centres = True
    clip_length = 8

    def __init__(
        self, setup: RivalSetup, *, width: int = 64, attention_weight: float = 1.0, clip_length: int = 8
    ) -> None:
        super().__init__()
        self.attention_weight, self.clip_length = attention_weight, clip_length
        self.features = FineFeatures(setup, width)
        self.attention = nn.Sequential(conv_block(width, width), nn.Conv2d(width, setup.num_aus, 1))
        self.centres = AUCentres(setup.au_ids)
        self.relations = nn.ModuleList(_SpatioTemporalLayer(setup.num_aus, width) for _ in range(2))
        self.scores = linear_scores(num_aus=setup.num_aus, in_dim=width)

    def forward(self, inputs: RivalInputs) -> RivalOutput:
        """Score the AUs; `attention` is that of the maps."""
        features = self.features(inputs)
        maps = self.attention(features).sigmoid()  # (B, N, H, W)
        nodes = torch.unflatten(attend(maps, features), 0, (-1, inputs.clip_length))  # (clips, T, N, C)
        for layer in self.relations:
            nodes = layer(nodes)
        return RivalOutput(self.scores(nodes.flatten(0, 1)), maps)

    def losses(self, output: RivalOutput, targets: RivalTargets) -> dict[str, Tensor]:
        """Return the AU loss and that of the attention."""
        maps = output.attention_maps
        assert maps is not None
        predefined = centre_attention(self.centres(targets.landmarks), *maps.shape[-2:])
        return super().losses(output, targets) | {"attention": self.attention_weight * attention_loss(maps, predefined)}


class _SpatioTemporalLayer(nn.Module):
    def __init__(self, num_aus: int, width: int) -> None:
        super().__init__()
        self.own = BranchLinear(num_branches=num_aus, in_features=width, out_features=width)
        self.relation = nn.Parameter(torch.full((num_aus, num_aus), 1 / num_aus))
        self.others = nn.Linear(width, width, bias=False)
        self.before, self.now, self.after = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.normalise = nn.BatchNorm1d(num_aus * width)

    def forward(self, nodes: Tensor) -> Tensor:
        """Return the next nodes of (clips, T, N, C)."""
        frames = nodes.flatten(0, 1)
        own = self.own(frames).view(nodes.shape)
        told = self.relation @ self.others(nodes)
        before = torch.cat([nodes[:, :1], nodes[:, :-1]], dim=1)
        after = torch.cat([nodes[:, 1:], nodes[:, -1:]], dim=1)
        moved = self.before(before) + self.now(nodes) + self.after(after)
        change = self.normalise((own + told + moved).flatten(0, 1).flatten(1)).view(nodes.shape)
        return nodes + F.relu(change)
