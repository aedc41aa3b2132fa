"""UGN-B: a graph of AUs whose links are uncertain, and whose uncertainty weighs the training faces.

Song, Chen, Zheng and Ji, "Uncertain Graph Neural Networks for Facial Action Unit Detection", AAAI 2021.

- Probabilistic masks: each link of the AU graph has a mask m_ij = sigmoid(z_ij) with z_ij ~ N(mu_ij, sigma_ij^2), where
  mean and deviation depend on both AUs' features; z = mu + sigma e is drawn anew in every training step, so that
  gradients reach both.
- Message passing over a learned graph A under the masks: v_i' = v_i + ReLU(BN(sum over j of a_ij m_ij W v_j / N)).
- Uncertainty-weighted learning: several draws of the masks give several predictions; their variance u is the epistemic
  uncertainty of a face and AU, which is high where the data are sparse; the loss of each is weighed by 1 + u / mean(u),
  normalised, so that learning leans to what is rare.
- Prediction uses the means mu.

Checked against the abstract and a summary; no public code was found. They say that the graph is a parameter, that a
mask adapts its links to the face, and that the uncertainty estimated from it weighs the training faces, because AUs are
unbalanced. They name neither the masks' distribution (Gaussian here), nor the measure of uncertainty (variance here),
nor the weights' formula, nor what the B stands for; these are ours.

Differences: a divergence of z from a standard normal, weighed .001, keeps sigma from shrinking to 0; 4 draws; one layer
of messages; the uncertainty's weight multiplies that of the shared loss; nodes come from a layer per AU on V.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vlfau.model.rivals.base import Rival, RivalInputs, RivalOutput, RivalSetup, RivalTargets
from vlfau.model.rivals.parts import AUFeatures, linear_scores, masked_mean

__all__ = ["UGNB"]


class UGNB(Rival):
    """An uncertain graph of AUs.

    Args:
        setup: Sizes.
        draws: Draws of the masks per training step.
        prior_weight: Weight of the divergence.
    """

    published = ("UGN-B",)

    def __init__(self, setup: RivalSetup, *, draws: int = 4, prior_weight: float = 0.001) -> None:
        super().__init__()
        aus, width = setup.num_aus, setup.feature_dim
        self.draws, self.prior_weight = draws, prior_weight
        self.au_features = AUFeatures(num_aus=aus, in_dim=width, out_dim=width)
        self.graph = nn.Parameter(torch.ones(aus, aus))
        self.mean, self.spread = _PairScores(aus, width), _PairScores(aus, width)
        self.message = nn.Linear(width, width, bias=False)
        self.normalise = nn.BatchNorm1d(aus * width)
        self.scores = linear_scores(num_aus=aus, in_dim=width)

    def forward(self, inputs: RivalInputs) -> RivalOutput:
        """Score the AUs; in training with `uncertainty` (B, N) and `divergence`, a scalar."""
        nodes = self.au_features(inputs.stem_features.flatten(1, 2)).mean(2)  # (B, N, d)
        mean = self.mean(nodes)  # (B, N, N)
        if not self.training:
            return RivalOutput(self._scores(nodes, mean[None])[0])
        spread = F.softplus(self.spread(nodes)) + 1e-3
        noise = torch.randn(self.draws, *mean.shape, device=mean.device, dtype=mean.dtype)
        logits = self._scores(nodes, mean + spread * noise)  # (S, B, N)
        divergence = 0.5 * (mean.square() + spread.square() - 1 - 2 * spread.log()).mean()
        uncertainty = logits.sigmoid().var(0, correction=0)
        return RivalOutput(logits.mean(0), extras={"uncertainty": uncertainty, "divergence": divergence})

    def losses(self, output: RivalOutput, targets: RivalTargets) -> dict[str, Tensor]:
        """Return the AU loss, weighed by the uncertainty in training, and the divergence."""
        if "uncertainty" not in output.extras:
            return super().losses(output, targets)
        uncertainty, valid = output.extras["uncertainty"].detach(), targets.valid_mask
        weights = (1 + uncertainty / masked_mean(uncertainty, valid).clamp(min=1e-12)) / 2
        each = F.binary_cross_entropy_with_logits(
            output.au_logits, targets.occurrence, weight=targets.weights * weights, reduction="none"
        )
        return {
            "fau": masked_mean(each, valid),
            "divergence": self.prior_weight * output.extras["divergence"],
        }

    def _scores(self, nodes: Tensor, links: Tensor) -> Tensor:
        """Return logits (S, B, N) of nodes (B, N, d) under links (S, B, N, N), before the sigmoid."""
        told = (self.graph * links.sigmoid()) @ self.message(nodes) / nodes.shape[1]  # (S, B, N, d)
        moved = nodes + F.relu(self.normalise(told.flatten(0, 1).flatten(1)).view(told.shape))
        return torch.unflatten(self.scores(moved.flatten(0, 1)), 0, told.shape[:2])


class _PairScores(nn.Module):
    """A score of every two AUs, from their features and in general."""

    def __init__(self, num_aus: int, width: int) -> None:
        super().__init__()
        self.start, self.end = nn.Linear(width, width), nn.Linear(width, width)
        self.general = nn.Parameter(torch.zeros(num_aus, num_aus))

    def forward(self, nodes: Tensor) -> Tensor:
        """Return (B, N, N) of nodes (B, N, d)."""
        pairs: Tensor = self.start(nodes) @ self.end(nodes).transpose(1, 2) / nodes.shape[2] ** 0.5
        return pairs + self.general
