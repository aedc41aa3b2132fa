"""KDSRL: features of facial areas are learned from AU knowledge, without labels, before AUs are.

Chang and Wang, "Knowledge-Driven Self-Supervised Representation Learning for Facial Action Unit Recognition", CVPR
2022.

- Facial partition: the aligned face is cut into the areas in which AUs act.
- Contrastive learning: two varied views of a face are projected, area by area; an area of one view has to find itself
  in the other among the other areas of its face (inter-area difference) and the same area of other faces (instance
  discrimination): -log exp(z . z+ / t) / sum over both kinds of exp(z . z- / t).
- Predictive learning: areas whose AUs go together, by AU knowledge, predict each other across views, 2 - 2
  cos(p_ab(z_a), stop-gradient(z_b)).
- Then the AU classifier is trained on the features of each AU's area and of the areas that go with it, and the rest
  with it.

Checked against the abstract; no public code was found. It says that rules of the FACS give both the partition and
which areas go together, that a backbone gives features of areas and a head projects them, that the contrast is between
areas of a face and between faces, and that a prediction uses the areas that go together. It has no formulas: both
losses, in the manner of SimCLR and BYOL, and their equal weights are ours.

Differences: the areas are six boxes of the aligned crop, named as the catalogue's regions, where the paper may cut a
face in several ways; the head keeps the features' width; views differ by light, contrast, noise and a mirror image, on
top of the recipe's own variations; pre-training takes a share of one run's epochs on the same faces, and not a further
data set; t = .1.
"""

from collections.abc import Mapping
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vlfau.facs import action_unit
from vlfau.model.rivals.base import Rival, RivalInputs, RivalOutput, RivalSetup, RivalTargets
from vlfau.model.rivals.parts import FineFeatures, attend, linear_scores

__all__ = ["AREAS", "KDSRL"]

AREAS: Final[Mapping[str, tuple[float, float, float, float]]] = {
    "brow": (0.1, 0.12, 0.9, 0.38),
    "eye": (0.1, 0.3, 0.9, 0.48),
    "nose": (0.35, 0.3, 0.65, 0.6),
    "cheek": (0.1, 0.42, 0.9, 0.62),
    "mouth": (0.22, 0.55, 0.78, 0.8),
    "chin": (0.25, 0.7, 0.75, 0.95),
}
"""Left, top, right and bottom of each area, as shares of the aligned crop."""
SAME_AREA: Final = {"jaw": "chin"}
GO_TOGETHER: Final = (("brow", "eye"), ("eye", "cheek"), ("cheek", "mouth"), ("nose", "mouth"), ("mouth", "chin"))
"""Areas whose AUs act together: 1 + 2 + 5 and 4 + 7; 6 + 7; 6 + 12; 9 + 10; 15 + 17."""
TEMPERATURE = 0.1


class KDSRL(Rival):
    """Areas of the face, learned without labels first.

    Args:
        setup: Sizes.
        width: Channels of an area's features.
        pretraining: Share of the training that has no labels.
    """

    published = ("KDSRL",)
    area_of_au: Tensor
    partners: Tensor

    def __init__(self, setup: RivalSetup, *, width: int = 64, pretraining: float = 0.3) -> None:
        super().__init__()
        self.pretraining = pretraining
        names = list(AREAS)
        regions = [action_unit(au_id).region for au_id in setup.au_ids]
        self.register_buffer(
            "area_of_au", torch.tensor([names.index(SAME_AREA.get(region, region)) for region in regions]), False
        )
        pairs = [(names.index(one), names.index(other)) for one, other in GO_TOGETHER]
        self.pairs = [*pairs, *((other, one) for one, other in pairs)]
        partners = torch.zeros(len(names), len(names))
        for one, other in self.pairs:
            partners[one, other] = 1
        self.register_buffer("partners", partners / partners.sum(1, keepdim=True), False)
        self.features = FineFeatures(setup, width)
        self.project = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
        self.predict = nn.ModuleList(
            nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width)) for _ in self.pairs
        )
        self.scores = linear_scores(num_aus=setup.num_aus, in_dim=2 * width)

    @property
    def is_pretraining(self) -> bool:
        """Whether the present step learns without labels."""
        return self.training and self.progress < self.pretraining

    def forward(self, inputs: RivalInputs) -> RivalOutput:
        """Score the AUs; in pre-training with two views, `view` and `other_view`, (B, areas, C)."""
        features = self.features(inputs)
        maps = _area_maps(*features.shape[-2:]).to(features)
        areas = _areas(features, maps)  # (B, areas, C)
        partners = self.partners @ areas
        described = torch.cat([areas[:, self.area_of_au], partners[:, self.area_of_au]], dim=2)
        au_maps = maps[self.area_of_au].expand(features.shape[0], -1, -1, -1)
        extras = {}
        if self.is_pretraining:
            varied = _areas(self.features(inputs.encode(_vary(inputs.crops))), maps)
            extras = {"view": self.project(areas), "other_view": self.project(varied)}
        return RivalOutput(self.scores(described), au_maps, extras)

    def losses(self, output: RivalOutput, targets: RivalTargets) -> dict[str, Tensor]:
        """Return the contrastive and the predictive loss in pre-training, and the AU loss after it."""
        if "view" not in output.extras:
            return super().losses(output, targets)
        one, other = output.extras["view"], output.extras["other_view"]
        return {
            "contrast": (area_contrast(one, other) + area_contrast(other, one)) / 2,
            "predict": (self._prediction_loss(one, other) + self._prediction_loss(other, one)) / 2,
        }

    def _prediction_loss(self, one: Tensor, other: Tensor) -> Tensor:
        terms = [
            2 - 2 * F.cosine_similarity(predict(one[:, start]), other[:, end].detach(), dim=1).mean()
            for predict, (start, end) in zip(self.predict, self.pairs, strict=True)
        ]
        return torch.stack(terms).mean()


def area_contrast(one: Tensor, other: Tensor) -> Tensor:
    """Return the contrastive loss of areas (B, R, C) of one view with those of another view of the same faces.

    An area's negatives are the other areas of its face and the same area of other faces.
    """
    one, other = F.normalize(one, dim=2), F.normalize(other, dim=2)
    within = one @ other.transpose(1, 2) / TEMPERATURE  # (B, R, R), of the same face
    across = torch.einsum("brc,drc->brd", one, other) / TEMPERATURE  # (B, R, B), of the same area
    positive = within.diagonal(dim1=1, dim2=2)  # (B, R)
    # The positive is in both.
    same_face = torch.eye(one.shape[0], dtype=torch.bool, device=one.device)[:, None]
    everyone = torch.cat([within, across.masked_fill(same_face, float("-inf"))], dim=2)
    return (everyone.logsumexp(2) - positive).mean()


def _area_maps(height: int, width: int) -> Tensor:
    """Return which share of each cell lies in each area, (areas, H, W)."""
    boxes = torch.tensor(list(AREAS.values()))  # (areas, 4)

    def overlap(cells: int, first: Tensor, last: Tensor) -> Tensor:
        edges = torch.arange(cells + 1) / cells
        return (torch.minimum(edges[1:], last[:, None]) - torch.maximum(edges[:-1], first[:, None])).clamp(
            min=0
        ) * cells

    return overlap(height, boxes[:, 1], boxes[:, 3])[:, :, None] * overlap(width, boxes[:, 0], boxes[:, 2])[:, None]


def _areas(features: Tensor, maps: Tensor) -> Tensor:
    """Return the mean features (B, areas, C) of every area."""
    return attend(maps[None], features)


def _vary(crops: Tensor) -> Tensor:
    """Return another view of faces (B, 3, S, S): light, contrast, noise, and a mirror image of about half of them."""
    faces = crops.float()
    count = faces.shape[0]
    draws = torch.rand(3, count, 1, 1, 1, device=faces.device)
    mean = faces.mean((1, 2, 3), keepdim=True)
    varied = (faces - mean) * (0.6 + 0.8 * draws[0]) + mean * (0.7 + 0.6 * draws[1])
    varied = varied + 5 * torch.randn_like(varied)
    return torch.where(draws[2] < 0.5, varied.flip(3), varied).clamp(0, 255)
