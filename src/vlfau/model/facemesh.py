"""FaceMesh's convolutions as a backbone: small, fast, and trained on faces.

The weights in `vlfau.faces` learned the parts of the face from photographs, so a network that starts from them knows
brows, lids and lips before it sees its first AU. Architecture and weights: Kartynnik et al., "Real-time
Facial Surface Geometry from Monocular Video on Mobile GPUs", 2019, arXiv:1907.06724 (MediaPipe, Apache License 2.0).
"""

from importlib import resources

import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from torch import Tensor, nn

__all__ = ["FACEMESH_CHANNELS", "FACEMESH_STAGES", "FIRST_LEVEL_STAGES", "FaceMeshBackbone"]

STAGES = (16, 32, 64, 128, 128)
"""Channels of the stages; each but the first begins by halving the grid."""
FACEMESH_CHANNELS = STAGES[1:]
FACEMESH_STAGES = len(STAGES)
FIRST_LEVEL_STAGES = 2
"""Stages up to the first level that the network returns."""
BLOCKS = 3
"""Blocks per stage; the first stage's first block is one convolution."""


class FaceMeshBackbone(nn.Module):
    """The part of FaceMesh before its heads, with the weights that the package ships.

    Args:
        frozen_stages: How many of the five stages, from the first, stay frozen. The first has the largest
            maps: a step of training without it takes two thirds of the time.
    """

    def __init__(self, *, frozen_stages: int = 0) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, STAGES[0], kernel_size=3, stride=2)
        self.activation = nn.PReLU(STAGES[0])
        inputs = (STAGES[0], *STAGES[:-1])
        self.stages = nn.ModuleList(
            _stage(before, channels, halves=number > 0)
            for number, (before, channels) in enumerate(zip(inputs, STAGES, strict=True))
        )
        self._load()
        if frozen_stages:
            for part in (self.first, self.activation, *self.stages[:frozen_stages]):
                part.requires_grad_(False)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Extract four levels of features.

        Args:
            images: (B, 3, S, S), RGB in [0, 1].

        Returns:
            (B, C, S/4, S/4) to (B, C, S/32, S/32), C as in `FACEMESH_CHANNELS`.
        """
        return self.levels(self.first_level(images))

    def first_level(self, images: Tensor) -> Tensor:
        """Return the first of the four levels."""
        features: Tensor = self.activation(self.first(_pad_end(images)))
        for stage in self.stages[:FIRST_LEVEL_STAGES]:
            features = stage(features)
        return features

    def levels(self, first_level: Tensor) -> list[Tensor]:
        """Return all four levels, given the first."""
        # In this memory format, pooling on a CPU takes a tenth of the time.
        found = [first_level.contiguous(memory_format=torch.channels_last)]
        for stage in self.stages[FIRST_LEVEL_STAGES:]:
            found.append(stage(found[-1]))
        return found

    def _load(self) -> None:
        content = resources.files("vlfau").joinpath("faces/weights/facemesh.onnx").read_bytes()
        graph = onnx.load_from_string(content).graph
        constants = {
            weight.name: torch.from_numpy(numpy_helper.to_array(weight).copy()) for weight in graph.initializer
        }
        stored = []
        for node in graph.node:
            names = node.input[1:]
            if node.op_type == "Conv" and len(names) == 2:
                stored += [constants[name] for name in names]
            elif node.op_type == "Conv" and names[0].endswith(".sign"):
                # The graph says PReLU(x; a) as x + s ReLU(-|1 - a| x), where s is the sign of 1 - a.
                below, sign = (constants[names[0].removesuffix(".sign") + end] for end in (".below", ".sign"))
                stored.append(1 + sign * below)
        # The graph's nodes come in the order in which the blocks here define their parameters.
        for parameter, values in zip(self.parameters(), stored, strict=False):
            parameter.data.copy_(values.view(parameter.shape))


class _Block(nn.Module):
    """A depthwise and a pointwise convolution beside a shortcut."""

    def __init__(self, inputs: int, outputs: int, *, halves: bool) -> None:
        super().__init__()
        stride, padding = (2, 0) if halves else (1, 1)
        self.depthwise = nn.Conv2d(inputs, inputs, kernel_size=3, stride=stride, padding=padding, groups=inputs)
        self.pointwise = nn.Conv2d(inputs, outputs, kernel_size=1)
        self.activation = nn.PReLU(outputs)
        self.halves, self.new_channels = halves, outputs - inputs

    def forward(self, features: Tensor) -> Tensor:
        shortcut = features
        if self.halves:
            shortcut = F.max_pool2d(shortcut, 2)
            if self.new_channels:
                shortcut = F.pad(shortcut, (0, 0, 0, 0, 0, self.new_channels))
            features = _pad_end(features)
        changed: Tensor = self.activation(shortcut + self.pointwise(self.depthwise(features)))
        return changed


def _stage(inputs: int, outputs: int, *, halves: bool) -> nn.Sequential:
    first = [_Block(inputs, outputs, halves=True)] if halves else []
    return nn.Sequential(*first, *(_Block(outputs, outputs, halves=False) for _ in range(BLOCKS - 1)))


def _pad_end(features: Tensor) -> Tensor:
    """Pad right and below, as TensorFlow's SAME does before a stride of 2."""
    return F.pad(features, (0, 1, 0, 1))
