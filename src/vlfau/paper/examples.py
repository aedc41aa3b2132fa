"""Figure 5: choice of faces, and predictions compared with the labels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.evaluation.au_metrics import Threshold
from vlfau.evaluation.predictions import Predictions
from vlfau.facs import ActionUnit, action_unit
from vlfau.language import Descriptions, parse_global, parse_local
from vlfau.paper.run_files import Faces, read_faces, read_predictions
from vlfau.paper.runs import FULL_VARIANT, Run, Runs

__all__ = ["CHOICE", "AUResult", "Example", "ExampleSet", "choose_examples", "find_examples"]

CHOICE: Final = (
    "The faces are chosen by a rule: for every gender the face with the fewest wrong AUs and, among these, the most "
    "active AUs; then the first face with two wrong AUs, or the number closest to two."
)
SHOWN_AUS: Final = 4
BAD_CASE_ERRORS: Final = 2


@dataclass(frozen=True, eq=False)
class AUResult:
    """The predictions for one AU of one face.

    Attributes:
        unit: The AU.
        probability: Predicted probability.
        predicted: Whether the AU is predicted as active.
        true: Whether the AU is active; None if unknown.
        attention: (H, W) attention map of the AU's branch over the face's crop.
        words: Local caption; None without local language.
        words_right: Whether the caption states the true state; None if either is unknown.
    """

    unit: ActionUnit
    probability: float
    predicted: bool
    true: bool | None
    attention: NDArray[np.float64]
    words: str | None
    words_right: bool | None

    @property
    def right(self) -> bool | None:
        """Whether the prediction is right; None if the label is unknown."""
        return None if self.true is None else self.predicted == self.true


@dataclass(frozen=True, eq=False)
class Example:
    """One face of figure 5.

    Attributes:
        image: Path of the picture in the data set.
        face: (S, S, 3) uint8, RGB, the input of the network.
        au_results: One result per AU.
        words: Global caption; None without global language.
        words_right: Whether the caption names exactly the active AUs; None if a label is unknown.
    """

    image: str
    face: NDArray[np.uint8]
    au_results: tuple[AUResult, ...]
    words: str | None
    words_right: bool | None

    @property
    def shown(self) -> tuple[AUResult, ...]:
        """The AUs to show, in their usual order: wrong ones are chosen first, then the most probable ones."""
        ranked = sorted(self.au_results, key=lambda au_result: (au_result.right is not False, -au_result.probability))
        return tuple(au_result for au_result in self.au_results if au_result in ranked[:SHOWN_AUS])


@dataclass(frozen=True, eq=False)
class ExampleSet:
    """The faces of one run."""

    run: Run
    title: str
    examples: tuple[Example, ...]


def find_examples(runs: Runs) -> tuple[tuple[ExampleSet, ...], tuple[str, ...]]:
    """Choose faces from every cross-validation's first fold or, if there is none, from every ablation's full network.

    Returns:
        The faces, and notes on runs without them.
    """
    sources = [(run.name, run.folds[0]) for run in runs.crossvals] or [
        (f"{ablation.name}, {variant.name}", variant.first_fold)
        for ablation in runs.ablations
        if (variant := ablation.variant(FULL_VARIANT)) is not None
    ]
    found: list[ExampleSet] = []
    notes: list[str] = []
    for title, run in sources:
        predictions, faces = read_predictions(run), read_faces(run)
        if predictions is None or faces is None:
            notes.append(f"Figure 5 is omitted for {run.folder}: it has no predictions or no config.json.")
            continue
        examples = tuple(_examples(predictions.described(), faces, np.array(run.scores.threshold)))
        if examples:
            found.append(ExampleSet(run, title, examples))
        else:
            notes.append(f"Figure 5 is omitted for {run.folder}: its pictures are no longer in {faces.folder}.")
    return tuple(found), tuple(notes)


def choose_examples(predictions: Predictions, threshold: Threshold) -> tuple[int, ...]:
    """Return the indices of the frames to show, by the rule that `CHOICE` describes."""
    active = predictions.au_probs >= threshold
    wrong = ((predictions.occurrence >= 0) & (active != (predictions.occurrence == 1))).sum(1)
    count = (predictions.occurrence == 1).sum(1)
    genders = np.asarray(predictions.genders)
    chosen: list[int] = []
    for gender in ("F", "M") if {"F", "M"} & set(predictions.genders) else ("",):
        candidates = np.flatnonzero(genders == gender)
        if len(candidates):
            chosen.append(int(min(candidates, key=lambda frame: (wrong[frame], -count[frame]))))
    others = [frame for frame in range(len(genders)) if frame not in chosen and wrong[frame] > 0]
    if others:
        chosen.append(min(others, key=lambda frame: abs(int(wrong[frame]) - BAD_CASE_ERRORS)))
    return tuple(chosen)


def _examples(predictions: Predictions, faces: Faces, threshold: Threshold) -> Iterator[Example]:
    for frame in choose_examples(predictions, threshold):
        face = faces.crop(predictions.images[frame])
        if face is None:
            continue
        au_results = tuple(
            _au_result(predictions, frame, column, threshold) for column in range(len(predictions.au_ids))
        )
        words = predictions.global_captions[frame] if predictions.global_captions is not None else None
        yield Example(
            predictions.images[frame],
            face,
            au_results,
            words,
            _global_right(words, au_results, predictions.descriptions),
        )


def _au_result(predictions: Predictions, frame: int, column: int, threshold: Threshold) -> AUResult:
    occurrence = int(predictions.occurrence[frame, column])
    true = None if occurrence < 0 else occurrence == 1
    words = predictions.local_captions[frame][column] if predictions.local_captions is not None else None
    probability = float(predictions.au_probs[frame, column])
    return AUResult(
        unit=action_unit(predictions.au_ids[column]),
        probability=probability,
        predicted=probability >= float(np.broadcast_to(threshold, len(predictions.au_ids))[column]),
        true=true,
        attention=predictions.attention_maps[frame, column].astype(np.float64),
        words=words,
        words_right=_local_right(words, predictions.au_ids[column], true, predictions.descriptions),
    )


def _local_right(words: str | None, au_id: int, true: bool | None, descriptions: Descriptions | None) -> bool | None:
    if words is None or true is None:
        return None
    state = parse_local(words, descriptions).state
    return state is not None and state.au_id == au_id and state.active == true


def _global_right(words: str | None, au_results: Sequence[AUResult], descriptions: Descriptions | None) -> bool | None:
    if words is None or any(au_result.true is None for au_result in au_results):
        return None
    parsed = parse_global(words, descriptions)
    true = {au_result.unit.number for au_result in au_results if au_result.true}
    return parsed.complete and {state.au_id for state in parsed.states} == true
