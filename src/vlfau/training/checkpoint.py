"""Writes a checkpoint; `vlfau.model.checkpoint` reads it."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import save_file

from vlfau.errors import InputError
from vlfau.files.atomic import replacing_folder
from vlfau.language.descriptions_file import DESCRIPTIONS_FILE, write_descriptions
from vlfau.model import VLFAU
from vlfau.model.checkpoint import FINGERPRINT, FORMATS, METADATA_FILE, WEIGHTS_FILE, Checkpoint

__all__ = ["save_checkpoint"]


def save_checkpoint(folder: Path, network: VLFAU, checkpoint: Checkpoint) -> None:
    """Write a checkpoint whole or not at all, in place of an earlier one in the same folder.

    Raises:
        InputError: It cannot be written; the earlier one stays.
    """
    descriptions = checkpoint.descriptions if checkpoint.has_captions else None
    known: dict[str, Any] = {"format": FORMATS[0], **asdict(replace(checkpoint, descriptions=None))}
    del known["descriptions"]
    if descriptions is not None:
        known |= {"format": FORMATS[1], FINGERPRINT: descriptions.fingerprint}
    metadata = json.dumps(known, indent=2)
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    try:
        with replacing_folder(folder) as fresh:
            save_file(tensors, fresh / WEIGHTS_FILE)
            (fresh / METADATA_FILE).write_text(metadata + "\n", encoding="utf-8")
            if descriptions is not None:
                write_descriptions(fresh / DESCRIPTIONS_FILE, descriptions)
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"cannot write the checkpoint {folder} ({error}); free space, or choose another folder"
        ) from None
