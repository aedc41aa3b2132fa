"""Do the words agree with the network's own decision, and with the truth?

Every caption is read by the parser of `vlfau.language`, which knows nothing of the network. A caption counts as
read only where all of it is: one sentence that cannot be read may say anything, so it counts as disagreement.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlfau.evaluation.au_metrics import Threshold
from vlfau.evaluation.predictions import Predictions
from vlfau.language import Descriptions, ParsedLocal, parse_global, parse_local

__all__ = ["consistency", "described_degrees", "described_states", "named_states"]

UNREADABLE = -1
CLOSE = 1.0
"""Intensities, from 0 to 5, that are no further apart count as close: one letter."""


def consistency(predictions: Predictions, threshold: Threshold) -> dict[str, float | None]:
    """Compare what the captions say with the predicted and with the true states.

    Local captions are compared an AU and frame; those of inactive AUs outnumber the others, so the shares among
    the active ones stand beside the overall share. A global caption agrees if it names exactly the active AUs;
    precision and recall count its AUs over all frames. AUs that nobody annotated are left out of every
    comparison with the truth, AUs that the network does not know out of all, and frames that were left undescribed too.

    Args:
        predictions: What the network says of every frame.
        threshold: The probability from which an AU counts as active.

    Returns:
        Shares by name; None where there is nothing to compare. The keys of captions that the network does not
        make are absent.
    """
    predictions = predictions.described()
    predicted = predictions.au_probs >= threshold  # (F, N)
    true = predictions.occurrence == 1
    known = predictions.occurrence >= 0
    shares: dict[str, float | None] = {}
    for name, captions in (("local", predictions.local_captions), ("consistent", predictions.consistent_captions)):
        if captions is None:
            continue
        said = described_states(predictions.au_ids, captions, predictions.descriptions)
        shares |= {
            f"{name}_agrees_with_predicted": _share(said == predicted),
            f"{name}_agrees_with_true": _share(said == true, known),
            f"{name}_agrees_where_predicted_active": _share(said == 1, predicted),
            f"{name}_agrees_where_predicted_inactive": _share(said == 0, ~predicted),
            f"{name}_agrees_where_truly_active": _share(said == 1, true),
            f"{name}_agrees_where_truly_inactive": _share(said == 0, predictions.occurrence == 0),
            f"{name}_readable": _share(said != UNREADABLE),
        }
        if predictions.au_intensities is not None:
            degrees = described_degrees(predictions.au_ids, captions, predictions.descriptions)
            named = predicted & ~np.isnan(degrees)
            close = np.abs(degrees - predictions.au_intensities) <= CLOSE
            shares[f"{name}_degree_close_to_predicted"] = _share(close, named)
    if predictions.global_captions is not None:
        said = named_states(predictions.au_ids, predictions.global_captions, predictions.descriptions)
        named = said == 1
        shares |= {
            "global_agrees_with_predicted": _share((said == predicted).all(1)),
            "global_agrees_with_true": _share(((said == true) | ~known).all(1), np.any(known, axis=1)),
            "global_precision_of_predicted": _share(predicted, named),
            "global_recall_of_predicted": _share(named, predicted),
            "global_precision_of_true": _share(true[known], named[known]),
            "global_recall_of_true": _share(named, true),
            "global_readable": _share((said != UNREADABLE).all(1)),
        }
    return shares


def described_states(
    au_ids: Sequence[int], captions: Sequence[Sequence[str]], descriptions: Descriptions | None = None
) -> NDArray[np.int8]:
    """Read the state that every local caption describes.

    Args:
        au_ids: N.
        captions: F x N.
        descriptions: The texts that the network learned; None means the package's own, here and below.

    Returns:
        (F, N): 1 active, 0 inactive, -1 where the caption can't be read, contradicts itself or is about another AU.
    """
    said = [
        [_described(au_id, text, descriptions) for au_id, text in zip(au_ids, texts, strict=True)] for texts in captions
    ]
    return np.array(said, np.int8).reshape(len(captions), len(au_ids))


def described_degrees(
    au_ids: Sequence[int], captions: Sequence[Sequence[str]], descriptions: Descriptions | None = None
) -> NDArray[np.float64]:
    """Read the degree, 1 to 5, that every local caption (F x N) names: (F, N), NaN where it names none of its AU."""
    said = [
        [_degree(au_id, text, descriptions) for au_id, text in zip(au_ids, texts, strict=True)] for texts in captions
    ]
    return np.array(said, float).reshape(len(captions), len(au_ids))


def named_states(
    au_ids: Sequence[int], captions: Sequence[str], descriptions: Descriptions | None = None
) -> NDArray[np.int8]:
    """Read which AUs every global caption names as active.

    Args:
        au_ids: N; other AUs that a caption names are passed over.
        captions: F.
        descriptions: The texts that the network learned.

    Returns:
        (F, N): 1 named, 0 not named; -1 in the whole row where the caption can't be read or contradicts itself.
    """
    named = np.full((len(captions), len(au_ids)), UNREADABLE, np.int8)
    for row, text in zip(named, captions, strict=True):
        parsed = parse_global(text, descriptions)
        if parsed.complete:
            row[:] = np.isin(au_ids, [state.au_id for state in parsed.states])
    return named


def _described(au_id: int, text: str, descriptions: Descriptions | None) -> int:
    """Return 1, 0 or -1."""
    parsed = _read(text, descriptions)
    return int(bool(parsed.active)) if parsed.complete and parsed.au_id == au_id else UNREADABLE


def _degree(au_id: int, text: str, descriptions: Descriptions | None) -> float:
    parsed = _read(text, descriptions)
    known = parsed.complete and parsed.au_id == au_id and parsed.intensity is not None
    return float(parsed.intensity) if known else math.nan  # type: ignore[arg-type]


@lru_cache(maxsize=1 << 16)
def _read(text: str, descriptions: Descriptions | None) -> ParsedLocal:
    """Read a caption; the same few texts come in thousands of frames, hence the cache."""
    return parse_local(text, descriptions)


def _share(agrees: NDArray[Any], where: NDArray[np.bool_] | None = None) -> float | None:
    chosen = agrees if where is None else agrees[where]
    return float(chosen.mean()) if chosen.size else None
