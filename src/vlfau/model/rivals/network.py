"""A network with a rival's head, in the place of VL-FAU's: it trains, exports and predicts alike, without words."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from vlfau.model.classifier import AUClassifier, AUOutput
from vlfau.model.refinement import Refinement
from vlfau.model.rivals.base import Rival, RivalInputs, RivalOutput
from vlfau.model.stem import Stem
from vlfau.model.vlfau import VLFAU, VisionOutput

__all__ = ["RivalNetwork", "RivalVision"]


@dataclass(frozen=True)
class RivalVision(VisionOutput):
    """The vision half's output, with what the rival's own losses need.

    Attributes:
        rival: What the rival said of the whole batch.
    """

    rival: RivalOutput | None = None


class RivalNetwork(VLFAU):
    """The stem and a rival's head.

    Calibration rescales logits by the classifier, which is one factor and one shift per AU here, and never trains.

    Args:
        stem: Maps crops to the backbone's levels and V.
        rival: The head.
        num_aus: N.
        mirrored: See `VLFAU`.
    """

    def __init__(self, *, stem: Stem, rival: Rival, num_aus: int, mirrored: bool = False) -> None:
        scale = AUClassifier(num_aus=num_aus, feature_dim=1)
        nn.init.ones_(scale.linear.weight)
        nn.init.zeros_(scale.linear.bias)
        super().__init__(
            stem=stem,
            classifier=scale.requires_grad_(False),
            refinement=None,
            local_decoder=None,
            global_decoder=None,
            global_classifier=None,
            num_aus=num_aus,
            mirrored=mirrored,
        )
        self.rival = rival

    def _encode(self, crops: Tensor) -> VisionOutput:
        inputs = self._inputs(crops)
        output = self.rival(inputs)
        features = inputs.stem_features
        batch, height, width, channels = features.shape
        maps = output.attention_maps
        if maps is None:
            maps = features.new_ones(batch, self.num_aus, height, width)
        elif maps.shape[-2:] != (height, width):
            maps = F.interpolate(maps, size=(height, width), mode="bilinear")
        return RivalVision(
            features,
            Refinement(features.new_ones(batch, self.num_aus, channels), maps),
            AUOutput(self.classifier(output.au_logits[..., None])),
            rival=output,
        )

    def _inputs(self, crops: Tensor) -> RivalInputs:
        levels = self.stem.extract(crops)
        clip_length = self.rival.clip_length if self.training else 1
        return RivalInputs(levels, self.stem.merge(levels), crops, self._inputs, clip_length)
