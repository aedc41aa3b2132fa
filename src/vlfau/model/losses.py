"""The four terms of the joint loss (section 3.3, Eq. 8 to 12)."""

from collections.abc import Sequence
from enum import StrEnum

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = [
    "WeightSum",
    "attention_loss",
    "au_weights",
    "caption_loss",
    "intensity_loss",
    "landmark_loss",
    "occurrence_loss",
]


class WeightSum(StrEnum):
    """Sum of the class weights."""

    ONE = "one"
    """Eq. 9 as printed."""
    NUM_AUS = "num_aus"
    """N times Eq. 9, as in the weight files of JAA-Net and ME-GraphAU."""


def au_weights(rates: Sequence[float], weight_sum: WeightSum = WeightSum.NUM_AUS) -> Tensor:
    """Weigh every AU by its rarity in the training set (Eq. 9).

    Args:
        rates: The occurrence rate of every AU among its annotated training frames, each above 0.
        weight_sum: Whether the weights add up to 1 or to N.

    Returns:
        (N,), 1 / rate, scaled.

    >>> au_weights([0.25, 0.5, 0.5], WeightSum.ONE).tolist()
    [0.5, 0.25, 0.25]
    """
    if not rates or min(rates) <= 0:
        raise ValueError(f"every AU needs a positive occurrence rate, not {list(rates)}")
    inverse = 1 / torch.tensor(rates, dtype=torch.float64)
    total = len(rates) if weight_sum is WeightSum.NUM_AUS else 1
    return (total * inverse / inverse.sum()).float()


def occurrence_loss(au_logits: Tensor, occurrence: Tensor, valid_mask: Tensor, weights: Tensor) -> Tensor:
    """Weighted multi-label cross entropy (Eq. 8), averaged over the annotated entries.

    Args:
        au_logits: (B, N).
        occurrence: (B, N), 0 or 1; ignored without annotation.
        valid_mask: (B, N), True where annotated.
        weights: (N,), gamma of Eq. 9.

    Returns:
        A scalar; 0 for a batch without annotations.
    """
    terms = F.binary_cross_entropy_with_logits(au_logits, occurrence, weight=weights, reduction="none")
    return _masked_mean(terms, valid_mask)


def intensity_loss(au_intensities: Tensor, intensity: Tensor) -> Tensor:
    """Smooth absolute difference of intensities (Huber's loss with a bend at 1), averaged over the known entries.

    Args:
        au_intensities: (B, N), predicted, 0 to 5.
        intensity: (B, N), annotated, 0 to 5; NaN where unknown.

    Returns:
        A scalar; 0 for a batch in which all are unknown.
    """
    known = ~intensity.isnan()
    terms = F.smooth_l1_loss(au_intensities, intensity.nan_to_num(), reduction="none")
    return _masked_mean(terms, known)


def landmark_loss(landmarks: Tensor, places: Tensor) -> Tensor:
    """Mean absolute distance of landmarks along x and y, in twentieths of the crop's side.

    In this unit the term falls from 1 to a tenth during training, so it is about as large as the others.

    Args:
        landmarks: (B, K, 2), found, as shares of the crop's side.
        places: (B, K, 2), where they are; NaN where unknown or outside of the crop.

    Returns:
        A scalar; 0 for a batch in which all are unknown.
    """
    known = ~places.isnan()
    return _masked_mean(20 * (landmarks - places.nan_to_num()).abs(), known)


def attention_loss(attention_maps: Tensor, regions: Tensor, known: Tensor, located: Tensor) -> Tensor:
    """Teach the branches' spatial attention where their AUs act.

    Binary cross entropy of the maps and the regions, in which cells in and outside of a region count alike, however
    small it is. Where the very skin that moves is known, also the cross entropy of the share of attention that each
    cell gets and the region's share of it: the map's peak, which readers look at, shall lie inside.

    Args:
        attention_maps: (B, N, H, W), in [0, 1].
        regions: (B, N, H, W), in [0, 1].
        known: (B, N) bool, whether a region is known.
        located: (B, N) bool, whether it is the very skin that moves in this picture, rather than a mean region.

    Returns:
        A scalar; 0 for a batch without known regions.
    """
    maps = attention_maps.float().clamp(1e-6, 1 - 1e-6)
    inside, outside = maps.log(), (1 - maps).log()
    parts = [
        -(share * likelihood).sum((2, 3)) / share.sum((2, 3)).clamp(min=1e-6)
        for share, likelihood in ((regions, inside), (1 - regions, outside))
    ]
    places = (inside - outside).flatten(2).log_softmax(2)  # (B, N, H * W)
    shares = regions.flatten(2) / regions.sum((2, 3)).clamp(min=1e-6)[..., None]
    peaks = -(shares * places).sum(2)  # (B, N)
    return _masked_mean(torch.stack(parts).sum(0), known) + _masked_mean(peaks, located)


def caption_loss(logits: Tensor, token_ids: Tensor, *, pad_id: int) -> Tensor:
    """Negative log-likelihood of captions (Eq. 10 and 11): the mean per caption, then over captions.

    Args:
        logits: (S, T, W), the scores of every next word.
        token_ids: (S, T), the right next words with the end, then padding. A caption that is all padding
            (an AU that nobody annotated) does not count.
        pad_id: The padding's id.

    Returns:
        A scalar; 0 where no caption counts.
    """
    losses = F.cross_entropy(logits.transpose(1, 2), token_ids, ignore_index=pad_id, reduction="none")  # (S, T)
    lengths = (token_ids != pad_id).sum(1)
    return _masked_mean(losses.sum(1) / lengths.clamp(min=1), lengths > 0)


def _masked_mean(terms: Tensor, mask: Tensor) -> Tensor:
    return torch.where(mask, terms, 0).sum() / mask.sum().clamp(min=1)
