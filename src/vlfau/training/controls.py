"""Captions without meaning: a control for what language adds to AU recognition."""

from dataclasses import replace
from enum import StrEnum

import torch

from vlfau.data.dataset import Batch

__all__ = ["CaptionControl"]


class CaptionControl(StrEnum):
    """What captions mean in training.

    Attributes:
        NONE: Each describes its own AU and face.
        SHUFFLED: Of each face, the local captions of annotated AUs change places at random, and the global captions of
            a batch change faces: the same words and the same loss, without meaning.
    """

    NONE = "none"
    SHUFFLED = "shuffled"

    def applied(self, batch: Batch) -> Batch:
        """Return the batch with its captions as they are to be learned."""
        if self is CaptionControl.NONE:
            return batch
        captions, known = batch.local_captions, batch.valid_mask
        # Annotated AUs, in random order, take the places of annotated AUs in their own order.
        draws = torch.rand(known.shape, device=known.device)
        places = torch.where(known, 0.0, 2.0).argsort(dim=1, stable=True)  # annotated first
        sources = (draws + 2 * ~known).argsort(dim=1)
        order = torch.empty_like(places).scatter_(1, places, sources)  # (B, N)
        shuffled = captions.gather(1, order[..., None].expand_as(captions))
        faces = torch.randperm(len(captions), device=captions.device)
        return replace(batch, local_captions=shuffled, global_captions=batch.global_captions[faces])
