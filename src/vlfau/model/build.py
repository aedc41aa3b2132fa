"""The one place that turns a configuration into a network: VL-FAU, or a rival's."""

from collections.abc import Sequence
from pathlib import Path

from vlfau.model.config import ModelConfig, build_vlfau
from vlfau.model.rivals.registry import VL_FAU, build_rival
from vlfau.model.vlfau import VLFAU

__all__ = ["build_network"]


def build_network(
    config: ModelConfig, *, au_ids: Sequence[int], vocabulary_size: int, stem_weights: Path | None = None
) -> VLFAU:
    """Build the network of a configuration.

    Args:
        config: The configuration.
        au_ids: (N,), FACS numbers.
        vocabulary_size: W, for the caption decoders of VL-FAU.
        stem_weights: A local file of the backbone's pre-trained weights; None starts from scratch.

    Raises:
        ConfigError: The method is unknown, or the parts do not fit together.
    """
    if config.method != VL_FAU:
        return build_rival(config, au_ids=au_ids, stem_weights=stem_weights)
    return build_vlfau(config, num_aus=len(au_ids), vocabulary_size=vocabulary_size, stem_weights=stem_weights)
