"""Reads a checkpoint as a bundle and loads it in torch; the extra `train` is imported when needed."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from vlfau.errors import CheckpointError, ConfigError, MissingExtraError
from vlfau.faces import CropGeometry
from vlfau.inference.backend import Backend
from vlfau.inference.bundle import Bundle, BundleInfo
from vlfau.inference.schema import CHECKPOINT_FILE, file_sha256
from vlfau.language import max_global_length, max_local_length
from vlfau.language.descriptions_file import DESCRIPTIONS_FILE

if TYPE_CHECKING:
    from vlfau.model.checkpoint import Checkpoint

__all__ = ["checkpoint_info", "network_bundle", "open_checkpoint", "read_checkpoint"]


def read_checkpoint(folder: Path) -> Bundle:
    """Read the metadata of a checkpoint, without its weights.

    Raises:
        CheckpointError: It is not a checkpoint, or damaged.
        MissingExtraError: The extra `train` is not installed.
    """
    with _needs_train():
        from vlfau.model.checkpoint import METADATA_FILE, WEIGHTS_FILE, read_metadata  # noqa: PLC0415

    metadata = read_metadata(folder)
    names = [folder / name for name in (METADATA_FILE, WEIGHTS_FILE, DESCRIPTIONS_FILE)]
    files = {path.name: file_sha256(path) for path in names if path.is_file()}
    whole = folder.resolve()
    day = datetime.datetime.fromtimestamp((folder / METADATA_FILE).stat().st_mtime, tz=datetime.UTC).date()
    try:
        info = checkpoint_info(
            metadata,
            name=whole.parent.name if whole.name == "checkpoint" else whole.name,
            version="checkpoint",
            licence="",
            created=day.isoformat(),
        )
    except ConfigError as error:
        raise CheckpointError(f"{folder / METADATA_FILE} is damaged ({error}); copy the checkpoint again") from None
    return Bundle(folder, info, files)


def network_bundle(metadata: "Checkpoint") -> Bundle:
    """Return a bundle for a network in memory, which has no folder."""
    info = checkpoint_info(metadata, name="network", version="", licence="", created="")
    return Bundle(Path(), info, {CHECKPOINT_FILE: ""})


def checkpoint_info(metadata: "Checkpoint", *, name: str, version: str, licence: str, created: str) -> BundleInfo:
    """Return the bundle metadata of a checkpoint's network.

    Args:
        metadata: Metadata of the checkpoint.
        name: Name of the model.
        version: Version of the model.
        licence: Licence of the weights.
        created: Date.
    """
    model, descriptions = metadata.model, metadata.descriptions
    return BundleInfo(
        name=name,
        version=version,
        licence=licence,
        created=created,
        au_ids=metadata.au_ids,
        thresholds=tuple(metadata.thresholds_of(metadata.au_ids).tolist()),
        crop=CropGeometry(aligned_size=metadata.aligned_size, crop_size=model.crop_size),
        vocabulary=metadata.vocabulary if metadata.has_captions else (),
        max_local_length=max_local_length(metadata.au_ids, descriptions) if model.local_language else 0,
        max_global_length=max_global_length(metadata.au_ids, descriptions) if model.global_language else 0,
        training={**metadata.training, "backbone": model.backbone, "fold": metadata.fold},
        scores=metadata.scores,
        descriptions=descriptions if metadata.has_captions else None,
    )


def open_checkpoint(bundle: Bundle, *, device: str | None = None, threads: int | None = None) -> Backend:
    """Load the network of a checkpoint in torch.

    Args:
        bundle: As returned by `read_checkpoint`.
        device: Torch device; None uses a GPU if available.
        threads: Number of torch threads in this process; None does not change it.

    Raises:
        CheckpointError: The weights are damaged.
        ConfigError: The device does not exist.
        MissingExtraError: The extra `train` is not installed.
    """
    with _needs_train():
        from vlfau.model.checkpoint import load_checkpoint  # noqa: PLC0415
        from vlfau.model.torch_backend import TorchBackend  # noqa: PLC0415

    return TorchBackend(load_checkpoint(bundle.folder).network, device=device, threads=threads)


@contextmanager
def _needs_train() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtraError((error.name or "torch").partition(".")[0], "train") from None
