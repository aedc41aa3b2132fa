"""Agreement of captions with the network's own predictions and with the labels.

Every caption is parsed by `vlfau.language`, independently of the network. A caption with a sentence that cannot be
parsed counts as disagreement.
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
"""Maximum difference of intensities (0 to 5) that counts as close: one letter."""


def consistency(predictions: Predictions, threshold: Threshold) -> dict[str, float | None]:
    """Compare the states claimed by captions with the predicted and the true states.

    Local captions are compared per AU and frame; those of inactive AUs outnumber the others, so shares among the active
    ones are reported too. A global caption agrees if it names exactly the active AUs; precision and recall count its
    AUs over all frames. AUs without annotation are left out of comparisons with the labels; AUs that the network does
    not predict, and frames without captions, out of all comparisons.

    Args:
        predictions: Predictions for every frame.
        threshold: Probability from which an AU counts as active.

    Returns:
        Shares by name; None if there is nothing to compare. Keys of captions that the network does not generate are
        absent.
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
    """Parse the state that every local caption describes.

    Args:
        au_ids: N.
        captions: F x N.
        descriptions: The descriptions that the network was trained on; None means the package's own, here and below.

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
    """Parse the degree, 1 to 5, that every local caption (F x N) names for its AU: (F, N), NaN where it names none."""
    said = [
        [_degree(au_id, text, descriptions) for au_id, text in zip(au_ids, texts, strict=True)] for texts in captions
    ]
    return np.array(said, float).reshape(len(captions), len(au_ids))


def named_states(
    au_ids: Sequence[int], captions: Sequence[str], descriptions: Descriptions | None = None
) -> NDArray[np.int8]:
    """Parse which AUs every global caption names as active.

    Args:
        au_ids: N; other AUs that a caption names are ignored.
        captions: F.
        descriptions: The descriptions that the network was trained on.

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
    """Parse a caption; cached, because the same few texts occur in thousands of frames."""
    return parse_local(text, descriptions)


def _share(agrees: NDArray[Any], where: NDArray[np.bool_] | None = None) -> float | None:
    chosen = agrees if where is None else agrees[where]
    return float(chosen.mean()) if chosen.size else None
