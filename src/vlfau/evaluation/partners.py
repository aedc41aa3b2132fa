"""The counterfactual partners of some frames, as frames of their own."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vlfau.data import Frame, Manifest
from vlfau.errors import ManifestError
from vlfau.evaluation.counterfactuals import Pair, read_pairs
from vlfau.facs import AUState

__all__ = ["partner_frames"]


def partner_frames(frames: Manifest, images: Sequence[str], pairs: Path) -> Manifest:
    """Return the partners of frames: the same states but for the AU that was switched.

    Args:
        frames: The frames.
        images: Their pictures, as the table of pairs names them.
        pairs: The table, beside the manifest; pairs of other frames are left out.

    Raises:
        ManifestError: The table is wrong, or a partner is no file.
    """
    known = dict(zip(images, frames.frames, strict=True))
    chosen = [pair for pair in read_pairs(pairs) if pair.image in known]
    partners = tuple(_partner(pair, known[pair.image], frames.au_ids, pairs) for pair in chosen)
    return Manifest(pairs, frames.au_ids, partners)


def _partner(pair: Pair, frame: Frame, au_ids: Sequence[int], pairs: Path) -> Frame:
    path = pairs.parent / pair.partner
    if not path.is_file():
        raise ManifestError(f"{pairs} names {pair.partner}, which is no file; draw the pairs again")
    states = tuple(
        AUState(au_id, active=pair.partner_has_it) if au_id == pair.au_id else state
        for au_id, state in zip(au_ids, frame.states, strict=True)
    )
    # Where the landmarks of the partner lie is not known.
    return replace(frame, image=path, states=states, landmarks_xy=())
