"""AU scores from frozen networks that learned from photographs; an addition to the paper.

Drawn faces teach where an AU's signs are, but pixels differ between drawn and real faces. The mesh of MediaPipe's Face
Landmarker and its blendshape network (`vlfau.faces`) learned from photographs alone, and both stay frozen. Drawn faces
teach only small perceptrons on their features, which carries over to photographs.
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from vlfau.faces.blendshapes import BLENDSHAPE_LANDMARKS
from vlfau.facs import MAX_INTENSITY
from vlfau.model.classifier import AUOutput
from vlfau.model.facemesh_v2 import MeshOutput, MeshReader
from vlfau.model.onnx_module import OnnxModule

__all__ = [
    "BLENDSHAPE_FILE",
    "FACE_DIM",
    "HIDDEN_VALUE",
    "MAP_DIM",
    "MovementBranch",
    "MovementOutput",
    "ScoreHeads",
    "SideHeads",
    "SideShares",
]

BLENDSHAPE_FILE = "faces/weights/blendshapes.onnx"
HIDDEN_VALUE = "tensor_191"
"""The blendshape network's face token before its last layer."""
FACE_DIM, MAP_DIM = 64, 512
FACE_HIDDEN_DIM, MAP_HIDDEN_DIM = 64, 32
SEEDS = 3
DROPOUT = 0.3


@dataclass(frozen=True)
class SideShares:
    """How the subject's own left and right share the AUs, relative to the stronger side, whose share is 1.

    Attributes:
        occurrence: (B, N, 2), the probability that a side acts, given that the AU does; left first.
        intensity: (B, N, 2), a side's intensity as a share of the AU's.
    """

    occurrence: Tensor
    intensity: Tensor

    def __getitem__(self, faces: slice) -> "SideShares":
        """Return the shares of some of the faces."""
        return SideShares(self.occurrence[faces], self.intensity[faces])


@dataclass(frozen=True)
class MovementOutput:
    """AU scores of B faces.

    Attributes:
        by_movements: From the movements, of the heads for posed and of those for everyday faces.
        by_map: From the mesh's last map.
        sides: How the sides share the AUs; None without that head.
    """

    by_movements: tuple[AUOutput, AUOutput]
    by_map: AUOutput
    sides: SideShares | None = None

    @property
    def parts(self) -> tuple[AUOutput, ...]:
        """All scores, in the order of their weights."""
        return (*self.by_movements, self.by_map)

    def __getitem__(self, faces: slice) -> "MovementOutput":
        """Return the output of some of the faces."""
        sides = None if self.sides is None else self.sides[faces]
        posed, everyday, by_map = (part[faces] for part in self.parts)
        return MovementOutput((posed, everyday), by_map, sides)

    def mean(self, other: "MovementOutput") -> "MovementOutput":
        """Return the mean of this output and another's scores; the sides are this one's."""
        pairs = zip(self.parts, other.parts, strict=True)
        posed, everyday, by_map = (AUOutput.mean(one, another) for one, another in pairs)
        return MovementOutput((posed, everyday), by_map, self.sides)


class ScoreHeads(nn.Module):
    """An ensemble of perceptrons with different initial weights; the output is their mean.

    Args:
        in_features: Values per face.
        hidden_dim: Width of both hidden layers.
        num_aus: N.
        intensity: Whether to estimate intensities too.
    """

    def __init__(self, *, in_features: int, hidden_dim: int, num_aus: int, intensity: bool) -> None:
        super().__init__()
        self.num_aus, outputs = num_aus, (1 + intensity) * num_aus
        self.heads = nn.ModuleList(
            nn.Sequential(
                nn.Linear(in_features, hidden_dim),
                nn.GELU(),
                nn.Dropout(DROPOUT),
                nn.Linear(hidden_dim, hidden_dim),
                nn.GELU(),
                nn.Dropout(DROPOUT),
                nn.Linear(hidden_dim, outputs),
            )
            for _ in range(SEEDS)
        )
        self.register_buffer("centre", torch.zeros(in_features))
        self.register_buffer("spread", torch.ones(in_features))
        self.register_buffer("slope", torch.ones(num_aus))
        self.register_buffer("shift", torch.zeros(num_aus))

    centre: Tensor
    spread: Tensor
    slope: Tensor
    shift: Tensor

    def standardise(self, features: Tensor) -> Tensor:
        """Return features (B, F), standardised as for the faces that taught the heads."""
        return (features - self.centre) / self.spread

    def forward(self, features: Tensor) -> AUOutput:
        """Score the AUs from features (B, F)."""
        standard = self.standardise(features)
        outputs = torch.stack([head(standard) for head in self.heads]).mean(0)  # (B, N) or (B, 2N)
        logits, strengths = outputs[:, : self.num_aus], outputs[:, self.num_aus :]
        intensities = MAX_INTENSITY * strengths.sigmoid() if strengths.shape[1] else None
        return AUOutput(self.slope * logits + self.shift, intensities)


class SideHeads(nn.Module):
    """How the two sides of the face share every AU; an addition to the paper.

    Args:
        in_features: Values per face.
        hidden_dim: Width of both hidden layers.
        num_aus: N.
    """

    def __init__(self, *, in_features: int, hidden_dim: int, num_aus: int) -> None:
        super().__init__()
        self.heads = ScoreHeads(in_features=in_features, hidden_dim=hidden_dim, num_aus=4 * num_aus, intensity=False)

    def forward(self, features: Tensor) -> SideShares:
        """Return the sides' shares from features (B, F)."""
        values = self.heads(features).logits.unflatten(1, (2, -1, 2))  # (B, 2, N, 2)
        shares = values.sigmoid()
        return SideShares(*(shares / shares.amax(3, keepdim=True)).unbind(1))


class MovementBranch(nn.Module):
    """Score the AUs from the features of two frozen networks.

    Two ensembles read the movements. One learns from posed expressions, whose AUs come in known company; the other from
    everyday faces, where an AU has to be told by itself. They err differently, so their mean is better than both.

    Args:
        mesh: The mesh, which the stem may share.
        num_aus: N.
        intensity: Whether to estimate intensities too.
        sides: Whether to estimate how the sides of the face share every AU.
    """

    def __init__(self, *, mesh: MeshReader, num_aus: int, intensity: bool, sides: bool) -> None:
        super().__init__()
        self.mesh = mesh
        self.blendshapes = OnnxModule(BLENDSHAPE_FILE, [HIDDEN_VALUE])
        self.by_movements = nn.ModuleList(
            ScoreHeads(in_features=FACE_DIM, hidden_dim=FACE_HIDDEN_DIM, num_aus=num_aus, intensity=intensity)
            for _ in range(2)
        )
        self.by_map = ScoreHeads(in_features=MAP_DIM, hidden_dim=MAP_HIDDEN_DIM, num_aus=num_aus, intensity=intensity)
        self.side_heads = (
            SideHeads(in_features=FACE_DIM, hidden_dim=FACE_HIDDEN_DIM, num_aus=num_aus) if sides else None
        )
        self.register_buffer("points", torch.tensor(BLENDSHAPE_LANDMARKS), persistent=False)

    points: Tensor

    @torch.no_grad()
    def rescale_logits(self, column: int, slope: float, shift: float) -> None:
        """Rescale the branch so that an AU's logits become `slope` times the old ones plus `shift`."""
        for heads in self.score_heads:
            heads.slope[column] *= slope
            heads.shift[column] = slope * heads.shift[column] + shift

    @property
    def score_heads(self) -> tuple[ScoreHeads, ...]:
        """The heads in the order of their weights: posed, everyday, map."""
        return (*(cast("ScoreHeads", heads) for heads in self.by_movements), self.by_map)

    def read(self, seen: MeshOutput) -> Tensor:
        """Return the movements (B, 64) of faces that the mesh has seen."""
        (hidden,) = self.blendshapes(seen.landmarks[:, self.points, :2])
        return hidden.flatten(1)  # type: ignore[no-any-return]

    def forward(self, seen: MeshOutput) -> MovementOutput:
        """Score faces that the mesh has seen; no gradient reaches the frozen networks."""
        face = self.read(seen)
        sides = self.side_heads(face) if self.side_heads is not None else None
        posed, everyday = (heads(face) for heads in self.by_movements)
        return MovementOutput((posed, everyday), self.by_map(seen.deep), sides)
