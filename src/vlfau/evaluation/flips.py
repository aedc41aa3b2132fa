"""At which intensity a model changes its answer about an AU, and how well one score tells how far away that is.

Ladders are true counterfactuals: one drawn face, with whatever else it shows, and one AU at every letter of intensity.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.faces import FaceFinder
from vlfau.facs import INTENSITY_LETTERS
from vlfau.inference.au_scores import logit
from vlfau.inference.counterfactual import Response
from vlfau.inference.predictor import Predictor
from vlfau.synthetic.clips import Clip, shoot_one
from vlfau.synthetic.components import components
from vlfau.synthetic.pairs import at_intensity, can_switch
from vlfau.synthetic.presets import preset
from vlfau.synthetic.renderer import Renderer
from vlfau.synthetic.sampler import sampler
from vlfau.synthetic.subject import Subject

__all__ = ["FlipScore", "Ladder", "draw_ladders", "fit_response", "flip_scores", "letters_to_flip"]

PRESET: Final = "all-aus"
SIZE: Final = 192
LEAST_CASES: Final = 8
"""Faces on one side of the threshold, below which no response is fitted."""
RIDGE: Final = 0.5
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
    """

    person: int
    au_id: int
    scores: NDArray[np.float64]


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
            scores = []
            for letter in range(STRONGEST + 1):
                image = shoot_one(renderer, subject, clip, at_intensity(resting, au_id, letter), column).image
                if not (faces := finder.find(image)):
                    break
                logits = predictor.score_crops(predictor.align(image, faces)).vision.au_logits[0]
                scores.append(float(logits[column] - limits[column]))
            if len(scores) == STRONGEST + 1:
                yield Ladder(number, au_id, np.array(scores))


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


def fit_response(ladders: Sequence[Ladder]) -> Response | None:
    """Fit how the letters to the flip follow from the score, by least squares; None if too few faces flip.

    Args:
        ladders: Of one AU.
    """
    cases = np.array(
        [
            (scores[letter], abs(change))
            for scores in (ladder.scores for ladder in ladders)
            for letter in range(len(scores))
            if (change := letters_to_flip(scores, letter)) is not None
        ]
    ).reshape(-1, 2)
    sides = [cases[cases[:, 0] < 0], cases[cases[:, 0] >= 0]]
    if min(map(len, sides)) < LEAST_CASES:
        return None
    below, above = (_fit(np.abs(side[:, 0]), side[:, 1]) for side in sides)
    return Response(*below, *above)


def _fit(distances: NDArray[np.float64], letters: NDArray[np.float64]) -> tuple[float, float]:
    """Return the factors of the distance and of its root, neither below 0."""
    columns = np.stack([distances, np.sqrt(distances)], 1)  # (cases, 2)
    moments, products = columns.T @ columns + RIDGE * np.eye(2), columns.T @ letters
    factors = np.linalg.solve(moments, products)
    if factors.min() < 0:
        best = int(factors.argmax())
        factors = np.eye(2)[best] * products[best] / moments[best, best]
    return float(factors[0]), float(factors[1])


def flip_scores(pairs: Iterable[tuple[Ladder, Response | None]]) -> FlipScore:
    """Compare predicted with true flips, from every letter of every ladder.

    Args:
        pairs: Ladders, each with the response of its AU as fitted to other people; None predicts that nothing flips.
    """
    flips, every = list[bool](), list[bool]()
    for ladder, response in pairs:
        for letter, score in enumerate(ladder.scores):
            predicted = None if response is None else response.letters(float(score), state=score >= 0)
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
