"""The stem: a four-level backbone and the combination of its scales (section 3.1.1, Eq. 1)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import timm
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vlfau.errors import ConfigError
from vlfau.model.facemesh import FACEMESH_CHANNELS, FACEMESH_STAGES, FaceMeshBackbone
from vlfau.model.facemesh_v2 import FACEMESH_V2_CHANNELS, FaceMeshV2
from vlfau.model.stem_weights import load_stem_weights

__all__ = ["FACEMESH", "FACEMESH_V2", "Backbone", "Stem", "create_backbone"]

FACEMESH, FACEMESH_V2 = "facemesh", "facemesh-v2"
NUM_LEVELS = 4
MAX_OPTION: Final = 4096  # No backbone is deeper or wider; larger numbers would fill the memory.

_LOADING_OPTIONS: Final = ("pretrained", "checkpoint_path", "cache_dir")
"""How timm's options begin that load weights; a checkpoint that was given to us must not fetch any."""


@dataclass(frozen=True)
class Backbone:
    """A feature extractor and the layout of its four levels.

    Attributes:
        network: Maps (B, 3, S, S) to a list of four feature maps, shallow to deep.
        channels: Channels of each level.
        channels_last: Whether the maps are (B, H, W, C) rather than (B, C, H, W).
        mean: The mean that the network expects subtracted, per channel, of pixels in [0, 1].
        std: The standard deviation that it expects divided by.
    """

    network: nn.Module
    channels: tuple[int, ...]
    channels_last: bool
    mean: tuple[float, ...]
    std: tuple[float, ...]


def create_backbone(
    name: str, *, crop_size: int, weights: Path | None = None, options: Mapping[str, Any] | None = None
) -> Backbone:
    """Build a mesh network's convolutions, or any timm backbone that has at least four feature levels.

    Args:
        name: timm's model name, such as "swin_base_patch4_window7_224", or "facemesh" or "facemesh-v2", whose weights
            the package ships (`vlfau.model.facemesh`, `vlfau.model.facemesh_v2`; the latter stays frozen).
        crop_size: Side of the square input in pixels.
        weights: A local file of pre-trained weights of that model (`load_stem_weights`); None starts from random
            weights. Nothing is ever downloaded.
        options: Further arguments of the timm model, such as `embed_dim` or `depths`; of FaceMesh's, `frozen_stages`.

    Raises:
        ConfigError: The model is unknown, has too few levels, or the file does not fit it.
    """
    if name in {FACEMESH, FACEMESH_V2}:
        if weights is not None:
            raise ConfigError(
                f"the backbone '{name}' brings its own weights, so the stem weights {weights} have no use; leave "
                "stem.weights out"
            )
        if name == FACEMESH_V2:
            if options:
                raise ConfigError(f"the backbone '{name}' has no options; leave model.backbone_options out")
            return Backbone(
                FaceMeshV2(), FACEMESH_V2_CHANNELS, channels_last=False, mean=(0.0,) * 3, std=(1 / 255,) * 3
            )
        facemesh = _facemesh(options or {})
        return Backbone(facemesh, FACEMESH_CHANNELS, channels_last=False, mean=(0.0,) * 3, std=(1.0,) * 3)
    if not timm.is_model(name):
        raise ConfigError(f"timm has no backbone '{name}'; see timm.list_models() for the names")
    config = timm.get_pretrained_cfg(name)
    arguments: dict[str, Any] = dict(options or {})
    if loading := sorted(option for option in arguments if option.startswith(_LOADING_OPTIONS)):
        raise ConfigError(
            f"the option '{loading[0]}' of the backbone loads weights, maybe from the web; leave it out, and name a "
            "local file in stem.weights"
        )
    if any(number > MAX_OPTION for number in _numbers(arguments)):
        raise ConfigError(f"the options {arguments} of the backbone hold a number above {MAX_OPTION}; lower it")
    if config is not None and config.fixed_input_size:
        arguments["img_size"] = crop_size
    try:
        network: Any = timm.create_model(
            name,
            features_only=True,
            out_indices=tuple(range(-NUM_LEVELS, 0)),
            **arguments,
        )
        plain: Any = timm.create_model(name, **arguments) if weights is not None else None
    except (RuntimeError, TypeError, ValueError, KeyError, IndexError, AssertionError) as error:
        raise ConfigError(
            f"backbone '{name}' could not be built at {crop_size} pixels with options {arguments}: {error}"
        ) from error
    if weights is not None:
        load_stem_weights(network, weights, plain=plain, name=name)
    return Backbone(
        network=network,
        channels=tuple(network.feature_info.channels()),
        channels_last=str(getattr(network, "output_fmt", "NCHW")).endswith("NHWC"),
        mean=tuple(config.mean if config is not None else timm.data.IMAGENET_DEFAULT_MEAN),
        std=tuple(config.std if config is not None else timm.data.IMAGENET_DEFAULT_STD),
    )


def _facemesh(options: Mapping[str, Any]) -> FaceMeshBackbone:
    frozen = options.get("frozen_stages", 0)
    if options.keys() - {"frozen_stages"} or frozen not in range(FACEMESH_STAGES + 1):
        raise ConfigError(
            f"the backbone '{FACEMESH}' has one option, frozen_stages from 0 to {FACEMESH_STAGES}, and was given "
            f"{dict(options)}; correct model.backbone_options"
        )
    return FaceMeshBackbone(frozen_stages=frozen)


def _numbers(options: object) -> Iterator[float]:
    """Give the numbers of options, at any depth."""
    if isinstance(options, int | float):
        yield options
    elif isinstance(options, Mapping | list | tuple):
        for option in options.values() if isinstance(options, Mapping) else options:
            yield from _numbers(option)


class Stem(nn.Module):
    """Map a face to the shared features V that every branch refines.

    With `multi_scale`, each of the four levels is average-pooled to the deepest level's grid and goes through
    its own 3x3 convolution to a quarter of `combined_dim`; the four are concatenated and mapped to
    `feature_dim` (Eq. 1). Without it, only the deepest level is mapped to `feature_dim`. `normalise` adds batch
    normalisation of V, which the paper does not have: a backbone without pre-trained weights needs it to start.
    """

    pixel_mean: Tensor
    pixel_std: Tensor

    def __init__(
        self,
        *,
        backbone: Backbone,
        combined_dim: int,
        feature_dim: int,
        multi_scale: bool = True,
        normalise: bool = False,
    ) -> None:
        super().__init__()
        if combined_dim % NUM_LEVELS:
            raise ConfigError(f"combined_dim {combined_dim} is not a multiple of {NUM_LEVELS}; choose one that is")
        self.backbone = backbone.network
        self.channels_last = backbone.channels_last
        self.register_buffer("pixel_mean", 255 * torch.tensor(backbone.mean).view(-1, 1, 1), persistent=False)
        self.register_buffer("pixel_std", 255 * torch.tensor(backbone.std).view(-1, 1, 1), persistent=False)
        self.scale_convs = nn.ModuleList(
            nn.Conv2d(channels, combined_dim // NUM_LEVELS, kernel_size=3, padding=1)
            for channels in (backbone.channels if multi_scale else ())
        )
        self.combine = nn.Linear(combined_dim if multi_scale else backbone.channels[-1], feature_dim)
        self.normalise = nn.BatchNorm1d(feature_dim) if normalise else nn.Identity()

    def forward(self, crops: Tensor) -> Tensor:
        """Extract the shared features of (B, 3, S, S), RGB in [0, 255], any dtype: (B, H, W, d)."""
        return self.merge(self.extract(crops))

    def extract(self, crops: Tensor) -> list[Tensor]:
        """Run the backbone.

        Args:
            crops: (B, 3, S, S), RGB in [0, 255], any dtype.

        Returns:
            The four levels, (B, C, H, W) each, shallow to deep.
        """
        normalised = (crops.to(self.pixel_mean.dtype) - self.pixel_mean) / self.pixel_std
        levels = cast("list[Tensor]", self.backbone(normalised))
        if self.channels_last:
            levels = [level.permute(0, 3, 1, 2) for level in levels]
        return levels

    def merge(self, levels: Sequence[Tensor]) -> Tensor:
        """Combine the levels to V (Eq. 1), (B, H, W, d) on the grid of the deepest."""
        if self.scale_convs:
            height, width = levels[-1].shape[-2:]
            pooled = [
                level if level.shape[-2:] == (height, width) else F.adaptive_avg_pool2d(level, (height, width))
                for level in levels
            ]
            scales = [conv(level) for conv, level in zip(self.scale_convs, pooled, strict=True)]
            combined = torch.cat(scales, dim=1)  # (B, D, H, W)
        else:
            combined = levels[-1]
        features = self.combine(combined.permute(0, 2, 3, 1))  # (B, H, W, d)
        return cast("Tensor", self.normalise(features.flatten(0, 2)).view(features.shape))
