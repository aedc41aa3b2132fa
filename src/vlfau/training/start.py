"""What a run starts from: an earlier checkpoint, or the network of a bundle."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vlfau.errors import CheckpointError
from vlfau.inference.bundle import bundle_folders, load_bundle
from vlfau.model import VLFAU
from vlfau.model.checkpoint import METADATA_FILE, load_checkpoint
from vlfau.model.rivals.registry import VL_FAU
from vlfau.model.vlfau import VISION_PARTS
from vlfau.training.config import TrainConfig
from vlfau.training.from_bundle import bundle_network

__all__ = ["Start", "read_start", "take_weights"]

WORD_ROWS = ("embedding.weight", "vocabulary_scores.weight", "vocabulary_scores.bias")
"""Weights of a decoder with one row per word."""


@dataclass(frozen=True)
class Start:
    """An earlier network.

    Attributes:
        network: In evaluation mode.
        kind: Its backbone and width, for messages.
        vocabulary: The words of its decoders.
        thresholds: See `Checkpoint`.
        training: Where it comes from, as its checkpoint or bundle says.
    """

    network: VLFAU
    kind: str
    vocabulary: tuple[str, ...]
    thresholds: tuple[float, ...] | None
    training: Mapping[str, Any]


def read_start(config: TrainConfig, au_ids: tuple[int, ...]) -> Start | None:
    """Return what a run starts from; None if it starts afresh.

    Args:
        config: Of the run.
        au_ids: The run's AUs.

    Raises:
        CheckpointError: `run.start_from` is neither checkpoint nor bundle, is of other AUs, another fold, model or
            method, or is a bundle of a method whose weights can't be read back.
        BundleError: It is a damaged bundle.
    """
    path = config.run.start_from
    if path is None:
        return None
    if (path / METADATA_FILE).is_file():
        network, metadata = load_checkpoint(path, au_ids=au_ids, fold=config.data.fold)
        _check_method(config, metadata.model.method)
        kind = f"{metadata.model.backbone}, {metadata.model.feature_dim} wide"
        return Start(network, kind, metadata.vocabulary, metadata.thresholds, metadata.training)
    if (path / "model.json").is_file() or str(path) in bundle_folders():
        return _from_bundle(config, path, au_ids)
    raise CheckpointError(
        f"run.start_from {path} is neither a checkpoint nor a bundle; give a folder that training or export left, or "
        "the name of a model that `vlfau models` lists"
    )


def _check_method(config: TrainConfig, method: str) -> None:
    if method != config.model.method:
        raise CheckpointError(
            f"run.start_from {config.run.start_from} is a network of the method {method}, and this run's is "
            f"{config.model.method}; start from one of the same method, or set model.method to {method}"
        )


def _from_bundle(config: TrainConfig, path: Path, au_ids: tuple[int, ...]) -> Start:
    bundle = load_bundle(str(path))
    info = bundle.info
    _check_method(config, str(info.training.get("method", VL_FAU)))
    if config.model.method != VL_FAU:
        raise CheckpointError(
            f"run.start_from {path} is a bundle, whose weights are read back for {VL_FAU} alone, and not for "
            f"{config.model.method}; start from the checkpoint that it was exported from"
        )
    if info.au_ids != au_ids:
        raise CheckpointError(
            f"bundle {path} is for the AUs {list(info.au_ids)}, and this run's are {list(au_ids)}; set data.aus to the "
            "bundle's"
        )
    if config.data.fold is not None:
        raise CheckpointError(
            f"bundle {path} does not say which fold it left out, so fold {config.data.fold} may have been among its "
            "training frames; start from the checkpoint of that fold, or set data.fold to null"
        )
    sizes = (config.data.aligned_size, config.model.crop_size)
    if sizes != (info.crop.aligned_size, info.crop.crop_size):
        raise CheckpointError(
            f"bundle {path} sees crops of {info.crop.crop_size} pixels of faces of {info.crop.aligned_size}, and this "
            f"run gives {sizes[1]} of {sizes[0]}; set model.crop_size and data.aligned_size to the bundle's"
        )
    network = bundle_network(bundle, config.model)
    kind = f"{config.model.backbone}, {config.model.feature_dim} wide"
    return Start(network, kind, info.vocabulary, info.thresholds, info.training)


def take_weights(network: VLFAU, start: Start, vocabulary: tuple[str, ...], config: TrainConfig) -> None:
    """Copy the vision half of an earlier network, and what else is of the same sizes.

    Decoders of another vocabulary keep what they know of the words that both have; other words start afresh.

    Args:
        network: The new one.
        start: The earlier one.
        vocabulary: The words of the new one's decoders.
        config: Of the run.

    Raises:
        CheckpointError: The vision halves differ.
    """
    old, new = dict(start.network.named_children()), dict(network.named_children())
    for name in {*old, *new}:
        earlier, later = _state(old.get(name)), _state(new.get(name))
        if _shapes(earlier) == _shapes(later):
            if name in new:
                new[name].load_state_dict(_with_new_words(earlier, later, start.vocabulary, vocabulary))
        elif name in VISION_PARTS:
            raise CheckpointError(
                f"the vision half of {config.run.start_from} ({start.kind}) is not that of this run "
                f"({config.model.backbone}, {config.model.feature_dim} wide); give both the same model"
            )
    if network.part_weights is not None and start.network.part_weights is not None:
        network.part_weights.copy_(start.network.part_weights)


def _state(part: nn.Module | None) -> dict[str, Tensor]:
    return {} if part is None else part.state_dict()


def _shapes(state: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    return {name: weight.shape[1:] if name in WORD_ROWS else weight.shape for name, weight in state.items()}


def _with_new_words(
    earlier: Mapping[str, Tensor], later: Mapping[str, Tensor], known: tuple[str, ...], wanted: tuple[str, ...]
) -> dict[str, Tensor]:
    """Return the earlier weights, with the rows of the later words."""
    places = {word: row for row, word in enumerate(known)}
    shared = [(row, places[word]) for row, word in enumerate(wanted) if word in places]
    taken = dict(earlier)
    for name in taken.keys() & set(WORD_ROWS):
        rows = later[name].clone()
        rows[[row for row, _ in shared]] = earlier[name][[row for _, row in shared]]
        taken[name] = rows
    return taken
