"""The scores of a network, computed from its predictions, and their means over folds."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlfau.data.manifest import Frame
from vlfau.evaluation.au_metrics import Confusion, Threshold, f1_intervals, finite_mean, icc_per_au, mae_per_au
from vlfau.evaluation.caption_metrics import global_references, local_references, score_captions
from vlfau.evaluation.predictions import Predictions
from vlfau.evaluation.probability_metrics import average_precision_per_au, ece_per_au, roc_auc_per_au
from vlfau.language.constrained_decoding import allowed_local_descriptions

__all__ = ["by_au", "caption_scores", "drawn_scores", "figures", "intervals", "mean_figures"]


def figures(predictions: Predictions, threshold: Threshold) -> dict[str, Any]:
    """Return the AU recognition scores: per AU, their means, and micro-F1.

    A mean is over the AUs with a defined score. None stands for an undefined score, such as F1 of an AU that is never
    active. The field's scripts count it as 0; `f1_macro_zeros` is the mean F1 computed in this way.
    """
    confusion = Confusion.of(predictions.au_probs, predictions.occurrence, threshold)
    per_au = {
        "f1": confusion.f1_per_au,
        "accuracy": confusion.accuracy_per_au,
        "roc_auc": roc_auc_per_au(predictions.au_probs, predictions.occurrence),
        "average_precision": average_precision_per_au(predictions.au_probs, predictions.occurrence),
        "ece": ece_per_au(predictions.au_probs, predictions.occurrence),
    }
    if predictions.au_intensities is not None and predictions.intensity is not None:
        per_au["intensity_icc"] = icc_per_au(predictions.au_intensities, predictions.intensity)
        per_au["intensity_mae"] = mae_per_au(predictions.au_intensities, predictions.intensity)
    found: dict[str, Any] = {f"{name}_per_au": by_au(predictions.au_ids, values) for name, values in per_au.items()}
    found |= {f"{name}_macro": finite_mean(values.tolist()) for name, values in per_au.items()}
    annotated = np.isfinite(per_au["accuracy"])
    found["f1_macro_zeros"] = finite_mean(np.nan_to_num(per_au["f1"][annotated]).tolist())
    return found | {"f1_micro": float(confusion.f1_micro)}


def intervals(au_ids: Sequence[int], draws: Sequence[NDArray[np.float64]]) -> dict[str, Any]:
    """Return the 95 % intervals of F1 from each fold's bootstrap draws (R, N)."""
    found = f1_intervals(draws)
    return {"f1_macro": found.macro, "f1_per_au": dict(zip(map(str, au_ids), found.per_au, strict=True))}


def caption_scores(predictions: Predictions, frames: Sequence[Frame], indices: Sequence[int]) -> dict[str, float]:
    """Compare the captions of some frames with reference texts of the grammar for their true states.

    Args:
        predictions: Predictions with captions.
        frames: (F,), the same frames, with the AUs of the predictions.
        indices: The captioned frames.
    """
    scores: dict[str, float] = {}
    kinds = {"local": predictions.local_captions, "consistent": predictions.consistent_captions}
    for name, captions in kinds.items():
        if captions is None:
            continue
        pairs = [
            (text, references)
            for index in indices
            for text, references in zip(
                captions[index], local_references(frames[index], predictions.descriptions), strict=True
            )
            if references is not None
        ]
        scores |= _compared(name, pairs)
    if predictions.global_captions is not None:
        texts = predictions.global_captions
        references = [global_references(frames[index], index, predictions.descriptions) for index in indices]
        scores |= _compared("global", [(texts[index], known) for index, known in zip(indices, references, strict=True)])
    return scores


def drawn_scores(
    predictions: Predictions, frames: Sequence[Frame], indices: Sequence[int], threshold: Threshold
) -> dict[str, float]:
    """Score texts drawn at random from those that constrained decoding allows: the score of the grammar alone.

    Consistent captions come from the same grammar as the references. So only the part of their scores above this
    baseline, of texts that no network chose, says something about the network.

    Args:
        predictions: Predictions with consistent captions.
        frames: (F,), the same frames, with the AUs of the predictions.
        indices: The captioned frames.
        threshold: Probability from which an AU counts as active.
    """
    either = predictions.au_intensities is None
    pairs = []
    predicted = predictions.states(indices, predictions.au_probs >= threshold)
    for index, states in zip(indices, predicted, strict=True):
        rng = np.random.default_rng(index)
        for state, references in zip(states, local_references(frames[index], predictions.descriptions), strict=True):
            if references is not None:
                texts = allowed_local_descriptions(state, predictions.descriptions, either=either)
                pairs.append((texts[int(rng.integers(len(texts)))], references))
    return _compared("consistent_drawn", pairs)


def mean_figures(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the mean of scores over folds, at any depth; None if no fold has the score.

    Integers are counts, such as pairs, and are summed.
    """
    merged: dict[str, Any] = {}
    for key in dict.fromkeys(key for part in parts for key in part):
        values = [part[key] for part in parts if part.get(key) is not None]
        if values and all(isinstance(value, Mapping) for value in values):
            merged[key] = mean_figures(values)
        elif values and all(isinstance(value, int) for value in values):
            merged[key] = sum(values)
        elif all(isinstance(value, int | float) for value in values):
            merged[key] = finite_mean([float(value) for value in values])
    return merged


def by_au(au_ids: Sequence[int], values: NDArray[np.float64]) -> dict[str, float | None]:
    """Return scores (N,) by AU number as text; None for undefined scores."""
    numbers = (value if math.isfinite(value) else None for value in values.tolist())
    return dict(zip(map(str, au_ids), numbers, strict=True))


def _compared(name: str, pairs: Sequence[tuple[str, tuple[str, ...]]]) -> dict[str, float]:
    if not pairs:
        return {}
    found = score_captions([text for text, _ in pairs], [references for _, references in pairs])
    return {f"{name}_bleu4": found.bleu4, f"{name}_rouge_l": found.rouge_l, f"{name}_cider_d": found.cider_d}
