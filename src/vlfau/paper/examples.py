"""Figure 5: which faces to show, and what the network says of them against the truth."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.evaluation.au_metrics import Threshold
from vlfau.evaluation.predictions import Predictions
from vlfau.facs import ActionUnit, action_unit
from vlfau.language import Descriptions, parse_global, parse_local
from vlfau.paper.runs import FULL_VARIANT, Run, Runs
from vlfau.paper.sources import Faces, read_faces, read_predictions

__all__ = ["CHOICE", "Example", "ExampleSet", "Verdict", "choose_examples", "find_examples"]

CHOICE: Final = (
    "Chosen by rule: for every gender the face with the fewest wrong AUs, of these the one with the most active ones; "
    "then the first face with two wrong AUs, or as near to two as there is."
)
SHOWN_AUS: Final = 4
BAD_CASE_ERRORS: Final = 2


@dataclass(frozen=True, eq=False)
class Verdict:
    """What the network says of one AU of one face.

    Attributes:
        unit: The AU.
        probability: As predicted.
        predicted: Whether the AU counts as active.
        true: Whether it is; None where nobody knows.
        attention: (H, W), where the AU's branch looks, over the face's crop.
        words: The local description; None without local language.
        words_right: Whether the words state the true state; None where either is unknown.
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
        """Whether the prediction is right; None where the truth is unknown."""
        return None if self.true is None else self.predicted == self.true


@dataclass(frozen=True, eq=False)
class Example:
    """One face of figure 5.

    Attributes:
        image: Its path in the data.
        face: (S, S, 3) uint8, RGB, as the network saw it.
        verdicts: One an AU.
        words: The global description; None without global language.
        words_right: Whether it names exactly the active AUs; None where an AU is unknown.
    """

    image: str
    face: NDArray[np.uint8]
    verdicts: tuple[Verdict, ...]
    words: str | None
    words_right: bool | None

    @property
    def shown(self) -> tuple[Verdict, ...]:
        """The AUs worth a look, in their order: the wrong ones first, then the likeliest."""
        ranked = sorted(self.verdicts, key=lambda verdict: (verdict.right is not False, -verdict.probability))
        return tuple(verdict for verdict in self.verdicts if verdict in ranked[:SHOWN_AUS])


@dataclass(frozen=True, eq=False)
class ExampleSet:
    """The faces of one run."""

    run: Run
    title: str
    examples: tuple[Example, ...]


def find_examples(runs: Runs) -> tuple[tuple[ExampleSet, ...], tuple[str, ...]]:
    """Choose faces of every cross-validation's first fold, or of every ablation's full network without one.

    Returns:
        The faces, and notes on what was left out.
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
            notes.append(f"Figure 5 is left out for {run.folder}: it lacks the predictions or config.json.")
            continue
        examples = tuple(_examples(predictions.described(), faces, np.array(run.scores.threshold)))
        if examples:
            found.append(ExampleSet(run, title, examples))
        else:
            notes.append(f"Figure 5 is left out for {run.folder}: its pictures are no longer in {faces.folder}.")
    return tuple(found), tuple(notes)


def choose_examples(predictions: Predictions, threshold: Threshold) -> tuple[int, ...]:
    """Return the indices of the frames to show, by the rule that `CHOICE` puts in words."""
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
        verdicts = tuple(_verdict(predictions, frame, place, threshold) for place in range(len(predictions.au_ids)))
        words = predictions.global_captions[frame] if predictions.global_captions is not None else None
        yield Example(
            predictions.images[frame], face, verdicts, words, _global_right(words, verdicts, predictions.descriptions)
        )


def _verdict(predictions: Predictions, frame: int, place: int, threshold: Threshold) -> Verdict:
    occurrence = int(predictions.occurrence[frame, place])
    true = None if occurrence < 0 else occurrence == 1
    words = predictions.local_captions[frame][place] if predictions.local_captions is not None else None
    probability = float(predictions.au_probs[frame, place])
    return Verdict(
        unit=action_unit(predictions.au_ids[place]),
        probability=probability,
        predicted=probability >= float(np.broadcast_to(threshold, len(predictions.au_ids))[place]),
        true=true,
        attention=predictions.attention_maps[frame, place].astype(np.float64),
        words=words,
        words_right=_local_right(words, predictions.au_ids[place], true, predictions.descriptions),
    )


def _local_right(words: str | None, au_id: int, true: bool | None, descriptions: Descriptions | None) -> bool | None:
    if words is None or true is None:
        return None
    state = parse_local(words, descriptions).state
    return state is not None and state.au_id == au_id and state.active == true


def _global_right(words: str | None, verdicts: Sequence[Verdict], descriptions: Descriptions | None) -> bool | None:
    if words is None or any(verdict.true is None for verdict in verdicts):
        return None
    parsed = parse_global(words, descriptions)
    true = {verdict.unit.number for verdict in verdicts if verdict.true}
    return parsed.complete and {state.au_id for state in parsed.states} == true
