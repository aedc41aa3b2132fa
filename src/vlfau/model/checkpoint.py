"""Reads checkpoints: folders with weights (safetensors), metadata (JSON) and the learned descriptions (JSON).

Loading executes no code. `vlfau.training.checkpoint` writes checkpoints.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, InstanceOf, TypeAdapter, ValidationError, with_config
from safetensors import SafetensorError
from safetensors.torch import load_file

from vlfau.errors import CheckpointError, ConfigError, DescriptionError
from vlfau.facs import check_au_ids
from vlfau.files.records import parse_json
from vlfau.language import Descriptions, Vocabulary
from vlfau.language.descriptions_file import DESCRIPTIONS_FILE, read_model_descriptions
from vlfau.model.build import build_network
from vlfau.model.config import ModelConfig
from vlfau.model.vlfau import VLFAU

__all__ = [
    "FINGERPRINT",
    "FORMATS",
    "METADATA_FILE",
    "PROTOCOL_THRESHOLD",
    "WEIGHTS_FILE",
    "Checkpoint",
    "LoadedCheckpoint",
    "load_checkpoint",
    "read_metadata",
]

FORMATS = (1, 2)
"""Supported formats, without and with descriptions."""
WEIGHTS_FILE = "model.safetensors"
METADATA_FILE = "checkpoint.json"
FINGERPRINT = "descriptions_fingerprint"
PROTOCOL_THRESHOLD = 0.5
"""The threshold of the field's protocol."""


@dataclass(frozen=True)
class Checkpoint:
    """Metadata of a network.

    Attributes:
        model: The network's configuration.
        au_ids: (N,), the AUs of its branches, in order.
        vocabulary: Tokens of its caption decoders, as returned by `Vocabulary.to_list`.
        fold: The fold left out of training; None if there is none.
        aligned_size: Side length of the aligned faces from which its training crops were taken, in pixels.
        training: How it was trained: data, recipe, versions; whether on synthetic faces or from scratch.
        scores: Scores on the fold, by name.
        thresholds: (N,), probability from which each AU counts as active; None stands for the protocol's 0.5.
        descriptions: The descriptions of its AUs that it was trained on, from a separate file. For a checkpoint of an
            earlier version, which has none, the package's own if the network knows all their words, otherwise None.
            None without captions.
    """

    model: ModelConfig
    au_ids: tuple[int, ...]
    vocabulary: tuple[str, ...]
    fold: int | None
    aligned_size: int
    training: dict[str, Any]
    scores: dict[str, float]
    thresholds: tuple[float, ...] | None = None
    descriptions: InstanceOf[Descriptions] | None = None

    @property
    def has_captions(self) -> bool:
        """Whether the network generates captions."""
        return self.model.local_language or self.model.global_language

    def thresholds_of(self, au_ids: Sequence[int]) -> NDArray[np.float64]:
        """Return the thresholds of some of the AUs, in the order given."""
        thresholds = self.thresholds or (PROTOCOL_THRESHOLD,) * len(self.au_ids)
        return np.array([thresholds[self.au_ids.index(au_id)] for au_id in au_ids])


class LoadedCheckpoint(NamedTuple):
    """A network in evaluation mode, with its metadata."""

    network: VLFAU
    metadata: Checkpoint


def load_checkpoint(
    folder: Path,
    *,
    au_ids: tuple[int, ...] | None = None,
    vocabulary: Vocabulary | None = None,
    fold: int | None = None,
) -> LoadedCheckpoint:
    """Load a checkpoint; every weight must be present and have the right shape.

    Args:
        folder: Folder of the checkpoint.
        au_ids: Expected AUs, in order; None accepts any.
        vocabulary: Expected vocabulary; None accepts any.
        fold: The fold that must have been left out; None accepts any.

    Raises:
        CheckpointError: It is not a checkpoint, is damaged, or is for other AUs, another vocabulary or fold.
    """
    checkpoint = read_metadata(folder)
    if au_ids is not None and checkpoint.au_ids != tuple(au_ids):
        raise CheckpointError(
            f"checkpoint {folder} is for the AUs {list(checkpoint.au_ids)}, expected {list(au_ids)} in this order; "
            "use a checkpoint trained for these"
        )
    if vocabulary is not None and checkpoint.vocabulary != tuple(vocabulary.to_list()):
        raise CheckpointError(
            f"checkpoint {folder} knows {len(checkpoint.vocabulary)} words that are not the {len(vocabulary)} of "
            "these descriptions; train again, or restore the description files it was trained with"
        )
    if fold is not None and checkpoint.fold != fold:
        raise CheckpointError(
            f"checkpoint {folder} left out fold {checkpoint.fold}, so fold {fold} was among its training frames; "
            f"use the checkpoint of fold {fold}"
        )
    try:
        network = build_network(checkpoint.model, au_ids=checkpoint.au_ids, vocabulary_size=len(checkpoint.vocabulary))
        network.load_state_dict(load_file(folder / WEIGHTS_FILE))
    except (OSError, SafetensorError, RuntimeError, ConfigError) as error:
        raise CheckpointError(
            f"the weights {folder / WEIGHTS_FILE} do not fit {METADATA_FILE} ({_in_one_line(error)}); copy the "
            "checkpoint again"
        ) from error
    return LoadedCheckpoint(network.eval(), checkpoint)


def read_metadata(folder: Path) -> Checkpoint:
    """Read what a checkpoint says of itself, without its weights.

    Raises:
        CheckpointError: It is not a checkpoint, or damaged.
    """
    path = folder / METADATA_FILE
    if not path.is_file():
        raise CheckpointError(
            f"{folder} is not a checkpoint: it has no {METADATA_FILE}; give the folder 'checkpoint' of a run"
        )
    try:
        metadata = parse_json(path.read_text(encoding="utf-8"))
        written = metadata.pop("format")
        if written not in FORMATS:
            raise CheckpointError(f"{path} is of another format than {FORMATS[-1]}; use the version that wrote it")
        fingerprint = metadata.pop(FINGERPRINT) if written == FORMATS[1] else None
        checkpoint = TypeAdapter(with_config(ConfigDict(extra="forbid"))(Checkpoint)).validate_python(metadata)
        check_au_ids(checkpoint.au_ids)
        if checkpoint.thresholds is not None and len(checkpoint.thresholds) != len(checkpoint.au_ids):
            raise ValueError(f"{len(checkpoint.thresholds)} thresholds for {len(checkpoint.au_ids)} AUs")
        if not all(0 <= threshold <= 1 for threshold in checkpoint.thresholds or ()):
            raise ValueError(f"the thresholds {list(checkpoint.thresholds or ())} are not all from 0 to 1")
    except (OSError, ValueError, TypeError, KeyError, AttributeError, ConfigError) as error:
        raise CheckpointError(f"{path} is damaged ({_in_one_line(error)}); copy the checkpoint again") from error
    if not checkpoint.has_captions:
        return checkpoint
    try:
        vocabulary = Vocabulary.from_list(checkpoint.vocabulary)
        descriptions = read_model_descriptions(folder, checkpoint.au_ids, vocabulary, stored=fingerprint is not None)
    except DescriptionError as error:
        raise CheckpointError(f"checkpoint {folder} has descriptions that cannot be used: {error}") from None
    if fingerprint is not None and descriptions is not None and descriptions.fingerprint != fingerprint:
        raise CheckpointError(
            f"{folder / DESCRIPTIONS_FILE} is not the file that {METADATA_FILE} describes; copy the checkpoint again"
        )
    return replace(checkpoint, descriptions=descriptions)


def _in_one_line(error: Exception) -> str:
    """Return what another library says is wrong; of several wrong values the first."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"'{'.'.join(map(str, first['loc']))}': {first['msg']}"
    return " ".join(str(error).split())
