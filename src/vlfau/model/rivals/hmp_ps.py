"""HMP-PS: several kinds of messages over graphs that are drawn by how well they perform.

Song, Cui, Zheng and Ji, "Hybrid Message Passing With Performance-Driven Structures for Facial Action Unit Detection",
CVPR 2021.

- Performance-driven structures: a Markov chain over AU graphs. A step proposes a graph with one link more or less and
  accepts it with probability min(1, exp((P' - P) / t)), where the performance P is minus the loss of the batch under
  the graph. The chain's latest graphs are kept, each with a running mean of its performance.
- Bayesian averaging: the prediction is the mean over the kept graphs, weighed by softmax(P / t).
- Hybrid message passing: along a graph's links pass the mean of the neighbours, their attention-weighted sum, and the
  largest difference to them, max over j of W (v_j - v_i); how much each kind counts depends on the node: c = softmax(W
  v_i), v_i' = v_i + ReLU(LN(sum over kinds of c_k m_k)).
- A classifier per AU; weighted cross entropy.

Built from general knowledge of the paper: neither its text nor public code was found. A later paper (ME-GraphAU) says
only that a link is one number. The three kinds of messages, the chain's proposal and its temperature are ours.

Differences: the chain moves in every training step, together with the weights, on the batch at hand, not on a
validation set between trainings; 4 graphs are kept; nodes come from a layer per AU on V.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vlfau.model.rivals.base import Rival, RivalInputs, RivalOutput, RivalSetup, RivalTargets
from vlfau.model.rivals.parts import AUFeatures, linear_scores

__all__ = ["HMPPS"]

KINDS = 3
MOMENTUM = 0.9


class HMPPS(Rival):
    """Hybrid messages over sampled graphs.

    Args:
        setup: Sizes.
        structures: Graphs that are kept.
        temperature: t.
    """

    published = ("HMP-PS",)
    links: Tensor
    performance: Tensor
    newest: Tensor

    def __init__(self, setup: RivalSetup, *, structures: int = 4, temperature: float = 0.01) -> None:
        super().__init__()
        aus, width = setup.num_aus, setup.feature_dim
        self.temperature = temperature
        self.au_features = AUFeatures(num_aus=aus, in_dim=width, out_dim=width)
        drawn = torch.rand(structures, aus, aus) < 0.5
        self.register_buffer("links", drawn | drawn.transpose(1, 2) | torch.eye(aus, dtype=torch.bool))
        self.register_buffer("performance", torch.zeros(structures))
        self.register_buffer("newest", torch.zeros((), dtype=torch.long))
        self.message = _HybridMessages(width)
        self.scores = linear_scores(num_aus=aus, in_dim=width)

    def forward(self, inputs: RivalInputs) -> RivalOutput:
        """Score the AUs, with the `nodes` (B, N, d) and the logits `by_structure` (S, B, N)."""
        nodes = self.au_features(inputs.stem_features.flatten(1, 2)).mean(2)  # (B, N, d)
        each = self._scores(nodes, self.links)
        weights = (self.performance / self.temperature).softmax(0)
        logits = (weights[:, None, None] * each).sum(0)
        return RivalOutput(logits, extras={"nodes": nodes.detach(), "by_structure": each.detach()})

    def losses(self, output: RivalOutput, targets: RivalTargets) -> dict[str, Tensor]:
        """Return the AU loss; in training, the chain takes a step."""
        if self.training:
            self._step(output.extras["nodes"], output.extras["by_structure"], targets)
        return super().losses(output, targets)

    @torch.no_grad()
    def _step(self, nodes: Tensor, by_structure: Tensor, targets: RivalTargets) -> None:
        now = torch.stack([-self.occurrence_loss(logits, targets) for logits in by_structure])
        self.performance.lerp_(now, 1 - MOMENTUM)
        newest = int(self.newest)
        proposed = self.links[newest].clone()
        start, end = torch.randperm(len(proposed))[:2].tolist()
        proposed[start, end] = proposed[end, start] = ~proposed[start, end]
        performance = -self.occurrence_loss(self._scores(nodes, proposed[None])[0], targets)
        if torch.rand(()) < ((performance - now[newest]) / self.temperature).exp().cpu():
            oldest = (newest + 1) % len(self.links)
            self.links[oldest] = proposed
            # The running mean of the graph that it came from, moved by what the one link changed.
            self.performance[oldest] = self.performance[newest] + performance - now[newest]
            self.newest.fill_(oldest)

    def _scores(self, nodes: Tensor, links: Tensor) -> Tensor:
        """Return logits (S, B, N) of nodes (B, N, d) under graphs (S, N, N)."""
        moved = self.message(nodes, links)  # (S, B, N, d)
        return torch.unflatten(self.scores(moved.flatten(0, 1)), 0, (len(links), -1))


class _HybridMessages(nn.Module):
    """Mean, attention and largest difference of the neighbours, mixed by what the node asks for."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mean, self.value, self.difference = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width, bias=False)
        self.mix = nn.Linear(width, KINDS)
        self.normalise = nn.LayerNorm(width)

    def forward(self, nodes: Tensor, links: Tensor) -> Tensor:
        """Return the next nodes (S, B, N, d) of (B, N, d) under graphs (S, N, N), every node linked to itself."""
        absent = ~links[:, None]  # (S, 1, N, N)
        shares = links.to(nodes.dtype) / links.sum(2, keepdim=True)
        mean = shares[:, None] @ self.mean(nodes)  # (S, B, N, d)
        scores = self.query(nodes) @ self.key(nodes).transpose(1, 2) / nodes.shape[2] ** 0.5
        attended = scores.masked_fill(absent, float("-inf")).softmax(3) @ self.value(nodes)
        shifted = self.difference(nodes)
        differences = shifted[:, None] - shifted[:, :, None]  # (B, N, N, d), of j to i
        largest = differences.masked_fill(absent[..., None], float("-inf")).amax(3)
        counts = self.mix(nodes).softmax(2)  # (B, N, kinds)
        told = (torch.stack([mean, attended, largest], dim=4) * counts[:, :, None]).sum(4)
        return nodes + F.relu(self.normalise(told))
