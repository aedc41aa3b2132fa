"""What a bundle's predictions are worth on frames whose truth is known, in numbers and in words.

Dimensions: F frames, N AUs.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlfau.data import Frame, FrameDataset, Manifest
from vlfau.evaluation.au_metrics import Confusion, finite_mean, roc_auc_per_au
from vlfau.evaluation.caption_metrics import score_captions
from vlfau.evaluation.consistency import described_states, named_states
from vlfau.evaluation.predictions import UNKNOWN
from vlfau.evaluation.references import global_references, local_references
from vlfau.inference.au_scores import Captions
from vlfau.inference.bundle import Bundle, BundleInfo
from vlfau.inference.predictor import Predictor
from vlfau.language import Vocabulary

__all__ = ["Quality", "face_batches", "measure"]

BATCH = 16


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Figures of a bundle; None where there is nothing to measure.

    Attributes:
        f1_macro: Mean F1 of the AUs, 0 to 1, at the bundle's thresholds.
        roc_auc_macro: Mean area under the ROC curve.
        local_agreement: Share of the captions of AUs that state what was decided.
        local_bleu4: BLEU-4 of these captions against those of the true states.
        global_agreement: Share of the captions of faces that name exactly the AUs that were decided to act.
        global_bleu4: BLEU-4 of these captions.
    """

    f1_macro: float | None
    roc_auc_macro: float | None
    local_agreement: float | None = None
    local_bleu4: float | None = None
    global_agreement: float | None = None
    global_bleu4: float | None = None


def face_batches(bundle: Bundle, manifest: Manifest, places: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
    """Yield the faces of some frames as a bundle takes them, (B, S, S, 3) uint8 RGB."""
    crop = bundle.info.crop
    faces = FrameDataset(
        manifest,
        Vocabulary.for_aus(manifest.au_ids),
        crop_size=crop.crop_size,
        aligned_size=crop.aligned_size,
        words=False,
    )
    for start in range(0, len(places), BATCH):
        yield np.stack([faces[place].face.permute(1, 2, 0).numpy() for place in places[start : start + BATCH]])


def measure(
    bundles: Sequence[Bundle],
    manifest: Manifest,
    places: Sequence[int],
    described: Sequence[int],
    progress: Callable[[int, int], None],
) -> list[Quality]:
    """Measure bundles of one model on the same frames.

    Args:
        bundles: They differ in their graphs alone.
        manifest: Frames with the model's AUs.
        places: The frames to judge.
        described: Those to put in words, too.
        progress: Is told how many steps of how many are done.
    """
    # The words of a face may name its gender, as those that they are compared with do.
    predictors = [Predictor(bundle, describe="every", gendered=True, consistent=False) for bundle in bundles]
    probs: list[list[NDArray[np.float64]]] = [[] for _ in bundles]
    words: list[list[Captions]] = [[] for _ in bundles]
    chosen, done = set(described), 0
    for crops in face_batches(bundles[0], manifest, places):
        now = places[done : done + len(crops)]
        rows = [row for row, place in enumerate(now) if place in chosen]
        for predictor, their_probs, their_words in zip(predictors, probs, words, strict=True):
            scores = predictor.score_crops(crops)
            their_probs.append(scores.au_probs)
            their_words.extend(predictor.describe(scores, rows))
        done += len(crops)
        progress(done, len(places))
    frames = [manifest.frames[place] for place in places]
    spoken = [row for row, place in enumerate(places) if place in chosen]
    return [
        _quality(bundle, frames, np.concatenate(their_probs), spoken, their_words)
        for bundle, their_probs, their_words in zip(bundles, probs, words, strict=True)
    ]


def _quality(
    bundle: Bundle,
    frames: Sequence[Frame],
    au_probs: NDArray[np.float64],
    spoken: Sequence[int],
    words: Sequence[Captions],
) -> Quality:
    thresholds = np.array(bundle.info.thresholds)
    occurrence = np.array(
        [[UNKNOWN if state is None else int(state.active) for state in frame.states] for frame in frames], np.int8
    )
    decided = au_probs[spoken] >= thresholds
    described = [frames[row] for row in spoken]
    return Quality(
        f1_macro=finite_mean(Confusion.of(au_probs, occurrence, thresholds).f1_per_au.tolist()),
        roc_auc_macro=finite_mean(roc_auc_per_au(au_probs, occurrence).tolist()),
        **(_local(bundle.info, described, decided, words) if bundle.has_local_captions else {}),
        **(_global(bundle.info, described, decided, words) if bundle.has_global_captions else {}),
    )


def _local(
    info: BundleInfo, frames: Sequence[Frame], decided: NDArray[np.bool_], words: Sequence[Captions]
) -> dict[str, float]:
    captions = [[text or "" for text in each.local_captions] for each in words]
    pairs = [
        (text, references)
        for texts, frame in zip(captions, frames, strict=True)
        for text, references in zip(texts, local_references(frame, info.descriptions), strict=True)
        if references is not None
    ]
    agreement = float((described_states(info.au_ids, captions, info.descriptions) == decided).mean())
    return {"local_agreement": agreement, "local_bleu4": score_captions(*zip(*pairs, strict=True)).bleu4}


def _global(
    info: BundleInfo, frames: Sequence[Frame], decided: NDArray[np.bool_], words: Sequence[Captions]
) -> dict[str, float]:
    captions = [each.global_caption or "" for each in words]
    agreement = float((named_states(info.au_ids, captions, info.descriptions) == decided).all(1).mean())
    references = [global_references(frame, seed, info.descriptions) for seed, frame in enumerate(frames)]
    return {"global_agreement": agreement, "global_bleu4": score_captions(captions, references).bleu4}
