from types import SimpleNamespace

import numpy as np
import pytest

from vlfau.evaluation.flips import Ladder, draw_ladders, fit_responses, flip_scores, letters_to_flip
from vlfau.inference.counterfactual import Response


def ladder(*scores, person=0, au_id=12, slope=1.0):
    return Ladder(person, au_id, np.array(scores, float), np.full(6, slope))


@pytest.mark.parametrize(
    ("scores", "letter", "change"),
    [
        ((-2, -1, 1, 2, 3, 4), 0, 1.5),
        ((-2, -1, 1, 2, 3, 4), 5, -3.5),
        ((-2, -1, -1, -1, -1, -1), 3, None),
        ((1, 1, 1, 1, 1, 1), 5, None),
        ((1, -1, -1, -1, -1, 1), 2, 2.5),  # Only a stronger AU counts for an inactive one.
        ((1, -1, -1, -1, -1, 1), 0, None),
    ],
)
def test_the_flip_is_where_the_score_crosses_the_threshold_in_the_right_direction(scores, letter, change):
    assert letters_to_flip(np.array(scores, float), letter) == (None if change is None else pytest.approx(change))


def test_a_score_that_rises_evenly_is_fitted_exactly():
    rises = [ladder(*(2 * np.arange(6) - start), person=person) for person, start in enumerate((3.0, 4.0, 5.0, 6.0))]
    response = fit_responses(rises)[12]
    assert response.letters(-3.0, state=False) == pytest.approx(1.5, abs=0.15)
    assert response.letters(4.0, state=True) == pytest.approx(-2.0, abs=0.15)
    score = flip_scores((each, response) for each in rises)
    assert (score.flips, score.num_flips, score.all, score.num_all) == (1.0, 24, 1.0, 24)


def test_the_slope_tells_faces_apart_whose_scores_rise_fast_and_slowly():
    rises = [
        ladder(*(gain * (np.arange(6) - start)), person=person, slope=gain / 2)
        for gain in (0.5, 4.0)
        for person, start in enumerate((1.5, 2.0, 2.5, 3.0))
    ]
    told = flip_scores((each, fit_responses(rises)[12]) for each in rises)
    flat = [ladder(*each.scores, person=each.person) for each in rises]
    guessed = flip_scores((each, fit_responses(flat)[12]) for each in flat)
    assert told.flips > guessed.flips + 0.1
    assert fit_responses(rises)[12].uses_slope


def test_an_au_of_few_flips_leans_on_the_others():
    rises = [ladder(*(2 * np.arange(6) - start), person=person) for person, start in enumerate((3.0, 4.0, 5.0, 6.0))]
    fitted = fit_responses([*rises, ladder(-9, -7, -5, -3, -1, 1, au_id=4), ladder(*[-9.0] * 6, au_id=1)])
    assert fitted.keys() == {12, 4}
    assert fitted[4].letters(4.0, state=True) == pytest.approx(fitted[12].letters(4.0, state=True), abs=0.3)


def test_a_wrong_response_is_found_out_and_no_flips_must_be_foreseen():
    rises = [ladder(*(2 * np.arange(6) - 3.0))]
    far = flip_scores((each, Response(5.0, 0.0, 5.0, 0.0)) for each in rises)
    assert far.flips < 0.5
    never = [ladder(-9, -9, -9, -9, -9, -9)]
    assert flip_scores((each, None) for each in never).all == 1.0
    assert flip_scores((each, Response(0.1, 0.0, 0.1, 0.0)) for each in never).all == pytest.approx(2 / 6)


def test_few_flips_give_no_response():
    assert fit_responses([ladder(-2, -1, 1, 2, 3, 4)]) == {}
    assert fit_responses([]) == {}


def test_a_ladder_is_one_face_with_one_au_at_every_letter(monkeypatch):
    seen = []

    def align(image, faces):
        seen.append(image)
        return image[None]

    def score(crops):
        logits = np.full((len(crops), 1), float(len(seen)))
        logits[1:, 0] += (0.5, 1.25)[: len(crops) - 1]  # Half a unit in a letter of moved skin.
        return SimpleNamespace(vision=SimpleNamespace(au_logits=logits))

    info = SimpleNamespace(thresholds=(0.5,))
    predictor = SimpleNamespace(au_ids=(12,), bundle=SimpleNamespace(info=info), align=align, score_crops=score)
    (found,) = draw_ladders(predictor, 1, seed=5, first=1)
    assert (found.person, found.au_id) == (1, 12)
    assert found.scores.tolist() == [1, 2, 3, 4, 5, 6]
    assert found.slopes.tolist() == [-0.5] * 6  # The AU is active: skin is moved back, and should lower the score.
    steps = [np.abs(image.astype(float) - seen[0]).mean() for image in seen]
    assert all(np.diff(steps) > 0)
