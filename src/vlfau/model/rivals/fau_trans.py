"""FAU-Trans: attention taught by landmarks, embeddings drawn to their AU's centre, and a transformer over AUs.

Jacob and Stenger, "Facial Action Unit Detection With Transformers", CVPR 2021. Checked against its public code
(github.com/rakutentech/FAU_CVPR2021) and abstract.

- Attention: a network makes a map A_i per AU from the face's features G, which training holds to the AU's regions of
  interest by a Huber loss (delta .1). The means of sibling maps score the AUs, too (the loss "spotted").
- A branch per AU: G + A_i * G, a convolution, maxima over parts of the face, batch normalisation, ReLU and a linear
  layer give the AU's embedding x_i.
- Center contrastive loss: embeddings of faces with the AU come near to their centre c_i, and others stay away from it,
  sum_i w_i^2 |x_i - c_i|^2 over the faces with the AU, divided by the same sum over those without it.
- Transformer: one learned vector per AU is added, and in three encoder blocks each AU attends to all others; then the
  AUs are scored.
- Loss of both scores: weighted cross entropy and the weighted Tversky loss of every AU over the batch, 1 - (TP + 1) /
  (TP + a FP + b FN + 1), a = .75 and b = .25. All terms weigh the same.

Differences: cross entropy and w are VL-FAU's, where the public code counts active AUs 60 times and takes the root of
their rarity; the Tversky loss is smoothed by 1, not 1e-16; regions are those of JAA-Net around the AUs' centres, not
filled ellipses; embeddings have 64 channels, of the maxima over the face's quarters, where the public code has 256, of
windows of about that size at 12 x 12 places; an AU is scored from its own embedding, for the public code's two layers
over all embeddings hardly learn in trainings of hundreds of steps; the centre c_i is the mean over the batch's faces
with the AU, where the public code divides their sum by all faces; the public code's G also holds A_i * G of the AUs
before; blocks normalise before attention, not after it, have no dropout, and their inner layer is four times as wide as
an embedding, not as wide.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vlfau.model.branch import BranchLinear
from vlfau.model.rivals.base import Rival, RivalInputs, RivalOutput, RivalSetup, RivalTargets
from vlfau.model.rivals.centres import AUCentres, centre_attention
from vlfau.model.rivals.parts import FineFeatures, TransformerBlock, conv_block, linear_scores, masked_mean

__all__ = ["FAUTrans", "center_contrastive_loss", "tversky_loss"]

FALSE_WEIGHT, MISSED_WEIGHT = 0.75, 0.25
HUBER_DELTA = 0.1
SIDE = 2


class FAUTrans(Rival):
    """Supervised attention, an embedding per AU, and a transformer over the AUs.

    Args:
        setup: Sizes.
        width: Channels of an AU's embedding.
        heads: Attention heads.
        blocks: Encoder blocks.
        attention_weight: Weight of the attention's loss.
        center_weight: Weight of the center contrastive loss.
    """

    published = ("FAU-Trans",)
    uses_centres = True

    def __init__(
        self,
        setup: RivalSetup,
        *,
        width: int = 64,
        heads: int = 8,
        blocks: int = 3,
        attention_weight: float = 1.0,
        center_weight: float = 1.0,
    ) -> None:
        super().__init__()
        num_aus = setup.num_aus
        self.attention_weight, self.center_weight = attention_weight, center_weight
        self.features = FineFeatures(setup, width)
        self.regions = nn.Sequential(conv_block(width, width), nn.Conv2d(width, num_aus, 1))
        self.attention, self.spot = nn.Conv2d(num_aus, num_aus, 1), nn.Conv2d(num_aus, num_aus, 1)
        self.centres = AUCentres(setup.au_ids)
        self.branch = nn.Conv2d(width, num_aus * width, 1, bias=False)
        self.normalise = nn.BatchNorm2d(num_aus * width)
        self.embed = BranchLinear(num_branches=num_aus, in_features=SIDE**2 * width, out_features=width)
        self.au_embedding = nn.Parameter(0.02 * torch.randn(num_aus, width))
        self.blocks = nn.ModuleList(TransformerBlock(width, heads) for _ in range(blocks))
        self.scores = linear_scores(num_aus=num_aus, in_dim=width)

    def forward(self, inputs: RivalInputs) -> RivalOutput:
        """Score the AUs, with `spotted` (B, N), the scores of the attention network, and `embedded` (B, N, C)."""
        features = self.features(inputs)
        regions = self.regions(features)
        maps = self.attention(regions).sigmoid()  # (B, N, H, W)
        each = torch.unflatten(self.branch(features), 1, (maps.shape[1], -1))  # (B, N, C, H, W)
        peaks = self.normalise(_quarter_maxima((each * (1 + maps[:, :, None])).flatten(1, 2)))
        embedded = F.relu(self.embed(torch.unflatten(F.relu(peaks), 1, (maps.shape[1], -1)).flatten(2)))
        related = embedded + self.au_embedding
        for block in self.blocks:
            related = block(related)
        extras = {"spotted": self.spot(regions).mean((2, 3)), "embedded": embedded}
        return RivalOutput(self.scores(related), maps, extras)

    def losses(self, output: RivalOutput, targets: RivalTargets) -> dict[str, Tensor]:
        """Return the AU losses of both scores, that of the attention and the center contrastive loss."""
        maps, spotted = output.attention_maps, output.extras["spotted"]
        assert maps is not None
        regions = centre_attention(self.centres(targets.landmarks), *maps.shape[-2:])
        each = F.huber_loss(maps, regions.nan_to_num(), reduction="none", delta=HUBER_DELTA)
        labels = targets.occurrence, targets.valid_mask, targets.weights
        return super().losses(output, targets) | {
            "tversky": tversky_loss(output.au_logits, *labels),
            "spotted": self.occurrence_loss(spotted, targets) + tversky_loss(spotted, *labels),
            "attention": self.attention_weight * masked_mean(each, ~regions.isnan()),
            "centers": self.center_weight * center_contrastive_loss(output.extras["embedded"], *labels),
        }


def tversky_loss(au_logits: Tensor, occurrence: Tensor, valid_mask: Tensor, weights: Tensor) -> Tensor:
    """Return the Tversky loss, averaged over AUs, from the soft counts of a batch's annotated faces.

    Args:
        au_logits: (B, N).
        occurrence: (B, N), 0 or 1.
        valid_mask: (B, N).
        weights: (N,).
    """
    probs, known = au_logits.sigmoid(), valid_mask.to(au_logits.dtype)
    hits = (known * probs * occurrence).sum(0)  # (N,)
    false = (known * probs * (1 - occurrence)).sum(0)
    missed = (known * (1 - probs) * occurrence).sum(0)
    return (weights * (1 - (hits + 1) / (hits + FALSE_WEIGHT * false + MISSED_WEIGHT * missed + 1))).mean()


def center_contrastive_loss(embedded: Tensor, occurrence: Tensor, valid_mask: Tensor, weights: Tensor) -> Tensor:
    """Return how near faces with an AU are to their centre, as a share of how near those without it are.

    Args:
        embedded: (B, N, C), each AU's embedding.
        occurrence: (B, N), 0 or 1.
        valid_mask: (B, N).
        weights: (N,).

    Returns:
        A scalar; 0 for a batch without faces that lack an AU which others have.
    """
    active, resting = (valid_mask & (occurrence == state) for state in (1, 0))
    share = active / active.sum(0).clamp(min=1)  # (B, N)
    centres = (share[..., None] * embedded).sum(0)  # (N, C)
    distances = weights.square() * (embedded - centres).square().mean(2)  # (B, N)
    near = torch.where(active, distances, 0).sum()
    far = torch.where(resting & active.any(0), distances, 0).sum()
    return torch.where(far > 0, near / far.clamp(min=1e-6), 0)


def _quarter_maxima(features: Tensor) -> Tensor:
    """Return the maxima (B, C, SIDE, SIDE) over the quarters of features (B, C, H, W).

    As `torch.nn.functional.adaptive_max_pool2d` does, which cannot be exported for odd H or W.
    """
    for dim in (2, 3):
        size = features.shape[dim]
        bounds = [(size * place // SIDE, -(-size * (place + 1) // SIDE)) for place in range(SIDE)]
        features = torch.stack([features.narrow(dim, low, high - low).amax(dim) for low, high in bounds], dim)
    return features
