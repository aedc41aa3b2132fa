"""The methods by name."""

from collections.abc import Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Final

from vlfau.errors import ConfigError
from vlfau.model.config import ModelConfig
from vlfau.model.rivals.aar import AAR
from vlfau.model.rivals.base import Rival, RivalSetup
from vlfau.model.rivals.described_states import DescribedStates
from vlfau.model.rivals.fau_trans import FAUTrans
from vlfau.model.rivals.hmp_ps import HMPPS
from vlfau.model.rivals.jaanet import JAANet
from vlfau.model.rivals.kdsrl import KDSRL
from vlfau.model.rivals.ks import KS
from vlfau.model.rivals.lgrnet import LGRNet
from vlfau.model.rivals.me_graphau import MEGraphAU
from vlfau.model.rivals.network import RivalNetwork
from vlfau.model.rivals.sev_net import SEVNet
from vlfau.model.rivals.sma_vit import SMAViT
from vlfau.model.rivals.ugn_b import UGNB
from vlfau.model.stem import Stem, create_backbone

__all__ = ["RIVALS", "VL_FAU", "build_rival", "clip_length_of", "rival_class"]

VL_FAU: Final = "vl-fau"

RIVALS: Final[Mapping[str, type[Rival]]] = {
    "me-graphau": MEGraphAU,
    "jaa-net": JAANet,
    "aar": AAR,
    "lgrnet": LGRNet,
    "fau-trans": FAUTrans,
    "sev-net": SEVNet,
    "sma-vit": SMAViT,
    "ugn-b": UGNB,
    "hmp-ps": HMPPS,
    "kdsrl": KDSRL,
    "ks": KS,
    "described-states": DescribedStates,
}
"""One line per method: its name in configurations, and its head."""

UNUSED_PARTS: Final = (
    "local_language",
    "global_language",
    "dair",
    "intensity",
    "landmarks",
    "movements",
    "told_scores",
    "sides",
)
"""Parts of VL-FAU that a rival's network does not have."""


def rival_class(method: str) -> type[Rival]:
    """Return the head of a method.

    Raises:
        ConfigError: There is no such method.
    """
    if method not in RIVALS:
        raise ConfigError(f"model.method '{method}' is unknown; choose among {', '.join((VL_FAU, *sorted(RIVALS)))}")
    return RIVALS[method]


def clip_length_of(config: ModelConfig) -> int:
    """Return the number of frames of the clips that a configuration trains on; 1 for single pictures."""
    if config.method == VL_FAU:
        return 1
    length = config.method_options.get("clip_length", rival_class(config.method).clip_length)
    if not isinstance(length, int) or length < 1:
        raise ConfigError(f"model.method_options.clip_length {length!r} is not a number of frames; give 1 or more")
    return length


def build_rival(config: ModelConfig, *, au_ids: Sequence[int], stem_weights: Path | None = None) -> RivalNetwork:
    """Build the network of a method.

    Args:
        config: Its configuration.
        au_ids: (N,), FACS numbers.
        stem_weights: A local file of the backbone's pre-trained weights; None starts from scratch.

    Raises:
        ConfigError: The method is unknown, lacks a part that is switched on, or has no such option.
    """
    kind = rival_class(config.method)
    if wanted := [part for part in UNUSED_PARTS if getattr(config, part)]:
        raise ConfigError(
            f"the method {config.method} has no {wanted[0]}; set model.{wanted[0]} to "
            f"{'0' if wanted[0] == 'landmarks' else 'false'}"
        )
    backbone = create_backbone(
        config.backbone, crop_size=config.crop_size, weights=stem_weights, options=config.backbone_options
    )
    stem = Stem(
        backbone=backbone,
        combined_dim=config.combined_dim,
        feature_dim=config.feature_dim,
        multi_scale=config.multi_scale,
        normalise=config.normalise,
    )
    setup = RivalSetup(tuple(au_ids), backbone.channels, config.feature_dim)
    taken = list(signature(kind).parameters)[1:]
    if unknown := [option for option in config.method_options if option not in taken]:
        raise ConfigError(
            f"the method {config.method} has no option '{unknown[0]}' (model.method_options); it has "
            f"{', '.join(taken) or 'none'}"
        )
    try:
        rival = kind(setup, **config.method_options)  # type: ignore[call-arg]
    except TypeError as error:
        raise ConfigError(
            f"the method {config.method} does not take model.method_options {config.method_options} ({error}); correct "
            "their values"
        ) from error
    return RivalNetwork(stem=stem, rival=rival, num_aus=len(au_ids), mirrored=config.mirrored)
