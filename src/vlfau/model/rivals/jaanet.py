"""JAA-Net: AU detection and face alignment at once, each helped by the other.

Shao, Liu, Cai and Ma, "Deep Adaptive Attention for Joint Facial Action Unit Detection and Face Alignment", ECCV 2018;
"JAA-Net", IJCV 2021.

- Hierarchical and multi-scale regions: a convolution, then three in a row whose filters differ by region, on grids of 8
  x 8, 4 x 4 and 2 x 2 regions; the three results, side by side, are added to the first.
- Face alignment: landmarks from these features; the loss is the sum of their squared distances over twice the squared
  distance of the eyes' centres, averaged over faces.
- Adaptive attention: the centres of each AU, by rule from the landmarks found, predefine its attention v = max(1 - d xi
  / (l zeta), 0); convolutions per AU refine it, held to it by a cross entropy.
- Local AU features: the region features times the refined attention, through layers per AU, with scores of their own.
- AU detection from the alignment's features, global ones and the mean of the local ones, which only their own scores
  teach, as in the journal's version; weighted cross entropy, weighted Dice loss and alignment loss, weighed 1 : 1 : .5.

Checked against the public code (ZhiwenShao/PyTorch-JAANet), both versions.

Differences: regions are learned on the stem's first level (a quarter of the crop's side), not on pixels; 37 landmarks
of FaceMesh replace the 49, and an eye's centre is the mean of four of them, not of six; the pyramids have one
convolution per size, not two, and one pooling, not three; an AU's attention is refined by three convolutions of `unit`
channels, not four of 8 times as many; its local features have 8 times `unit` channels after two convolutions, not 20
times after six, and are averaged over the map, and their scores take one layer, not two; the Dice loss is the paper's,
per face, where the code sums over the batch; the refined attention is held to the predefined one by a cross entropy
weighed .1, which the public code of the journal's version leaves out.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vlfau.model.rivals.base import Rival, RivalInputs, RivalOutput, RivalSetup, RivalTargets
from vlfau.model.rivals.centres import LANDMARKS, AUCentres, centre_attention
from vlfau.model.rivals.parts import conv_block, dice_loss, linear_scores, masked_mean

__all__ = ["JAANet"]

REGION_GRIDS = (8, 4, 2)
GRID_UNIT = 2 * REGION_GRIDS[0]
"""The first level is resized to a multiple of this side, so that it divides into regions after one pooling, too."""
LAST_SIDE = 4
EYES = tuple([LANDMARKS.index(number) for number in eye] for eye in ((33, 133, 145, 159), (263, 362, 374, 386)))
"""Corners and lids of the subject's right and left eye."""


class JAANet(Rival):
    """Region features, landmarks, attention from them, and AUs from all.

    Args:
        setup: Sizes.
        unit: Channels grow from 4 to 20 times this.
        align_weight: Weight of the alignment loss.
        refine_weight: Weight of the constraint on the refined attention.
    """

    published = ("JAA-Net",)
    uses_landmarks = True
    uses_centres = True

    def __init__(
        self, setup: RivalSetup, *, unit: int = 8, align_weight: float = 0.5, refine_weight: float = 0.1
    ) -> None:
        super().__init__()
        aus, wide = setup.num_aus, 8 * unit
        self.align_weight, self.refine_weight = align_weight, refine_weight
        self.regions = nn.Sequential(
            _RegionLayer(setup.channels[0], 4 * unit), nn.MaxPool2d(2), _RegionLayer(4 * unit, wide)
        )
        self.align_features, self.global_features = _pyramid(wide, unit), _pyramid(wide, unit)
        described = 20 * unit * LAST_SIDE**2
        self.landmarks = nn.Sequential(nn.Linear(described, 64 * unit), nn.Linear(64 * unit, 2 * len(LANDMARKS)))
        self.centres = AUCentres(setup.au_ids)
        self.refine = nn.Sequential(
            conv_block(aus, aus * unit, groups=aus),
            conv_block(aus * unit, aus * unit, groups=aus),
            nn.Conv2d(aus * unit, aus, 3, padding=1, groups=aus),
        )
        self.local_features = nn.Sequential(
            conv_block(aus * wide, aus * wide, groups=aus),
            nn.MaxPool2d(2),
            conv_block(aus * wide, aus * wide, groups=aus),
        )
        self.local_scores = linear_scores(num_aus=aus, in_dim=wide)
        self.scores = nn.Sequential(nn.Linear(2 * described + wide, 64 * unit), nn.Linear(64 * unit, aus))
        self.num_aus = aus

    def forward(self, inputs: RivalInputs) -> RivalOutput:
        """Score the AUs, with `landmarks` (B, K, 2), `predefined` attention and `local_logits`."""
        level = inputs.levels[0]
        side = GRID_UNIT * -(-level.shape[-1] // GRID_UNIT)
        regions = self.regions(F.interpolate(level, size=(side, side), mode="bilinear"))  # (B, 8u, G, G)
        aligned = _flat(self.align_features(regions))
        landmarks = 0.5 + self.landmarks(aligned).unflatten(1, (len(LANDMARKS), 2))
        predefined = centre_attention(self.centres(landmarks.detach()), *regions.shape[-2:])  # (B, N, G, G)
        attention = self.refine(predefined)
        maps = attention.sigmoid()
        attended = (maps[:, :, None] * regions[:, None]).flatten(1, 2)  # (B, N * 8u, G, G)
        local = self.local_features(attended).mean((2, 3)).unflatten(1, (self.num_aus, -1))  # (B, N, 8u)
        together = [aligned, _flat(self.global_features(regions)), local.mean(1).detach()]
        extras = {
            "landmarks": landmarks,
            "predefined": predefined,
            "attention": attention,
            "local_logits": self.local_scores(local),
        }
        return RivalOutput(self.scores(torch.cat(together, dim=1)), maps, extras)

    def losses(self, output: RivalOutput, targets: RivalTargets) -> dict[str, Tensor]:
        """Return the AU losses of the whole and of the branches, the alignment's and the attention's."""
        extras = output.extras
        labels = (targets.occurrence, targets.valid_mask, targets.weights)
        refined = F.binary_cross_entropy_with_logits(extras["attention"], extras["predefined"])
        return {
            "fau": self.occurrence_loss(output.au_logits, targets),
            "dice": dice_loss(output.au_logits, *labels),
            "local": self.occurrence_loss(extras["local_logits"], targets) + dice_loss(extras["local_logits"], *labels),
            "align": self.align_weight * alignment_loss(extras["landmarks"], targets.landmarks),
            "refine": self.refine_weight * refined,
        }


def alignment_loss(landmarks: Tensor, places: Tensor) -> Tensor:
    """Return JAA-Net's alignment loss: squared distances over twice that of the eyes, summed over K landmarks.

    Averaged over faces; where landmarks are unknown, K times the mean over the known ones.

    Args:
        landmarks: (B, K, 2), found.
        places: (B, K, 2), where they are; NaN where unknown. Faces with an unknown eye do not count.
    """
    right, left = (places[:, eye].mean(1) for eye in EYES)  # (B, 2)
    eyes = (right - left).square().sum(1)[:, None]  # (B, 1)
    distances = (landmarks - places.nan_to_num()).square().sum(2)  # (B, K)
    known = ~(places.isnan().any(2) | eyes.isnan())
    return len(LANDMARKS) * masked_mean(distances / (2 * eyes.nan_to_num(nan=1.0).clamp(min=1e-4)), known)


class _RegionLayer(nn.Module):
    """A convolution, and three more whose filters differ by region, from small regions to large ones."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(in_channels, channels, 3, padding=1)
        widths = (channels, channels // 2, channels // 4, channels // 4)
        self.by_region = nn.ModuleList(
            _RegionConvolution(grid, before, after)
            for grid, before, after in zip(REGION_GRIDS, widths[:-1], widths[1:], strict=True)
        )
        self.normalise = nn.BatchNorm2d(channels)

    def forward(self, features: Tensor) -> Tensor:
        features = self.first(features)
        results = [features]
        for layer in self.by_region:
            results.append(layer(results[-1]))
        return F.relu(self.normalise(features + torch.cat(results[1:], dim=1)))


class _RegionConvolution(nn.Module):
    """A 3x3 convolution with filters of its own in each of grid x grid regions."""

    def __init__(self, grid: int, in_channels: int, out_channels: int) -> None:
        super().__init__()
        regions = grid * grid
        self.grid = grid
        self.normalise = nn.BatchNorm2d(regions * in_channels)
        self.convolve = nn.Conv2d(regions * in_channels, regions * out_channels, 3, padding=1, groups=regions)

    def forward(self, features: Tensor) -> Tensor:
        channels, height, width = features.shape[1:]
        grid, part = self.grid, (height // self.grid, width // self.grid)
        tiles = features.view(-1, channels, grid, part[0], grid, part[1]).permute(0, 2, 4, 1, 3, 5)
        done: Tensor = self.convolve(F.relu(self.normalise(tiles.flatten(1, 3))))  # (B, grid^2 C', h, w)
        channels = done.shape[1] // grid**2
        tiles = done.view(-1, grid, grid, channels, *part).permute(0, 3, 1, 4, 2, 5)
        return tiles.reshape(-1, channels, height, width)


def _pyramid(channels: int, unit: int) -> nn.Sequential:
    return nn.Sequential(
        conv_block(channels, 12 * unit),
        nn.MaxPool2d(2),
        conv_block(12 * unit, 16 * unit),
        conv_block(16 * unit, 20 * unit),
    )


def _flat(features: Tensor) -> Tensor:
    return F.interpolate(features, size=(LAST_SIDE, LAST_SIDE), mode="bilinear").flatten(1)
