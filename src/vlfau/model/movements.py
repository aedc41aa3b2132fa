"""AU scores from frozen networks that learned from photographs; an addition to the paper.

Drawn faces teach where an AU's signs are, but pixels differ between drawn and real faces. The mesh of MediaPipe's Face
Landmarker and its blendshape network (`vlfau.faces`) learned from photographs alone, and both stay frozen. Drawn faces
teach only small perceptrons on their features, which carries over to photographs.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vlfau.faces.blendshapes import BLENDSHAPE_LANDMARKS
from vlfau.facs import MAX_INTENSITY
from vlfau.model.classifier import AUOutput
from vlfau.model.onnx_module import OnnxModule

__all__ = [
    "BLENDSHAPE_FILE",
    "FACE_DIM",
    "HIDDEN_VALUE",
    "MAP_DIM",
    "MAP_VALUE",
    "MESH_FILE",
    "MovementBranch",
    "MovementFeatures",
    "MovementOutput",
    "ScoreHeads",
]

MESH_FILE, BLENDSHAPE_FILE = "faces/weights/facemesh_v2.onnx", "faces/weights/blendshapes.onnx"
MAP_VALUE, HIDDEN_VALUE = "tensor_470", "tensor_191"
"""The mesh's last map, from which it reads all landmarks, and the blendshape network's face token before its last
layer."""
MESH_SIDE = 256
CROP_SIDE = 204
"""Side of the crop in the mesh's square, in pixels: the face fills two thirds of it, as in the mesh's training."""
CENTRE_HEIGHT = 0.44
"""The middle of the square in the crop, halfway between forehead and chin."""
FACE_DIM, MAP_DIM = 64, 512
FACE_HIDDEN_DIM, MAP_HIDDEN_DIM = 64, 32
SEEDS = 3
DROPOUT = 0.3


@dataclass(frozen=True)
class MovementFeatures:
    """Features of the frozen networks.

    Attributes:
        face: (B, 64), the blendshape network's summary of the face's movements.
        map: (B, 512), the mesh's last map, 128 channels on a grid of 2 x 2.
        landmarks: (B, 478, 3), the mesh's points, in pixels of its square.
    """

    face: Tensor
    map: Tensor
    landmarks: Tensor


@dataclass(frozen=True)
class MovementOutput:
    """AU scores from the movements and from the map."""

    by_movements: AUOutput
    by_map: AUOutput

    def __getitem__(self, faces: slice) -> "MovementOutput":
        """Return the output of some of the faces."""
        return MovementOutput(self.by_movements[faces], self.by_map[faces])

    def mean(self, other: "MovementOutput") -> "MovementOutput":
        """Return the mean of this output and another."""
        return MovementOutput(
            AUOutput.mean(self.by_movements, other.by_movements), AUOutput.mean(self.by_map, other.by_map)
        )


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


class MovementBranch(nn.Module):
    """Score the AUs from the features of two frozen networks.

    Args:
        num_aus: N.
        intensity: Whether to estimate intensities too.
    """

    def __init__(self, *, num_aus: int, intensity: bool) -> None:
        super().__init__()
        self.mesh = OnnxModule(MESH_FILE, ["landmarks", MAP_VALUE])
        self.blendshapes = OnnxModule(BLENDSHAPE_FILE, [HIDDEN_VALUE])
        self.by_movements = ScoreHeads(
            in_features=FACE_DIM, hidden_dim=FACE_HIDDEN_DIM, num_aus=num_aus, intensity=intensity
        )
        self.by_map = ScoreHeads(in_features=MAP_DIM, hidden_dim=MAP_HIDDEN_DIM, num_aus=num_aus, intensity=intensity)
        self.register_buffer("points", torch.tensor(BLENDSHAPE_LANDMARKS), persistent=False)
        left, top = (MESH_SIDE - CROP_SIDE) // 2, round(MESH_SIDE / 2 - CENTRE_HEIGHT * CROP_SIDE)
        self.margins = (left, MESH_SIDE - CROP_SIDE - left, top, MESH_SIDE - CROP_SIDE - top)

    points: Tensor

    @torch.no_grad()
    def rescale_logits(self, column: int, slope: float, shift: float) -> None:
        """Rescale the branch so that an AU's logits become `slope` times the old ones plus `shift`."""
        for heads in (self.by_movements, self.by_map):
            heads.slope[column] *= slope
            heads.shift[column] = slope * heads.shift[column] + shift

    def read(self, crops: Tensor) -> MovementFeatures:
        """Return the frozen networks' features of crops (B, 3, S, S), RGB in [0, 255]."""
        landmarks, deep = self.mesh(self.square(crops))
        (hidden,) = self.blendshapes(landmarks[:, self.points, :2])
        return MovementFeatures(hidden.flatten(1), deep.flatten(1), landmarks)

    def square(self, crops: Tensor) -> Tensor:
        """Return the mesh's square of crops (B, 3, S, S), RGB in [0, 255]: (B, 256, 256, 3), black outside of them."""
        images = F.interpolate(crops.float() / 255, size=(CROP_SIDE, CROP_SIDE), mode="bilinear")
        return F.pad(images, self.margins).permute(0, 2, 3, 1)

    def judge(self, features: MovementFeatures) -> MovementOutput:
        """Return the heads' scores from features."""
        return MovementOutput(self.by_movements(features.face), self.by_map(features.map))

    def forward(self, crops: Tensor) -> MovementOutput:
        """Score crops (B, 3, S, S), RGB in [0, 255]; no gradient reaches the frozen networks."""
        return self.judge(self.read(crops))
