"""SMA-ViT: several channels of attention that are kept from agreeing, on a vision transformer.

Li, Li, Yang, Zhao and Yin, "Your 'Attention' Deserves Attention: A Self-Diversified Multi-Channel Attention for Facial
Action Analysis", FG 2021 (SMA-Net); Li, Zhang, Zhang, Wang, Yang and Yin, "Disagreement Matters: Exploring Internal
Diversification for Redundant Attention in Generic Facial Action Analysis", IEEE Transactions on Affective Computing,
2023 (SMA-ViT).

- Multi-channel attention: every block computes M complete self-attentions of the same tokens, which see the same region
  in different ways.
- Disagreement constraint: the mean cosine similarity of what each two channels say of a token is added to the loss, so
  that channels stay diverse instead of becoming copies.
- Inter-attention: the channels of each token attend to each other, and weights that depend on the token mix them.
- ViT: blocks of this attention and a multi-layer perceptron; a learned token per AU gathers what its AU needs; weighted
  cross entropy.

Checked against the abstracts of both papers, for there was neither public code nor a full text. They say that patterns
of attention within one region are kept diverse, and that inter-attention refines the maps of attention. Here both act
on what the channels read: acting on the attention itself, they made it so sharp that training stopped on both sets of
drawn faces within 2,000 steps. It still does on one of them.

Differences: the tokens are the locations of V, so that the stem is that of all other methods, and not patches of pixels
with a ViT-B of ImageNet; one token per AU replaces the one class token, so that there are attention maps per AU; the
weight of the constraint is .1, and M is 4, because neither was to be had.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vlfau.model.rivals.base import Rival, RivalInputs, RivalOutput, RivalSetup, RivalTargets
from vlfau.model.rivals.parts import linear_scores, scaled_dot_attention

__all__ = ["SMAViT"]


class SMAViT(Rival):
    """A transformer over V whose attention has diverse channels.

    Args:
        setup: Sizes.
        attentions: M, the channels of attention.
        blocks: Transformer blocks.
        disagreement_weight: Weight of the constraint.
    """

    published = ("SMA-ViT",)

    def __init__(
        self, setup: RivalSetup, *, attentions: int = 4, blocks: int = 2, disagreement_weight: float = 0.1
    ) -> None:
        super().__init__()
        width = setup.feature_dim
        self.num_aus, self.disagreement_weight = setup.num_aus, disagreement_weight
        self.au_tokens = nn.Parameter(0.02 * torch.randn(setup.num_aus, width))
        self.blocks = nn.ModuleList(_Block(width, attentions) for _ in range(blocks))
        self.normalise = nn.LayerNorm(width)
        self.scores = linear_scores(num_aus=setup.num_aus, in_dim=width)

    def forward(self, inputs: RivalInputs) -> RivalOutput:
        """Score the AUs, with the `agreement` of the channels, a scalar."""
        face = inputs.stem_features.flatten(1, 2)  # (B, L, d)
        tokens = torch.cat([self.au_tokens.expand(face.shape[0], -1, -1), face], dim=1)
        agreements = []
        for block in self.blocks:
            tokens, attention, agreement = block(tokens)
            agreements.append(agreement)
        seen = attention[:, : self.num_aus, self.num_aus :]  # (B, N, L), of the last block
        maps = (seen / seen.amax(2, keepdim=True)).unflatten(2, inputs.stem_features.shape[1:3])
        logits = self.scores(self.normalise(tokens[:, : self.num_aus]))
        return RivalOutput(logits, maps, {"agreement": torch.stack(agreements).mean()})

    def losses(self, output: RivalOutput, targets: RivalTargets) -> dict[str, Tensor]:
        """Return the AU loss and the disagreement constraint."""
        constraint = self.disagreement_weight * output.extras["agreement"]
        return super().losses(output, targets) | {"disagreement": constraint}


class _Block(nn.Module):
    def __init__(self, width: int, attentions: int) -> None:
        super().__init__()
        self.attentions = attentions
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.value = nn.Linear(width, attentions * width), nn.Linear(width, attentions * width)
        self.key = nn.Linear(width, attentions * width, bias=False)
        self.ask = nn.Linear(width, width)
        self.answer = nn.Linear(width, width, bias=False)
        self.project = nn.Linear(width, width)
        self.think = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the next tokens (B, T, d), the mean attention (B, T, T) and the channels' agreement, a scalar."""
        normal = self.before(tokens)
        query, key, value = (self._split(layer(normal)) for layer in (self.query, self.key, self.value))
        attention = scaled_dot_attention(query, key)  # (B, M, T, T)
        told = (attention @ value).transpose(1, 2)  # (B, T, M, d)
        unit = F.normalize(told, dim=3)
        likeness = unit @ unit.transpose(2, 3)  # (B, T, M, M)
        others = self.attentions * (self.attentions - 1)
        agreement = (likeness.sum((2, 3)) - likeness.diagonal(dim1=2, dim2=3).sum(2)).mean() / max(1, others)
        # Inter-attention: each channel attends to all, and the channels' mean answer is the token's.
        weights = scaled_dot_attention(self.ask(told), self.answer(told))  # (B, T, M, M)
        mixed = (weights @ told).mean(2)
        tokens = tokens + self.project(mixed)
        return tokens + self.think(self.between(tokens)), attention.mean(1), agreement

    def _split(self, features: Tensor) -> Tensor:
        return torch.unflatten(features, 2, (self.attentions, -1)).transpose(1, 2)  # (B, M, T, d)
