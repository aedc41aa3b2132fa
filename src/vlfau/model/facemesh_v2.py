"""MediaPipe's newer mesh as a frozen backbone: everything that it knows, it learned from photographs.

Drawn faces bend a stem that trains on them towards drawn skin. This one stays as photographs made it, and is read at
four depths. Its last map and its 478 landmarks serve the movement branch (`vlfau.model.movements`), so one pass over
the picture is enough for both. Source: the mesh of MediaPipe's Face Landmarker (Google, Apache License 2.0).
"""

from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vlfau.model.onnx_module import OnnxModule

__all__ = ["FACEMESH_V2_CHANNELS", "MAP_VALUE", "MESH_FILE", "FaceMeshV2", "MeshOutput", "MeshReader", "square"]

MESH_FILE: Final = "faces/weights/facemesh_v2.onnx"
MAP_VALUE: Final = "tensor_470"
"""The last map, from which the mesh reads all landmarks."""
LEVEL_VALUES: Final = ("tensor_313", "tensor_345", "tensor_377", "tensor_408")
"""The last maps with 64, 32, 16 and 8 cells along a side."""
FACEMESH_V2_CHANNELS: Final = (32, 64, 128, 128)

MESH_SIDE: Final = 256
CROP_SIDE: Final = 204
"""Side of the crop in the mesh's square, in pixels: the face fills two thirds of it, as in the mesh's training."""
CENTRE_HEIGHT: Final = 0.44
"""The middle of the square in the crop, halfway between forehead and chin."""
LEFT, TOP = (MESH_SIDE - CROP_SIDE) // 2, round(MESH_SIDE / 2 - CENTRE_HEIGHT * CROP_SIDE)
CELL: Final = 16
"""Pixels of the square per cell of the two deepest levels."""
GRID: Final = 14
WINDOW_LEFT, WINDOW_TOP = CELL, 2 * CELL
"""Where the window of 14 x 14 cells that covers the crop begins in the square, in pixels."""


@dataclass(frozen=True)
class MeshOutput:
    """What the mesh computes from B crops.

    Attributes:
        maps: (B, C, H, W), four maps of the square, shallow to deep: 64, 32, 16 and 16 cells along a side, C as in
            `FACEMESH_V2_CHANNELS`. Not standardised.
        deep: (B, 512), the last map, 128 channels on a grid of 2 x 2.
        landmarks: (B, 478, 3), in pixels of the square.
    """

    maps: tuple[Tensor, ...]
    deep: Tensor
    landmarks: Tensor

    @property
    def levels(self) -> list[Tensor]:
        """The maps of the window that covers the crop: 56, 28, 14 and 14 cells along a side."""
        return [_window(each) for each in self.maps]

    @property
    def pooled_levels(self) -> list[Tensor]:
        """The levels, each averaged to 14 x 14 cells; averaging first leaves less to cut."""
        side = self.maps[-1].shape[-1]
        return [_window(F.avg_pool2d(each, each.shape[-1] // side)) for each in self.maps]


class MeshReader(nn.Module):
    """The frozen mesh; no gradient reaches it, and checkpoints hold nothing of it."""

    def __init__(self) -> None:
        super().__init__()
        self.mesh = OnnxModule(MESH_FILE, ["landmarks", MAP_VALUE, *LEVEL_VALUES])

    def forward(self, crops: Tensor) -> MeshOutput:
        """Run the mesh on crops (B, 3, S, S), RGB in [0, 255]."""
        landmarks, deep, *maps = self.mesh(square(crops))
        # The deepest map's cells straddle the window's edges, so it is enlarged first.
        maps[3] = F.interpolate(maps[3], scale_factor=2.0, mode="bilinear")
        return MeshOutput(tuple(maps), deep.flatten(1), landmarks)


class FaceMeshV2(nn.Module):
    """The mesh as a backbone; channels are standardised by their mean and spread over the training faces."""

    def __init__(self) -> None:
        super().__init__()
        self.reader = MeshReader()
        # Channels differ tenfold in spread. There is nothing to learn here but running means.
        self.standards = nn.ModuleList(nn.BatchNorm2d(channels, affine=False) for channels in FACEMESH_V2_CHANNELS)
        cells = (torch.arange(GRID) + 0.5) / GRID * CROP_SIDE
        self.register_buffer("rows", _interpolation(cells + TOP - WINDOW_TOP), persistent=False)
        self.register_buffer("columns", _interpolation(cells + LEFT - WINDOW_LEFT), persistent=False)

    rows: Tensor
    columns: Tensor

    def standardise(self, output: MeshOutput, *, pooled: bool = False) -> list[Tensor]:
        """Return the levels with standardised channels.

        Args:
            output: Of the mesh.
            pooled: Whether each level is averaged to 14 x 14 cells, as the stem does next. Without training, a
                channel's standardisation and averaging may be exchanged.
        """
        levels = output.pooled_levels if pooled and not self.training else output.levels
        return [standard(level) for standard, level in zip(self.standards, levels, strict=True)]

    def forward(self, crops: Tensor) -> list[Tensor]:
        """Return the standardised levels of crops (B, 3, S, S), RGB in [0, 255]."""
        return self.standardise(self.reader(crops))

    def on_crop(self, maps: Tensor) -> Tensor:
        """Interpolate maps (..., 14, 14) of the window on a grid of 14 x 14 cells that covers the crop alone."""
        return self.rows @ maps @ self.columns.T


def square(crops: Tensor) -> Tensor:
    """Return the mesh's square of crops (B, 3, S, S), RGB in [0, 255]: (B, 256, 256, 3), black outside of them."""
    images = F.interpolate(crops.float() / 255, size=(CROP_SIDE, CROP_SIDE), mode="bilinear")
    margins = (LEFT, MESH_SIDE - CROP_SIDE - LEFT, TOP, MESH_SIDE - CROP_SIDE - TOP)
    return F.pad(images, margins).permute(0, 2, 3, 1)


def _window(level: Tensor) -> Tensor:
    """Cut the window from a map of the square."""
    cells = level.shape[-1] // (MESH_SIDE // CELL)  # per cell of the deepest levels
    left, top, size = WINDOW_LEFT // CELL * cells, WINDOW_TOP // CELL * cells, GRID * cells
    return level[..., top : top + size, left : left + size]


def _interpolation(places: Tensor) -> Tensor:
    """Return the matrix (K, 14) that interpolates linearly between cells, at K places in pixels of the window."""
    between = (places / CELL - 0.5).clamp(0, GRID - 1)
    return (1 - (between[:, None] - torch.arange(GRID)).abs()).clamp(min=0)
