"""One step of joint learning (Eq. 8 to 12), and the metrics that are logged."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import lightning as L
import torch
import torch.nn.functional as F
from lightning.pytorch.utilities.types import LRSchedulerConfigType, OptimizerLRSchedulerConfig
from torch import Tensor
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from torchmetrics import MeanMetric
from torchmetrics.classification import MultilabelF1Score

from vlfau.data.dataset import Batch
from vlfau.facs import action_unit
from vlfau.language import Vocabulary
from vlfau.model import VLFAU
from vlfau.model.au_regions import AURegions
from vlfau.model.classifier import AUOutput
from vlfau.model.losses import attention_loss, caption_loss, intensity_loss, landmark_loss, occurrence_loss
from vlfau.training.config import OptimiserConfig
from vlfau.training.controls import CaptionControl

__all__ = ["JointLosses", "VLFAUModule", "adamw", "rate_scale"]

UNKNOWN = -1
TOP_WORDS = 5


@dataclass(frozen=True)
class JointLosses:
    """The four terms of Eq. 12 and those of our additions, scalars; None for the parts that are switched off.

    The landmarks' is the sum over the estimates, so that each step of finding them learns. `others` are the terms of a
    rival's own losses.
    """

    occurrence: Tensor
    local_caption: Tensor | None
    global_caption: Tensor | None
    global_occurrence: Tensor | None
    intensity: Tensor | None = None
    landmarks: Tensor | None = None
    landmark_branch: Tensor | None = None
    movement_branch: Tensor | None = None
    attention: Tensor | None = None
    others: Mapping[str, Tensor] = field(default_factory=dict)

    def named(self) -> dict[str, Tensor]:
        """Return the terms that are present, by name."""
        terms = {
            "loss_fau": self.occurrence,
            "loss_local": self.local_caption,
            "loss_global": self.global_caption,
            "loss_gau": self.global_occurrence,
            "loss_intensity": self.intensity,
            "loss_landmarks": self.landmarks,
            "loss_landmark_branch": self.landmark_branch,
            "loss_movement_branch": self.movement_branch,
            "loss_attention": self.attention,
        }
        return {name: term for name, term in terms.items() if term is not None} | dict(self.others)

    def total(self) -> Tensor:
        """Return their plain sum (Eq. 12)."""
        return torch.stack(list(self.named().values())).sum()


class VLFAUModule(L.LightningModule):
    """Trains a VLFAU network.

    Args:
        network: The network.
        vocabulary: Vocabulary of its captions.
        au_ids: (N,), the AUs of its branches.
        weights: (N,), the AUs' class weights.
        optimiser: Learning rate and other settings.
        local_captions_per_face: See `RunConfig`.
        active_first: See `RunConfig`.
        decided_captions: See `RunConfig`.
        caption_control: See `RunConfig`.
        attention_weight: See `RunConfig.attention_loss`.
        landmark_ids: (K,), the landmarks of the frames; needed with `attention_weight`.
    """

    weights: Tensor

    def __init__(
        self,
        *,
        network: VLFAU,
        vocabulary: Vocabulary,
        au_ids: Sequence[int],
        weights: Tensor,
        optimiser: OptimiserConfig,
        local_captions_per_face: int | None = None,
        active_first: float = 0.0,
        decided_captions: bool = False,
        caption_control: CaptionControl = CaptionControl.NONE,
        attention_weight: float = 0.0,
        landmark_ids: Sequence[int] = (),
    ) -> None:
        super().__init__()
        self.network, self.vocabulary, self.au_ids, self.optimiser = (
            network,
            vocabulary,
            tuple(au_ids),
            optimiser,
        )
        self.local_captions_per_face, self.active_first = local_captions_per_face, active_first
        self.decided_captions, self.caption_control = decided_captions, caption_control
        self.attention_weight = attention_weight
        self.regions = AURegions(self.au_ids, landmark_ids) if attention_weight else None
        self.register_buffer("weights", weights, persistent=False)
        self.f1_per_au = MultilabelF1Score(len(self.au_ids), average="none", ignore_index=UNKNOWN)
        self.top_words = torch.nn.ModuleDict({"local": MeanMetric(), "global": MeanMetric()})

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Return the joint loss of a batch."""
        losses = self.training_losses(batch)
        self.log_dict({f"train/{name}": term.detach() for name, term in losses.named().items()})
        total = losses.total()
        self.log("train/loss", total.detach(), prog_bar=True)
        return total

    def training_losses(self, batch: Batch) -> JointLosses:
        """Return the loss of a training step; the AUs whose captions count are drawn at random in every call."""
        controlled = self.caption_control.applied(batch)
        return self._losses(controlled, self._draw_branches(batch))[0]

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Score a batch: F1 at threshold 0.5, losses, and top-5 accuracy of the next word."""
        losses, au_logits = self._losses(batch, None, watch_words=True)
        target = torch.where(batch.valid_mask, batch.occurrence.long(), UNKNOWN)
        self.f1_per_au.update(au_logits.sigmoid(), target)
        self.log_dict(
            {f"val/{name}": term for name, term in losses.named().items()}, batch_size=len(target), sync_dist=True
        )

    def on_validation_epoch_end(self) -> None:
        """Log the scores of the epoch."""
        f1_per_au = self.f1_per_au.compute()
        self.f1_per_au.reset()
        named = zip(self.au_ids, f1_per_au, strict=True)
        self.log_dict({f"val/f1_{action_unit(au_id).label}": f1 for au_id, f1 in named})
        self.log("val/f1_macro", f1_per_au.mean(), prog_bar=True)
        for kind, metric in self.top_words.items():
            if metric.update_called:
                self.log(f"val/top5_words_{kind}", metric.compute())  # type: ignore[operator]
                metric.reset()  # type: ignore[operator]

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Return AdamW and its cosine schedule."""
        config, optimiser = self.optimiser, adamw(self.network, self.optimiser)

        def scale(step: int) -> float:
            # Computed at every step: Lightning knows the number of batches only once training starts. The schedule is
            # built before, with step 0, while that number is infinite.
            batches = self.trainer.num_training_batches
            epochs = config.schedule_epochs or self.trainer.max_epochs or 1
            steps = (
                epochs * (-(-batches // self.trainer.accumulate_grad_batches)) if math.isfinite(batches) else math.inf
            )
            return rate_scale(step, warmup_steps=config.warmup_steps, steps=steps)

        schedule: LRSchedulerConfigType = {"scheduler": LambdaLR(optimiser, scale), "interval": "step"}
        return {"optimizer": optimiser, "lr_scheduler": schedule}

    def _draw_branches(self, batch: Batch) -> Tensor | None:
        count = self.local_captions_per_face
        if count is None or count >= len(self.au_ids):
            return None
        draws = torch.rand(batch.occurrence.shape, device=batch.occurrence.device)
        if self.active_first:
            chosen = torch.rand(len(draws), 1, device=draws.device) < self.active_first
            draws = draws + chosen * batch.occurrence  # (B, N): those of active AUs come first
        return draws.topk(count, dim=1).indices  # (B, N')

    def _losses(
        self, batch: Batch, branches: Tensor | None, *, watch_words: bool = False
    ) -> tuple[JointLosses, Tensor]:
        bos_id, pad_id = self.vocabulary.bos_id, self.vocabulary.pad_id
        local_captions = batch.local_captions  # (B, N, T)
        if branches is not None:
            index = branches[..., None].expand(-1, -1, local_captions.shape[2])
            local_captions = local_captions.gather(1, index)  # (B, N', T)
        output = self.network(
            batch.faces,
            _shift(local_captions, bos_id, pad_id),
            _shift(batch.global_captions, bos_id, pad_id),
            branches,
        )
        local_loss = global_loss = gau_loss = None
        if output.local_logits is not None:
            if self.decided_captions:
                local_captions = _decided(local_captions, output.vision.au_logits, batch, branches, pad_id)
            logits, words = output.local_logits.flatten(0, 1), local_captions.flatten(0, 1)
            local_loss = caption_loss(logits, words, pad_id=pad_id)
            if watch_words:
                self._watch_words("local", logits, words)
        if output.global_logits is not None:
            global_loss = caption_loss(output.global_logits, batch.global_captions, pad_id=pad_id)
            if watch_words:
                self._watch_words("global", output.global_logits, batch.global_captions)
        if output.global_au_logits is not None:
            gau_loss = occurrence_loss(output.global_au_logits, batch.occurrence, batch.valid_mask, self.weights)
        vision = output.vision
        occurrence, intensity = self._score_losses(vision.branch_scores, batch)
        landmarks = landmark_scores = movement_scores = None
        if vision.by_landmarks is not None:
            estimates = vision.by_landmarks.estimates.unbind(1)
            landmarks = torch.stack([landmark_loss(estimate, batch.landmarks) for estimate in estimates]).sum()
            # The landmarks have a loss of their own, so that they help where the branches are unsure.
            terms = self._score_losses(vision.by_landmarks.scores, batch)
            landmark_scores = torch.stack([term for term in terms if term is not None]).sum()
        if vision.by_movements is not None:
            parts = vision.by_movements.parts
            both = [term for scores in parts for term in self._score_losses(scores, batch) if term is not None]
            movement_scores = torch.stack(both).sum()
        attention = None
        if self.regions is not None:
            attention = self.attention_weight * self._attention_loss(self.regions, vision.attention_maps, batch)
        losses = JointLosses(
            occurrence,
            local_loss,
            global_loss,
            gau_loss,
            intensity,
            landmarks,
            landmark_scores,
            movement_scores,
            attention,
        )
        return losses, vision.au_logits

    @staticmethod
    def _attention_loss(mean_regions: AURegions, maps: Tensor, batch: Batch) -> Tensor:
        """Take the masks of the batch where it has some, and mean regions elsewhere."""
        regions, laid = mean_regions(batch.landmarks, *maps.shape[2:])
        located = (batch.regions > 0).flatten(2).any(2)  # (B, N)
        if batch.regions.shape[-1]:
            own = F.interpolate(batch.regions.float() / 255, size=maps.shape[2:], mode="area")
            regions = torch.where(located[..., None, None], own, regions)
        return attention_loss(maps, regions, laid[:, None] | located, located)

    def _score_losses(self, scores: AUOutput, batch: Batch) -> tuple[Tensor, Tensor | None]:
        occurrence = occurrence_loss(scores.logits, batch.occurrence, batch.valid_mask, self.weights)
        if scores.intensities is None:
            return occurrence, None
        return occurrence, intensity_loss(scores.intensities, batch.intensity)

    def _watch_words(self, kind: str, logits: Tensor, words: Tensor) -> None:
        real = words != self.vocabulary.pad_id
        hits = (logits.topk(min(TOP_WORDS, logits.shape[-1])).indices == words[..., None]).any(-1)
        self.top_words[kind].update(hits[real].float())  # type: ignore[operator]


def adamw(network: VLFAU, config: OptimiserConfig) -> AdamW:
    """Return the optimiser of a network, with a rate of its own for the backbone."""
    backbone: list[Tensor] = list(network.stem.backbone.parameters())
    known = set(backbone)
    groups: list[dict[str, Any]] = [
        {"params": backbone, "lr": config.stem_rate * config.learning_rate},
        {"params": [parameter for parameter in network.parameters() if parameter not in known]},
    ]
    return AdamW(groups, lr=config.learning_rate, betas=config.betas, weight_decay=config.weight_decay)


def rate_scale(step: int, *, warmup_steps: int, steps: float) -> float:
    """Return the share of the learning rate at a step, from 0: a linear warm-up, then a cosine to 0 at `steps`."""
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    progress = (step - warmup_steps) / max(1, steps - warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def _decided(captions: Tensor, au_logits: Tensor, batch: Batch, branches: Tensor | None, pad_id: int) -> Tensor:
    """Return the captions (B, N', T) without those of AUs whose predicted state is another than the described one."""
    right = (au_logits > 0) == (batch.occurrence > 0)  # (B, N)
    if branches is not None:
        right = right.gather(1, branches)
    return torch.where(right[..., None], captions, pad_id)


def _shift(captions: Tensor, bos_id: int, pad_id: int) -> Tensor:
    """Return a decoder's input for predicting `captions` (..., T): the start, then all but the last word.

    An unannotated caption is all padding; it starts like the others and does not count in the loss.
    """
    start = torch.full_like(captions[..., :1], bos_id)
    return torch.cat([start, captions[..., :-1]], dim=-1)
