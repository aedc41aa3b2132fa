"""The file that a run is resumed from, written whole or not at all."""

import io
import zipfile
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from vlfau.atomic import replacing
from vlfau.errors import CheckpointError

__all__ = ["WholeCheckpointIO"]


class WholeCheckpointIO(TorchCheckpointIO):
    """Writes beside the old file and replaces it in one step.

    Lightning's own way copies from the system's temporary folder, which may lie on another disk, so that a full disk
    or a kill would leave half a file where a whole one was.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Write a checkpoint.

        Raises:
            InputError: The file cannot be written.
        """
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_bytes(buffer.getbuffer())

    def load_checkpoint(self, path: str | Path, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Read a checkpoint, without executing anything, if it is what was written to the last byte.

        Raises:
            CheckpointError: It is damaged.
        """
        try:
            with zipfile.ZipFile(path) as archive:
                if archive.testzip() is not None:
                    raise ValueError("wrong sums")
            return super().load_checkpoint(path, *arguments, **{**options, "weights_only": True})
        except Exception as error:  # What is damaged raises almost anything.
            raise CheckpointError(f"{path} is damaged; start without --resume in another run.output") from error
