"""The interface of a rival: from the stem's features to AU scores and losses.

A rival is the head of another paper's method. It shares stem, data, recipe and loss protocol with VL-FAU, so that runs
differ only by the method; only where a paper's mechanism is its loss does it bring its own.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor, nn

from vlfau.model.losses import occurrence_loss

__all__ = ["Rival", "RivalInputs", "RivalOutput", "RivalSetup", "RivalTargets"]


@dataclass(frozen=True)
class RivalSetup:
    """Sizes that a rival is built for.

    Attributes:
        au_ids: (N,), FACS numbers in the order of the outputs.
        channels: Channels of the backbone's four levels, shallow to deep.
        feature_dim: d, the channels of V.
    """

    au_ids: tuple[int, ...]
    channels: tuple[int, ...]
    feature_dim: int

    @property
    def num_aus(self) -> int:
        """N."""
        return len(self.au_ids)


@dataclass(frozen=True)
class RivalInputs:
    """What a rival sees of a batch of faces, in training and prediction alike.

    Attributes:
        levels: The backbone's four levels, (B, C, H, W) each, shallow to deep.
        stem_features: (B, H, W, d), V on the grid of the deepest level.
        crops: (B, 3, S, S), RGB in [0, 255].
        encode: Runs the stem on other crops, such as varied ones.
        clip_length: T; the batch holds B / T clips, one after the other, each with its frames in order. 1 while the
            network does not train: prediction sees single pictures.
    """

    levels: Sequence[Tensor]
    stem_features: Tensor
    crops: Tensor
    encode: Callable[[Tensor], "RivalInputs"]
    clip_length: int = 1


@dataclass(frozen=True)
class RivalOutput:
    """What a rival says of a batch of faces.

    Attributes:
        au_logits: (B, N).
        attention_maps: (B, N, H, W) in [0, 1], where the method looks for each AU, on any grid; None without.
        extras: What the method's own losses need, by name.
    """

    au_logits: Tensor
    attention_maps: Tensor | None = None
    extras: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class RivalTargets:
    """The labels of a batch of faces.

    Attributes:
        occurrence: (B, N), 0 or 1; ignored without annotation.
        valid_mask: (B, N), True where annotated.
        intensity: (B, N), 0 to 5; NaN where unknown.
        landmarks: (B, K, 2), `centres.LANDMARKS` as shares of the crop's side; NaN where unknown. K is 0 for methods
            that use none.
        weights: (N,), gamma of VL-FAU's Eq. 9.
    """

    occurrence: Tensor
    valid_mask: Tensor
    intensity: Tensor
    landmarks: Tensor
    weights: Tensor


class Rival(nn.Module, ABC):
    """The head of a method.

    Attributes:
        published: The method's names among the published scores; empty if it has none.
        uses_landmarks: Whether training needs the landmarks of `vlfau.model.rivals.centres`.
        uses_centres: Whether the method needs the AUs' centres, which follow from the landmarks.
        clip_length: T, the frames of a training clip; 1 for single pictures.
        progress: Share of the training that is done, for methods with stages; set before every step.
    """

    published: ClassVar[tuple[str, ...]] = ()
    uses_landmarks: ClassVar[bool] = False
    uses_centres: ClassVar[bool] = False
    clip_length: int = 1

    def __init__(self) -> None:
        super().__init__()
        self.progress = 1.0

    @abstractmethod
    def forward(self, inputs: RivalInputs) -> RivalOutput:
        """Score the AUs of B faces."""

    def losses(self, output: RivalOutput, targets: RivalTargets) -> dict[str, Tensor]:
        """Return the terms of the loss, scalars by name; their sum is minimised.

        VL-FAU's weighted cross entropy (Eq. 8), unless a method has losses of its own.
        """
        return {"fau": self.occurrence_loss(output.au_logits, targets)}

    @staticmethod
    def occurrence_loss(au_logits: Tensor, targets: RivalTargets) -> Tensor:
        """Return the weighted cross entropy of AU logits (B, N)."""
        return occurrence_loss(au_logits, targets.occurrence, targets.valid_mask, targets.weights)
