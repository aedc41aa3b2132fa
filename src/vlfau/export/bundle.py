"""Export of a checkpoint to a bundle."""

import datetime
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from vlfau._version import version
from vlfau.errors import ConfigError
from vlfau.evaluation.provenance import CALIBRATION
from vlfau.export.graphs import export_graphs, store_weights_at_half
from vlfau.files.atomic import fresh_folder, refuse_existing
from vlfau.inference.bundle import Bundle, write_model_json
from vlfau.inference.checkpoint import checkpoint_info
from vlfau.inference.schema import CARD_FILE
from vlfau.inference.score_parts import PARTS
from vlfau.model import VLFAU, ModelConfig
from vlfau.model.checkpoint import Checkpoint, load_checkpoint
from vlfau.model.rivals.registry import VL_FAU

__all__ = ["export_bundle"]


def export_bundle(
    checkpoint: Path,
    output: Path,
    *,
    name: str | None = None,
    licence: str = "Apache-2.0",
    note: str = "",
    card: Path | None = None,
    half: bool = True,
) -> Bundle:
    """Export a checkpoint to a bundle, which runs without torch.

    Args:
        checkpoint: Folder of the checkpoint.
        output: The bundle's folder; it must not exist yet.
        name: Name of the model; None takes the folder's name.
        licence: Licence of the weights.
        note: What users should know first; if empty, a rival's bundle says that it has no words.
        card: Model card in Markdown, stored in the bundle.
        half: Whether weights are stored at half precision, which halves the size.

    Raises:
        CheckpointError: It is not a checkpoint, or damaged.
        ConfigError: The output exists already, or the card is not text.
    """
    refuse_existing(output)
    text = None if card is None else _text(card)
    network, metadata = load_checkpoint(checkpoint)
    graphs = export_graphs(network, crop_size=metadata.model.crop_size)
    info = checkpoint_info(
        metadata,
        name=name or output.name,
        version=version(),
        licence=licence,
        created=datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
    )
    training = {**_published(metadata), **_score_parts(network, metadata.au_ids)}
    info = replace(info, note=note or _note(metadata.model), training=training)
    with fresh_folder(output) as fresh:
        for file, graph in graphs.items():
            stored = store_weights_at_half(graph) if half else graph
            (fresh / file).write_bytes(stored.SerializeToString())
        if text is not None:
            (fresh / CARD_FILE).write_text(text, encoding="utf-8")
        bundle = write_model_json(fresh, info)
    return replace(bundle, folder=output)


def _published(metadata: Checkpoint) -> dict[str, Any]:
    """Return the training metadata of a bundle: the checkpoint's and the test fold, without subjects' names."""
    training = {name: entry for name, entry in metadata.training.items() if name != "held_out_subjects"}
    if isinstance(training.get(CALIBRATION), dict):
        training[CALIBRATION] = {**training[CALIBRATION], "subjects": []}
    return {**training, "fold": metadata.fold}


def _score_parts(network: VLFAU, au_ids: Sequence[int]) -> dict[str, Any]:
    """Return how much each part of the network weighs in the score of each AU; nothing if it has only branches."""
    if network.part_weights is None:
        return {}
    branch, *geometry, appearance = network.part_weights[:, 0].tolist()  # Geometry: landmarks, posed, everyday.
    rows = zip(branch, map(sum, zip(*geometry, strict=True)), appearance, strict=True)
    return {PARTS: {str(au_id): [round(share, 3) for share in row] for au_id, row in zip(au_ids, rows, strict=True)}}


def _note(model: ModelConfig) -> str:
    """Return what users of a rival's bundle should know first; empty for VL-FAU."""
    return "" if model.method == VL_FAU else f"the method {model.method} predicts AUs only; it has no words"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"card {path} cannot be read as text ({error}); name a file in UTF-8") from error
