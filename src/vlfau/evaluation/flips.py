"""At which intensity a model changes its answer about an AU, and how well one score tells how far away that is.

Ladders are true counterfactuals: one drawn face, with whatever else it shows, and one AU at every letter of intensity.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.faces import FaceFinder
from vlfau.facs import INTENSITY_LETTERS
from vlfau.inference.au_scores import logit
from vlfau.inference.counterfactual import Response, root_of_ratio, score_slope
from vlfau.inference.predictor import Predictor
from vlfau.measures.measuring import crop_mesh
from vlfau.measures.warping import FaceWarper
from vlfau.synthetic.clips import Clip, shoot_one
from vlfau.synthetic.components import components
from vlfau.synthetic.pairs import at_intensity, can_switch
from vlfau.synthetic.presets import preset
from vlfau.synthetic.renderer import Renderer
from vlfau.synthetic.sampler import sampler
from vlfau.synthetic.subject import Subject

__all__ = ["FlipScore", "Ladder", "draw_ladders", "fit_responses", "flip_scores", "letters_to_flip"]

PRESET: Final = "all-aus"
SIZE: Final = 192
LEAST_CASES: Final = 8
"""Faces on one side of the threshold, below which no response is fitted."""
PULL: Final = np.array([2.0, 2.0, 5.0])
"""Of the factors of an AU towards those of all AUs: how many cases with features of 1 it weighs as much as."""
FIT_STEPS: Final = 500
STRONGEST: Final = len(INTENSITY_LETTERS)
CLOSE: Final = 1.0
"""A flip is predicted if it lies at most this many letters from the predicted one."""


@dataclass(frozen=True)
class Ladder:
    """One face with one AU at rest and at the intensities A to E.

    Attributes:
        person: Number of the drawn person.
        au_id: FACS number.
        scores: (6,), how far the AU's logit is above the model's threshold.
        slopes: (6,), how far it follows the moved skin (`score_slope`).
    """

    person: int
    au_id: int
    scores: NDArray[np.float64]
    slopes: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FlipScore:
    """How often the letters to the flip are predicted to within one.

    Attributes:
        flips: Share, among faces whose answer some other intensity of the AU changes.
        num_flips: Their number.
        all: Share, among all faces; where no intensity flips the answer, the prediction must say so or lie beyond the
            last letter but one.
        num_all: Their number.
    """

    flips: float
    num_flips: int
    all: float
    num_all: int


def draw_ladders(predictor: Predictor, people: int, *, seed: int, first: int = 0) -> Iterator[Ladder]:
    """Draw people with random movements, each AU that can change alone at every intensity, and ask the model.

    Args:
        predictor: The model.
        people: Number of people.
        seed: Random seed of people and movements.
        first: Number of the first person; others are other people.
    """
    renderer, finder = Renderer(SIZE, 2), FaceFinder(max_faces=1)
    chances = components(preset(PRESET).components)
    limits = logit(np.array(predictor.bundle.info.thresholds))
    for number in range(first, first + people):
        subject = Subject.sample(seed, 1, number, gender="FM"[number % 2], chances=chances)  # type: ignore[arg-type]
        expressions = sampler(PRESET).clip(seed, number, len(predictor.au_ids))
        clip = replace(Clip.sample(subject, expressions, chances, seed, 2, number), occluder=None)
        for column, au_id in enumerate(predictor.au_ids):
            resting = at_intensity(clip.scenes[column], au_id, 0.0)
            if not can_switch(au_id, resting.expression):
                continue
            scores, slopes = list[float](), list[float]()
            for letter in range(STRONGEST + 1):
                image = shoot_one(renderer, subject, clip, at_intensity(resting, au_id, letter), column).image
                if not (faces := finder.find(image)):
                    break
                crops = predictor.align(image, faces)
                scores.append(float(predictor.score_crops(crops).vision.au_logits[0, column] - limits[column]))
                mesh = crop_mesh(crops[0])
                warper = FaceWarper(crops[0], mesh.landmarks_xy, mesh.landmarks_z)
                slopes.append(score_slope(predictor, warper, au_id, state=scores[-1] >= 0))
            if len(scores) == STRONGEST + 1:
                yield Ladder(number, au_id, np.array(scores), np.array(slopes))


def letters_to_flip(scores: NDArray[np.float64], letter: int) -> float | None:
    """Return the change of intensity, from a letter, to the nearest flip of the answer; None if there is none.

    Only a stronger AU can make an inactive one active, and only a weaker one an active one inactive.

    >>> letters_to_flip(np.array([-2.0, -1.0, 1.0, 2.0, 3.0, 4.0]), 4)
    -2.5
    """
    positive = scores >= 0
    crossings = [
        step + scores[step] / (scores[step] - scores[step + 1])
        for step in range(len(scores) - 1)
        if positive[step] != positive[step + 1]
    ]
    changes = [at - letter for at in crossings if (at <= letter if positive[letter] else at >= letter)]
    return float(min(changes, key=abs)) if changes else None


def fit_responses(ladders: Sequence[Ladder]) -> Mapping[int, Response]:
    """Fit how the letters to the flip follow from the score and its slope, by least squares.

    The factors of an AU are drawn to those of all AUs, the more the fewer of its faces flip.

    Args:
        ladders: Of any AUs.

    Returns:
        By FACS number, for every AU of which some face flips; empty if too few faces do.
    """
    by_au: dict[int, list[Ladder]] = {}
    for ladder in ladders:
        by_au.setdefault(ladder.au_id, []).append(ladder)
    cases = {au_id: _cases(own) for au_id, own in by_au.items()}
    every = np.concatenate([*cases.values(), np.empty((0, 5))])
    if min(int((every[:, 0] < 0).sum()), int((every[:, 0] >= 0).sum())) < LEAST_CASES:
        return {}
    common = [_fit(side, np.zeros(3), np.full(3, 1e-3)) for side in _sides(every)]
    found = {}
    for au_id, own in cases.items():
        if len(own):
            below, above = (_fit(side, start, PULL) for side, start in zip(_sides(own), common, strict=True))
            found[au_id] = Response(below[0], below[1], above[0], above[1], below[2], above[2])
    return found


def _cases(ladders: Sequence[Ladder]) -> NDArray[np.float64]:
    """Return (cases, 5): the score, the three features of its distance, and the letters to the flip."""
    rows = [
        (score, abs(score), abs(score) ** 0.5, root_of_ratio(float(score), float(slope)), abs(change))
        for ladder in ladders
        for letter, (score, slope) in enumerate(zip(ladder.scores, ladder.slopes, strict=True))
        if (change := letters_to_flip(ladder.scores, letter)) is not None
    ]
    return np.array(rows, float).reshape(-1, 5)


def _sides(cases: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return cases[cases[:, 0] < 0], cases[cases[:, 0] >= 0]


def _fit(cases: NDArray[np.float64], start: NDArray[np.float64], pull: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the factors of the features, (3,), neither below 0, by coordinate descent."""
    features, letters = cases[:, 1:4], cases[:, 4]
    moments, products = features.T @ features + np.diag(pull), features.T @ letters + pull * start
    factors = start.copy()
    for _ in range(FIT_STEPS):
        for place in range(len(factors)):
            rest = products[place] - moments[place] @ factors + moments[place, place] * factors[place]
            factors[place] = max(0.0, rest / moments[place, place])
    return factors


def flip_scores(pairs: Iterable[tuple[Ladder, Response | None]]) -> FlipScore:
    """Compare predicted with true flips, from every letter of every ladder.

    Args:
        pairs: Ladders, each with the response of its AU as fitted to other people; None predicts that nothing flips.
    """
    flips, every = list[bool](), list[bool]()
    for ladder, response in pairs:
        for letter, (score, slope) in enumerate(zip(ladder.scores.tolist(), ladder.slopes.tolist(), strict=True)):
            predicted = None if response is None else response.letters(score, slope, state=score >= 0)
            true = letters_to_flip(ladder.scores, letter)
            if true is None:
                edge = STRONGEST if score < 0 else 0
                every.append(predicted is None or abs(predicted) >= abs(edge - letter) - CLOSE)
            else:
                flips.append(predicted is not None and abs(predicted - true) <= CLOSE)
                every.append(flips[-1])
    return FlipScore(_mean(flips), len(flips), _mean(every), len(every))


def _mean(hits: Sequence[bool]) -> float:
    return float(np.mean(hits)) if hits else float("nan")
