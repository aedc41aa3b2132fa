"""ME-GraphAU: a graph of AUs with edges of many dimensions.

Luo, Song, Xie, Shen and Gunes, "Learning Multi-dimensional Edge Feature-based AU Relation Graph for Facial Action Unit
Recognition", IJCAI 2022.

- AFG: a fully connected layer per AU maps the face's features X to U_n; v_n is its mean over locations.
- FGG: v_n is linked to its k most similar nodes by inner product; one graph convolution, v' = ReLU(v + BN(g(v) + sum
  over linked nodes of r(v_j))).
- MEFL: FAM, a cross-attention of each U_n to X; ARM, one of every U_j to every U_i; its mean over locations is the edge
  e_ij, which leads from j to i.
- Gated graph network: two layers of e' = e + ReLU(BN(A v_i + B v_j + E e)) and v' = ReLU(v + BN(U v + sum over j of
  s_ij V v_j / N)), with the gates s_ij = softmax over j of sigmoid(e'_ij).
- Similarity classifier (SC): p_n = ReLU(v_n) . ReLU(s_n) / (|v_n| |s_n|).
- Loss of the second stage: that of the AUs plus lambda times the cross entropy of which of the two AUs of an edge act
  (four classes).

Checked against the public code (CVI-SZU/ME-GraphAU).

Differences: the first stage takes a share of one run's epochs, not a run of its own, and its classifier goes on into
the second; the shared weighted cross entropy replaces the weighted asymmetric loss, and the cosine p is turned into a
logit for it; the feature's width is that of V; edges are normalised after their mean over locations, not before; layers
start from PyTorch's random weights. The public code weighs the edge loss .001 where the paper has .01.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vlfau.model.rivals.base import Rival, RivalInputs, RivalOutput, RivalSetup, RivalTargets
from vlfau.model.rivals.parts import AUFeatures, masked_mean, scaled_dot_attention

__all__ = ["MEGraphAU"]

NEAR_CERTAIN = 1e-3
EDGE_CLASSES = 4


class MEGraphAU(Rival):
    """AU features, similarity graph, then multi-dimensional edges and a gated graph network.

    Args:
        setup: Sizes.
        neighbours: k, the nodes that each is linked to in the first stage.
        first_stage: Share of the training that is the first stage.
        edge_weight: lambda.
    """

    published = ("ME-GraphAU",)

    def __init__(
        self, setup: RivalSetup, *, neighbours: int = 3, first_stage: float = 0.4, edge_weight: float = 0.01
    ) -> None:
        super().__init__()
        aus, width = setup.num_aus, setup.feature_dim
        self.first_stage, self.edge_weight = first_stage, edge_weight
        self.au_features = AUFeatures(num_aus=aus, in_dim=width, out_dim=width)
        self.similarity_graph = _SimilarityGraph(aus, width, min(neighbours, aus))
        self.edges = _EdgeFeatures(aus, width)
        self.gated = nn.ModuleList(_GatedLayer(aus, width) for _ in range(2))
        self.prototypes = nn.Parameter(torch.empty(aus, width))
        self.edge_classifier = nn.Linear(width, EDGE_CLASSES)
        nn.init.xavier_uniform_(self.prototypes)

    @property
    def in_first_stage(self) -> bool:
        """Whether the similarity graph is trained; prediction always uses the second stage's."""
        return self.training and self.progress < self.first_stage

    def forward(self, inputs: RivalInputs) -> RivalOutput:
        """Score the AUs; in the second stage `edge_logits` (B, N, N, 4) go with them."""
        face = inputs.stem_features.flatten(1, 2)  # (B, L, d)
        located = self.au_features(face)  # (B, N, L, d)
        nodes = located.mean(2)
        if self.in_first_stage:
            return RivalOutput(self._similarity_logits(self.similarity_graph(nodes)))
        edges = self.edges(located, face)  # (B, N, N, d)
        for layer in self.gated:
            nodes, edges = layer(nodes, edges)
        return RivalOutput(self._similarity_logits(nodes), extras={"edge_logits": self.edge_classifier(edges)})

    def losses(self, output: RivalOutput, targets: RivalTargets) -> dict[str, Tensor]:
        """Return the AU loss and, in the second stage, that of the edges."""
        terms = super().losses(output, targets)
        if (logits := output.extras.get("edge_logits")) is not None:
            states = targets.occurrence.long()
            classes = 2 * states[:, :, None] + states[:, None]  # (B, N, N)
            known = targets.valid_mask[:, :, None] & targets.valid_mask[:, None]
            each = F.cross_entropy(logits.permute(0, 3, 1, 2), classes, reduction="none")
            terms["edges"] = self.edge_weight * masked_mean(each, known)
        return terms

    def _similarity_logits(self, nodes: Tensor) -> Tensor:
        cosine = (F.normalize(nodes, dim=2) * F.normalize(F.relu(self.prototypes), dim=1)).sum(2)  # in [0, 1]
        return (NEAR_CERTAIN + (1 - 2 * NEAR_CERTAIN) * cosine).logit()


class _SimilarityGraph(nn.Module):
    """FGG: one graph convolution over the k most similar nodes."""

    def __init__(self, num_aus: int, width: int, neighbours: int) -> None:
        super().__init__()
        self.neighbours = neighbours
        self.own, self.others = nn.Linear(width, width), nn.Linear(width, width)
        self.normalise = nn.BatchNorm1d(num_aus)

    def links(self, nodes: Tensor) -> Tensor:
        """Return which nodes (B, N, d) are linked, (B, N, N), each row with a sum of 1."""
        similarity = nodes.detach() @ nodes.detach().transpose(1, 2)
        least = similarity.topk(self.neighbours, dim=2).values[:, :, -1:]
        linked = (similarity >= least).to(nodes.dtype)
        return linked / linked.sum(2, keepdim=True)

    def forward(self, nodes: Tensor) -> Tensor:
        told: Tensor = self.normalise(self.links(nodes) @ self.others(nodes) + self.own(nodes))
        return F.relu(nodes + told)


class _CrossAttention(nn.Module):
    """Features that one set of locations takes from another."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query, self.key = nn.Linear(width, width // 2), nn.Linear(width, width // 2, bias=False)
        self.value = nn.Linear(width, width)

    def forward(self, asking: Tensor, asked: Tensor) -> Tensor:
        told: Tensor = scaled_dot_attention(self.query(asking), self.key(asked)) @ self.value(asked)
        return told


class _EdgeFeatures(nn.Module):
    """FAM and ARM: what each pair of AUs has in common in this face."""

    def __init__(self, num_aus: int, width: int) -> None:
        super().__init__()
        self.to_face, self.to_au = _CrossAttention(width), _CrossAttention(width)
        self.project, self.normalise = nn.Linear(width, width), nn.BatchNorm1d(num_aus * num_aus)

    def forward(self, located: Tensor, face: Tensor) -> Tensor:
        """Return edges (B, N, N, d) of AU features (B, N, L, d) and the face's (B, L, d)."""
        seen = self.to_face(located, face[:, None])  # (B, N, L, d)
        pairs: Tensor = self.project(self.to_au(seen[:, None], seen[:, :, None]).mean(3))  # (B, N, N, d), j asks i
        normal: Tensor = self.normalise(pairs.flatten(1, 2))
        return normal.view(pairs.shape)


class _GatedLayer(nn.Module):
    """One layer of a residual gated graph network (Bresson and Laurent, 2017)."""

    def __init__(self, num_aus: int, width: int) -> None:
        super().__init__()
        self.own, self.others, self.start, self.end, self.edge = (nn.Linear(width, width, bias=False) for _ in range(5))
        self.normalise_edges, self.normalise_nodes = nn.BatchNorm1d(num_aus * num_aus), nn.BatchNorm1d(num_aus)

    def forward(self, nodes: Tensor, edges: Tensor) -> tuple[Tensor, Tensor]:
        """Return the next nodes (B, N, d) and edges (B, N, N, d); e_ij leads from j to i."""
        change = self.start(nodes)[:, :, None] + self.end(nodes)[:, None] + self.edge(edges)
        edges = edges + F.relu(self.normalise_edges(change.flatten(1, 2)).view(change.shape))
        gates = edges.sigmoid().softmax(2)  # over those that send
        told = (gates * self.others(nodes)[:, None]).sum(2) / nodes.shape[1]
        return F.relu(nodes + self.normalise_nodes(self.own(nodes) + told)), edges
