"""FAU-Trans: attention to regions, taught by landmarks, and a transformer over AUs.

Jacob and Stenger, "Facial Action Unit Detection With Transformers", CVPR 2021.

- Region attention: a map per AU, from a network over the face's features, that training holds to the AU's regions of
  interest, which landmarks give; the features under it are the AU's embedding.
- Transformer: the AUs' embeddings, with one learned vector per AU added, go through encoder blocks, where each AU
  attends to all others.
- Loss: weighted cross entropy, the Tversky loss 1 - (TP + e) / (TP + a FP + b FN + e) of every AU over the batch, which
  weighs missed AUs (b) above false ones (a), and the loss of the attention.

Differences: regions are those of JAA-Net around the AUs' centres; the attention's loss is a cross entropy; a = .3 and b
= .7, which the paper does not print for AUs; one network for all maps, not one per AU, on an eighth of the crop's side.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vlfau.model.rivals.base import Rival, RivalInputs, RivalOutput, RivalSetup, RivalTargets
from vlfau.model.rivals.centres import AUCentres, centre_attention
from vlfau.model.rivals.parts import FineFeatures, TransformerBlock, attend, conv_block, linear_scores, masked_mean

__all__ = ["FAUTrans", "tversky_loss"]

FALSE_WEIGHT, MISSED_WEIGHT = 0.3, 0.7


class FAUTrans(Rival):
    """Supervised region attention and a transformer over the AUs.

    Args:
        setup: Sizes.
        width: Channels of an AU's embedding.
        heads: Attention heads.
        blocks: Encoder blocks.
        attention_weight: Weight of the attention's loss.
    """

    published = ("FAU-Trans",)
    uses_centres = True

    def __init__(
        self, setup: RivalSetup, *, width: int = 64, heads: int = 4, blocks: int = 2, attention_weight: float = 1.0
    ) -> None:
        super().__init__()
        self.attention_weight = attention_weight
        self.features = FineFeatures(setup, width)
        self.attention = nn.Sequential(conv_block(width, width), nn.Conv2d(width, setup.num_aus, 1))
        self.centres = AUCentres(setup.au_ids)
        self.au_embedding = nn.Parameter(0.02 * torch.randn(setup.num_aus, width))
        self.blocks = nn.ModuleList(TransformerBlock(width, heads) for _ in range(blocks))
        self.scores = linear_scores(num_aus=setup.num_aus, in_dim=width)

    def forward(self, inputs: RivalInputs) -> RivalOutput:
        """Score the AUs, with the `attention` (B, N, H, W) before the sigmoid."""
        features = self.features(inputs)
        attention = self.attention(features)
        maps = attention.sigmoid()
        embedded = attend(maps, features) + self.au_embedding  # (B, N, C)
        for block in self.blocks:
            embedded = block(embedded)
        return RivalOutput(self.scores(embedded), maps, {"attention": attention})

    def losses(self, output: RivalOutput, targets: RivalTargets) -> dict[str, Tensor]:
        """Return the AU loss, the Tversky loss and that of the attention."""
        attention = output.extras["attention"]
        regions = centre_attention(self.centres(targets.landmarks), *attention.shape[-2:])
        each = F.binary_cross_entropy_with_logits(attention, regions.nan_to_num(), reduction="none")
        return super().losses(output, targets) | {
            "tversky": tversky_loss(output.au_logits, targets.occurrence, targets.valid_mask),
            "attention": self.attention_weight * masked_mean(each, ~regions.isnan()),
        }


def tversky_loss(au_logits: Tensor, occurrence: Tensor, valid_mask: Tensor) -> Tensor:
    """Return the Tversky loss, averaged over AUs, from the soft counts of a batch's annotated faces.

    Args:
        au_logits: (B, N).
        occurrence: (B, N), 0 or 1.
        valid_mask: (B, N).
    """
    probs, known = au_logits.sigmoid(), valid_mask.to(au_logits.dtype)
    hits = (known * probs * occurrence).sum(0)  # (N,)
    false = (known * probs * (1 - occurrence)).sum(0)
    missed = (known * (1 - probs) * occurrence).sum(0)
    return (1 - (hits + 1) / (hits + FALSE_WEIGHT * false + MISSED_WEIGHT * missed + 1)).mean()
