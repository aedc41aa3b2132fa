import time

import numpy as np
import pytest

from vlfau.evaluation.au_metrics import Confusion, f1_draws, f1_intervals


def test_two_people_give_the_three_sets_that_can_be_drawn(make_predictions):
    # "a" is all right (F1 1), "b" all wrong (F1 0); one of each has 2 hits, 1 false alarm and 1 miss.
    probs, truth = [[0.9, 0.9], [0.8, 0.1], [0.1, 0.1], [0.9, 0.1]], [[1, 1], [1, 0], [1, 0], [0, 0]]
    draws = f1_draws(make_predictions(probs, truth, subject_ids=["a", "a", "b", "b"]), 0.5, seed=0)
    values, counts = np.unique(draws[:, 0].round(6), return_counts=True)
    assert values.tolist() == [0, round(2 * 2 / (2 * 2 + 2), 6), 1]
    assert counts[1] == pytest.approx(500, abs=60)
    # The second AU is active in "a" alone: no F1 where only "b" is drawn.
    assert np.isnan(draws[:, 1]).sum() == counts[0]
    macro, per_au = f1_intervals([draws])
    assert macro == (0, 1)
    assert per_au == ((0, 1), (1, 1))


def test_draws_depend_on_the_seed_alone(make_predictions):
    rng = np.random.default_rng(0)
    people = [f"S{index % 5}" for index in range(60)]
    predictions = make_predictions(rng.random((60, 2)), rng.integers(0, 2, (60, 2)), subject_ids=people)
    first = f1_draws(predictions, 0.5, seed=3)
    np.testing.assert_array_equal(first, f1_draws(predictions, 0.5, seed=3))
    assert not np.array_equal(first, f1_draws(predictions, 0.5, seed=4))
    point = Confusion.of(predictions.au_probs, predictions.occurrence, 0.5).f1_per_au
    for (low, high), value in zip(f1_intervals([first]).per_au, point, strict=True):
        assert low < value < high


def test_the_interval_of_a_mean_over_folds_is_of_the_means():
    folds = [np.full((10, 1), 0.2), np.full((10, 1), 0.6)]
    macro, per_au = f1_intervals(folds)
    assert macro == pytest.approx((0.4, 0.4))
    assert per_au[0] == pytest.approx((0.4, 0.4))


def test_one_person_gives_no_interval(make_predictions):
    assert f1_intervals([f1_draws(make_predictions([[0.9, 0.1]] * 4, [[1, 0]] * 4), 0.5, seed=0)]) == (
        None,
        (None, None),
    )


def test_a_thousand_draws_of_many_frames_take_no_time(make_predictions):
    rng = np.random.default_rng(0)
    people = [f"S{index % 41}" for index in range(20_000)]
    predictions = make_predictions(rng.random((20_000, 2)), rng.integers(0, 2, (20_000, 2)), subject_ids=people)
    start = time.perf_counter()
    f1_draws(predictions, 0.5, seed=0)
    assert time.perf_counter() - start < 2
