"""One checkpoint on the frames of one manifest: answers, captions and scores."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from vlfau.data import Manifest, read_manifest
from vlfau.errors import CheckpointError, ConfigError, InputError, ManifestError
from vlfau.evaluation.answering import Answerer, Look
from vlfau.evaluation.au_metrics import Threshold
from vlfau.evaluation.bootstrap import f1_draws
from vlfau.evaluation.consistency import consistency
from vlfau.evaluation.counterfactuals import counterfactuals
from vlfau.evaluation.grounding import grounding
from vlfau.evaluation.partners import partner_frames
from vlfau.evaluation.scores import SCORES_FILE, caption_scores, figures, intervals, read_scores, write_json
from vlfau.facs import AU_SETS
from vlfau.training import PROTOCOL_THRESHOLD, Checkpoint, load_checkpoint, read_papers

__all__ = ["Scope", "au_set", "evaluate"]

REGIONS_FOLDER = "regions"
PAIRS_FILE = "pairs.csv"


@dataclass(frozen=True)
class Scope:
    """How much is measured.

    Attributes:
        threshold: The probability from which an AU counts as active; the protocol's is 0.5. None takes the
            checkpoint's own, one an AU.
        describe: Whether frames are described in words and the words scored.
        described_frames: How many frames, evenly spaced, are described; None describes all.
    """

    threshold: float | None = PROTOCOL_THRESHOLD
    describe: bool = True
    described_frames: int | None = None

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 < self.threshold < 1:
            raise ConfigError(f"a threshold is a probability between 0 and 1, not {self.threshold}; choose another")
        if self.described_frames is not None and self.described_frames < 1:
            raise ConfigError(f"{self.described_frames} frames can't be described; give one or more, or --no-describe")

    def places(self, count: int) -> list[int]:
        """Return which of some frames are described.

        >>> Scope(described_frames=3).places(9)
        [0, 4, 8]
        """
        if not self.describe:
            return []
        wanted = min(count, self.described_frames or count)
        return [round(place) for place in np.linspace(0, count - 1, wanted).tolist()]


def evaluate(
    checkpoint: Path,
    manifest: Path,
    out: Path,
    *,
    fold: int | Literal["all"] | None = None,
    scope: Scope | None = None,
    look: Look | None = None,
    description: str | None = None,
    synthetic: bool | None = None,
) -> dict[str, Any]:
    """Measure a network on frames that it never saw.

    Writes `answers.npz`, `captions.jsonl` and, last of all, `scores.json`. Masks (`regions/`) and counterfactual
    pairs (`pairs.csv`) beside the manifest are used where they exist.

    Args:
        checkpoint: The folder that training left.
        manifest: The frames. Where its AUs are others than the network's, those that both have are scored.
        out: The folder to write to.
        fold: The fold to test; None is the one that the checkpoint left out, "all" takes every frame, also those
            that the network may have been trained on.
        scope: How much is measured.
        look: How to run the network.
        description: What the data are; None says what the checkpoint says of its training data.
        synthetic: Whether the faces are synthetic; None likewise.

    Returns:
        The content of `scores.json`.

    Raises:
        InputError: The checkpoint, the manifest or its company is wrong, or the network was trained on the fold.
    """
    scope, look = scope or Scope(), look or Look()
    papers = read_papers(checkpoint)
    tested = _tested_fold(checkpoint, papers, fold)
    frames = _frames(manifest, papers, tested)
    if papers.speaks and papers.descriptions is None:
        raise CheckpointError(
            f"checkpoint {checkpoint} does not carry the descriptions that it learned, and this vlfau's are others, so "
            "its words cannot be measured; train again, or use the version of vlfau that trained it"
        )
    network, _ = load_checkpoint(checkpoint, fold=tested)
    _make_folder(out)
    answerer = Answerer(network, papers, frames.au_ids, look)
    threshold = _threshold(scope, papers, frames.au_ids)
    answers = answerer.see(frames)
    places = scope.places(len(frames.frames))
    if places:
        answers = answerer.speak(frames, answers, places, threshold=threshold)
    answers.save(out)
    draws = f1_draws(answers, threshold, seed=tested or 0)
    scores: dict[str, Any] = {
        "data": {
            "description": papers.training.get("data", "") if description is None else description,
            "synthetic": bool(papers.training.get("synthetic")) if synthetic is None else synthetic,
            "au_set": au_set(frames.au_ids),
        },
        "network": {
            "trained_on": papers.training.get("data", ""),
            "trained_on_synthetic": papers.training.get("synthetic"),
            "from_scratch": papers.training.get("from_scratch"),
            "backbone": papers.model.backbone,
        },
        "evaluation": asdict(scope),
        "au_ids": frames.au_ids,
        "fold": tested,
        "frames": len(answers),
        "subjects": len(set(answers.subject_ids)),
        "threshold": np.asarray(threshold).tolist(),
        **figures(answers, threshold),
        "intervals": intervals(frames.au_ids, [draws]),
    }
    if places and answerer.speaks:
        words = caption_scores(answers, frames.frames, places)
        scores["words"] = {"frames": len(places), **answerer.word_accuracy.shares(), **words}
    scores["truth"] = consistency(answers, threshold)
    regions = manifest.parent / REGIONS_FOLDER
    if regions.is_dir() and papers.model.dair:
        sizes = {"crop_size": papers.model.crop_size, "aligned_size": papers.aligned_size}
        scores["truth"] |= grounding(answers, regions, **sizes, progress=look.progress)
    pairs = manifest.parent / PAIRS_FILE
    if pairs.is_file():
        chosen = places if scope.described_frames is not None and places else range(len(answers))
        some = replace(frames, frames=tuple(frames.frames[place] for place in chosen))
        partners = partner_frames(some, answers.take(chosen).images, pairs)
        scores["counterfactuals"] = {"pairs": 0}
        if partners.frames:
            theirs = answerer.see(partners)
            if places:
                every = range(len(theirs))
                theirs = answerer.speak(
                    partners, theirs, every, threshold=threshold, consistent=False, watch_words=False
                )
            scores["counterfactuals"] = counterfactuals(answers.take(chosen), theirs, pairs, threshold)
    write_json(out / SCORES_FILE, scores)
    return read_scores(out)


def au_set(au_ids: Sequence[int]) -> str | None:
    """Return the name of the set of AUs that these are, or None."""
    return next((name for name, members in AU_SETS.items() if members == tuple(au_ids)), None)


def _threshold(scope: Scope, papers: Checkpoint, au_ids: Sequence[int]) -> Threshold:
    if scope.threshold is not None:
        return scope.threshold
    return PROTOCOL_THRESHOLD if papers.thresholds is None else papers.thresholds_of(au_ids)


def _tested_fold(checkpoint: Path, papers: Checkpoint, fold: int | Literal["all"] | None) -> int | None:
    if fold == "all":
        return None
    if fold is None and papers.fold is None:
        raise CheckpointError(
            f"checkpoint {checkpoint} left out no fold: it was trained on every frame of its data; give other faces "
            "and --fold all, or a checkpoint that left a fold out"
        )
    if fold is not None and fold != papers.fold:
        raise CheckpointError(
            f"checkpoint {checkpoint} left out {'no fold' if papers.fold is None else f'fold {papers.fold}'}, so it "
            f"was trained on fold {fold}; use the checkpoint of fold {fold}, or --fold all for other faces"
        )
    return papers.fold


def _frames(manifest: Path, papers: Checkpoint, fold: int | None) -> Manifest:
    """Read the frames of a fold, with the AUs that the network and the manifest have."""
    offered = read_manifest(manifest)
    common = tuple(au_id for au_id in papers.au_ids if au_id in offered.au_ids)
    if not common:
        raise ManifestError(
            f"manifest {manifest} has the AUs {list(offered.au_ids)}, of which the network knows none; it knows "
            f"{list(papers.au_ids)}, give frames with some of them"
        )
    frames = read_manifest(manifest, common) if common != offered.au_ids else offered
    chosen = tuple(frame for frame in frames.frames if fold is None or frame.fold == fold)
    if not chosen:
        raise ManifestError(
            f"manifest {manifest} has no frame of fold {fold}, which the checkpoint left out; give the manifest that "
            "it was trained with, or --fold all for other faces"
        )
    return replace(frames, frames=chosen)


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / SCORES_FILE).unlink(missing_ok=True)  # The old scores are not those of the new answers.
    except OSError as error:
        raise InputError(f"cannot make the folder {out} ({error.strerror}); choose another") from None
