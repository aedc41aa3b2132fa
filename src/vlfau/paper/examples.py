"""Figure 5: choice of faces, and predictions compared with the labels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vlfau.evaluation.au_metrics import Threshold
from vlfau.evaluation.predictions import Predictions
from vlfau.facs import ActionUnit, action_unit
from vlfau.language import Descriptions, parse_global, parse_local
from vlfau.paper.run_files import Faces, read_faces, read_predictions
from vlfau.paper.runs import FULL_VARIANT, Run, Runs

__all__ = ["CHOICE", "Example", "ExampleAU", "ExampleSet", "Examples", "choose_examples", "find_examples"]

CHOICE: Final = (
    "The faces are chosen by a rule: for every gender the face with the fewest wrong AUs and, among these, the most "
    "active AUs; then the first face with two wrong AUs, or the number closest to two."
)
SHOWN_AUS: Final = 4
BAD_CASE_ERRORS: Final = 2


@dataclass(frozen=True, eq=False)
class ExampleAU:
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
        aus: One result per AU.
        words: Global caption; None without global language.
        words_right: Whether the caption names exactly the active AUs; None if a label is unknown.
    """

    image: str
    face: NDArray[np.uint8]
    aus: tuple[ExampleAU, ...]
    words: str | None
    words_right: bool | None

    @property
    def shown(self) -> tuple[ExampleAU, ...]:
        """The AUs to show, in their usual order: wrong ones are chosen first, then the most probable ones."""
        ranked = sorted(self.aus, key=lambda au: (au.right is not False, -au.probability))
        return tuple(au for au in self.aus if au in ranked[:SHOWN_AUS])


@dataclass(frozen=True, eq=False)
class ExampleSet:
    """The faces of one run."""

    run: Run
    title: str
    examples: tuple[Example, ...]


class Examples(NamedTuple):
    """What figure 5 shows.

    Attributes:
        sets: The chosen faces, by run.
        notes: Notes on omitted runs.
    """

    sets: tuple[ExampleSet, ...]
    notes: tuple[str, ...]


def find_examples(runs: Runs) -> Examples:
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
    return Examples(tuple(found), tuple(notes))


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
        aus = tuple(_example_au(predictions, frame, column, threshold) for column in range(len(predictions.au_ids)))
        words = predictions.global_captions[frame] if predictions.global_captions is not None else None
        yield Example(
            predictions.images[frame],
            face,
            aus,
            words,
            _global_right(words, aus, predictions.descriptions),
        )


def _example_au(predictions: Predictions, frame: int, column: int, threshold: Threshold) -> ExampleAU:
    occurrence = int(predictions.occurrence[frame, column])
    true = None if occurrence < 0 else occurrence == 1
    words = predictions.local_captions[frame][column] if predictions.local_captions is not None else None
    probability = float(predictions.au_probs[frame, column])
    return ExampleAU(
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


def _global_right(words: str | None, aus: Sequence[ExampleAU], descriptions: Descriptions | None) -> bool | None:
    if words is None or any(au.true is None for au in aus):
        return None
    parsed = parse_global(words, descriptions)
    true = {au.unit.number for au in aus if au.true}
    return parsed.complete and {state.au_id for state in parsed.states} == true
