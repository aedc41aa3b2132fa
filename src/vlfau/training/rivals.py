"""Trains a rival: its own losses, its stages, and what it needs of a manifest."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from vlfau.data.dataset import Batch
from vlfau.data.manifest import Manifest
from vlfau.errors import ConfigError, ManifestError
from vlfau.facs import action_unit
from vlfau.model.rivals.base import RivalTargets
from vlfau.model.rivals.centres import LANDMARKS, without_centre
from vlfau.model.rivals.network import RivalNetwork, RivalVision
from vlfau.model.rivals.registry import VL_FAU, clip_length_of, rival_class
from vlfau.training.config import TrainConfig
from vlfau.training.module import JointLosses, VLFAUModule

__all__ = ["RivalModule", "check_rival"]


def check_rival(config: TrainConfig, manifest: Manifest) -> None:
    """Make sure that the data have what a method needs, before anything is trained.

    Args:
        config: Configuration of the run.
        manifest: Its training frames.

    Raises:
        ConfigError: The method is unknown, or its clips don't fit the batch.
        ManifestError: The manifest lacks its landmarks, AU centres or clips.
    """
    method = config.model.method
    if method == VL_FAU:
        return
    kind = rival_class(method)
    path, clip_length = config.data.manifest, clip_length_of(config.model)
    if kind.uses_centres and (missing := without_centre(manifest.au_ids)):
        raise ManifestError(
            f"{action_unit(missing[0]).label} of {path} has no centre on the face, which {method} needs; leave it out "
            "of data.aus, or add it to model/rivals/centres.toml"
        )
    if (kind.uses_landmarks or kind.uses_centres) and (lacking := sorted({*LANDMARKS} - {*manifest.landmark_ids})):
        raise ManifestError(
            f"{path} lacks {len(lacking)} of the {len(LANDMARKS)} landmarks that {method} needs, such as "
            f"landmark_{lacking[0]}_x; add them with `vlfau landmarks {path}`"
        )
    if clip_length == 1:
        return
    longest = max(
        Counter((frame.subject_id, frame.clip) for frame in manifest.frames if frame.clip).values(), default=0
    )
    if longest < clip_length:
        found = (
            f"the longest clip of {path} has {longest}"
            if longest
            else f"{path} names no clips (column 'clip' and frames)"
        )
        raise ManifestError(
            f"{method} trains on clips of {clip_length} frames, but {found}; give longer clips, or set "
            "model.method_options.clip_length lower"
        )
    if config.run.batch_size % clip_length:
        raise ConfigError(
            f"run.batch_size {config.run.batch_size} is not a multiple of the {clip_length} frames of {method}'s "
            f"clips; set it to {clip_length * -(-config.run.batch_size // clip_length)}"
        )


class RivalModule(VLFAUModule):
    """Trains a network with a rival's head.

    Args:
        landmark_ids: FaceMesh's numbers of the batches' landmarks.
        options: As for `VLFAUModule`.
    """

    def __init__(self, *, landmark_ids: Sequence[int], **options: Any) -> None:
        super().__init__(**options)
        assert isinstance(self.network, RivalNetwork)
        self.rival = self.network.rival
        columns = {number: column for column, number in enumerate(landmark_ids)}
        uses = self.rival.uses_landmarks or self.rival.uses_centres
        self.landmark_columns = [columns[number] for number in LANDMARKS] if uses else []

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Tell the rival how far the training is."""
        self.rival.progress = self.global_step / max(1, self.trainer.estimated_stepping_batches)

    def _losses(
        self, batch: Batch, branches: Tensor | None, *, watch_words: bool = False
    ) -> tuple[JointLosses, Tensor]:
        vision = self.network(batch.faces).vision
        assert isinstance(vision, RivalVision)
        assert vision.rival is not None
        targets = RivalTargets(
            occurrence=batch.occurrence,
            valid_mask=batch.valid_mask,
            intensity=batch.intensity,
            landmarks=batch.landmarks[:, self.landmark_columns],
            weights=self.weights,
        )
        terms = self.rival.losses(vision.rival, targets)
        occurrence = terms.pop("fau", torch.zeros((), device=batch.faces.device))
        named = {f"loss_{name}": term for name, term in terms.items()}
        return JointLosses(occurrence, None, None, None, others=named), vision.au_logits
