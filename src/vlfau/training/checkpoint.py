"""A checkpoint: a folder of weights (safetensors) and what they are for (JSON). Loading executes nothing."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, TypeAdapter, with_config
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from vlfau.errors import CheckpointError, ConfigError, InputError
from vlfau.facs import check_au_ids
from vlfau.json_text import parse_json
from vlfau.language import Vocabulary
from vlfau.model import VLFAU, ModelConfig, build_vlfau

__all__ = ["PROTOCOL_THRESHOLD", "Checkpoint", "load_checkpoint", "read_papers", "save_checkpoint"]

FORMAT = 1
WEIGHTS_FILE = "model.safetensors"
PAPERS_FILE = "checkpoint.json"
PROTOCOL_THRESHOLD = 0.5
"""The probability at which the field's protocol decides."""


@dataclass(frozen=True)
class Checkpoint:
    """What is known of a network besides its weights.

    Attributes:
        model: The network's configuration.
        au_ids: (N,), the AUs of its branches, in order.
        vocabulary: The words of its decoders, as `Vocabulary.to_list` gives them.
        fold: The fold that it never saw; None where it saw all.
        aligned_size: Side of the aligned faces that it was trained on crops of.
        training: Where it comes from: data, recipe, versions; whether synthetic or from scratch.
        scores: What was measured on the fold, by name.
        thresholds: (N,), the probability from which each AU counts as active; None stands for the protocol's 0.5.
    """

    model: ModelConfig
    au_ids: tuple[int, ...]
    vocabulary: tuple[str, ...]
    fold: int | None
    aligned_size: int
    training: dict[str, Any]
    scores: dict[str, float]
    thresholds: tuple[float, ...] | None = None

    def thresholds_of(self, au_ids: Sequence[int]) -> NDArray[np.float64]:
        """Return the thresholds of some of the AUs, in the order given."""
        thresholds = self.thresholds or (PROTOCOL_THRESHOLD,) * len(self.au_ids)
        return np.array([thresholds[self.au_ids.index(au_id)] for au_id in au_ids])


def save_checkpoint(folder: Path, network: VLFAU, checkpoint: Checkpoint) -> None:
    """Write a checkpoint whole or not at all, in place of an earlier one in the same folder.

    Raises:
        InputError: It cannot be written; the earlier one stays.
    """
    fresh, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    papers = json.dumps({"format": FORMAT, **asdict(checkpoint)}, indent=2)
    if old.exists() and not folder.exists():
        old.rename(folder)  # An earlier process ended between the two renames below.
    try:
        for leftover in (fresh, old):
            shutil.rmtree(leftover, ignore_errors=True)
        fresh.mkdir(parents=True)
        save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, fresh / WEIGHTS_FILE)
        (fresh / PAPERS_FILE).write_text(papers + "\n", encoding="utf-8")
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"cannot write the checkpoint {folder} ({error}); free space, or choose another place"
        ) from None
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        for leftover in (fresh, old):
            shutil.rmtree(leftover, ignore_errors=True)


def load_checkpoint(
    folder: Path,
    *,
    au_ids: tuple[int, ...] | None = None,
    vocabulary: Vocabulary | None = None,
    fold: int | None = None,
) -> tuple[VLFAU, Checkpoint]:
    """Read a checkpoint; every weight must be there and fit.

    Args:
        folder: Where `save_checkpoint` wrote it.
        au_ids: The AUs that are expected, in order; None takes any.
        vocabulary: The vocabulary that is expected; None takes any.
        fold: The fold that it must not have seen; None takes any.

    Returns:
        The network in evaluation mode, and its papers.

    Raises:
        CheckpointError: It is no checkpoint, is damaged, or is for other AUs, another vocabulary or fold.
    """
    checkpoint = read_papers(folder)
    if au_ids is not None and checkpoint.au_ids != tuple(au_ids):
        raise CheckpointError(
            f"checkpoint {folder} is for the AUs {list(checkpoint.au_ids)}, expected {list(au_ids)} in this order; "
            "use the checkpoint that was trained for them"
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
        network = build_vlfau(
            checkpoint.model, num_aus=len(checkpoint.au_ids), vocabulary_size=len(checkpoint.vocabulary)
        )
        network.load_state_dict(load_file(folder / WEIGHTS_FILE))
    except (OSError, SafetensorError, RuntimeError, ConfigError) as error:
        raise CheckpointError(
            f"the weights {folder / WEIGHTS_FILE} do not fit {PAPERS_FILE} ({error}); copy the checkpoint again"
        ) from error
    return network.eval(), checkpoint


def read_papers(folder: Path) -> Checkpoint:
    """Read what a checkpoint says of itself, without its weights.

    Raises:
        CheckpointError: It is no checkpoint, or damaged.
    """
    path = folder / PAPERS_FILE
    if not path.is_file():
        raise CheckpointError(f"{folder} is no checkpoint: it has no {PAPERS_FILE}; give a folder that training left")
    try:
        papers = parse_json(path.read_text(encoding="utf-8"))
        if papers.pop("format") != FORMAT:
            raise CheckpointError(f"{path} is of another format than {FORMAT}; use the version that wrote it")
        checkpoint = TypeAdapter(with_config(ConfigDict(extra="forbid"))(Checkpoint)).validate_python(papers)
        check_au_ids(checkpoint.au_ids)
        if checkpoint.thresholds is not None and len(checkpoint.thresholds) != len(checkpoint.au_ids):
            raise ValueError(f"{len(checkpoint.thresholds)} thresholds for {len(checkpoint.au_ids)} AUs")
    except (OSError, ValueError, TypeError, KeyError, AttributeError, ConfigError) as error:
        raise CheckpointError(f"{path} is damaged ({error}); copy the checkpoint again") from error
    return checkpoint
