"""Writes a checkpoint; `vlfau.model.checkpoint` reads it."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import save_file

from vlfau.errors import InputError
from vlfau.language.carried import DESCRIPTIONS_FILE, write_descriptions
from vlfau.model import VLFAU
from vlfau.model.checkpoint import FINGERPRINT, FORMATS, METADATA_FILE, WEIGHTS_FILE, Checkpoint

__all__ = ["save_checkpoint"]


def save_checkpoint(folder: Path, network: VLFAU, checkpoint: Checkpoint) -> None:
    """Write a checkpoint whole or not at all, in place of an earlier one in the same folder.

    Raises:
        InputError: It cannot be written; the earlier one stays.
    """
    fresh, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    descriptions = checkpoint.descriptions if checkpoint.has_captions else None
    known: dict[str, Any] = {"format": FORMATS[0], **asdict(replace(checkpoint, descriptions=None))}
    del known["descriptions"]
    if descriptions is not None:
        known |= {"format": FORMATS[1], FINGERPRINT: descriptions.fingerprint}
    metadata = json.dumps(known, indent=2)
    if old.exists() and not folder.exists():
        old.rename(folder)  # An earlier process ended between the two renames below.
    try:
        for leftover in (fresh, old):
            shutil.rmtree(leftover, ignore_errors=True)
        fresh.mkdir(parents=True)
        save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, fresh / WEIGHTS_FILE)
        (fresh / METADATA_FILE).write_text(metadata + "\n", encoding="utf-8")
        if descriptions is not None:
            write_descriptions(fresh / DESCRIPTIONS_FILE, descriptions)
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
