import time

import numpy as np
import pytest
import torch
from torchmetrics.classification import MultilabelF1Score

from vlfau.evaluation.au_metrics import Confusion, f1_draws, f1_intervals, icc_per_au, mae_per_au

PROBS = np.array([[0.9, 0.2], [0.8, 0.6], [0.5, 0.1], [0.3, 0.4], [0.7, 0.9]], np.float32)
TRUTH = np.array([[1, 0], [0, 0], [1, 0], [1, 0], [-1, -1]], np.int8)


def test_f1_and_accuracy_are_those_counted_by_hand():
    confusion = Confusion.of(PROBS, TRUTH, 0.5)
    # First AU: 2 hits (0.5 counts as active), 1 false alarm, 1 miss. Second: 1 false alarm, 3 right rests.
    assert confusion.counts.tolist() == [[2, 0], [1, 1], [1, 0], [0, 3]]
    np.testing.assert_allclose(confusion.f1_per_au, [2 * 2 / (2 * 2 + 1 + 1), np.nan])
    np.testing.assert_allclose(confusion.accuracy_per_au, [0.5, 0.75])
    assert confusion.f1_micro == pytest.approx(4 / (4 + 2 + 1))


def test_an_au_that_is_there_but_never_predicted_has_f1_zero():
    assert Confusion.of(PROBS[:1] * 0, TRUTH[:1], 0.5).f1_per_au.tolist()[0] == 0


def test_f1_is_summed_over_all_frames_as_torchmetrics_sums_it():
    rng = np.random.default_rng(0)
    probs, truth = rng.random((200, 3)).astype(np.float32), rng.integers(-1, 2, (200, 3)).astype(np.int8)
    metric = MultilabelF1Score(3, average="none", ignore_index=-1)
    for start in range(0, 200, 37):
        metric.update(torch.from_numpy(probs[start : start + 37]), torch.from_numpy(truth[start : start + 37]).long())
    np.testing.assert_allclose(Confusion.of(probs, truth, 0.5).f1_per_au, metric.compute().numpy(), rtol=1e-6)


def test_counts_by_person_add_up_to_those_of_all():
    confusion = Confusion.by_subject(PROBS, TRUTH, 0.5, ["b", "a", "b", "c", "a"])
    assert confusion.counts.shape == (3, 4, 2)
    assert confusion.counts[1].tolist() == [[2, 0], [0, 0], [0, 0], [0, 2]]  # b: frames 0 and 2
    assert confusion.counts.sum(0).tolist() == Confusion.of(PROBS, TRUTH, 0.5).counts.tolist()


def test_an_au_that_nobody_annotated_has_no_accuracy():
    unknown = np.full((5, 2), -1, np.int8)
    assert np.isnan(Confusion.of(PROBS, unknown, 0.5).accuracy_per_au).all()


def test_intensities_that_agree_up_to_noise_have_the_icc_of_that_noise():
    rng = np.random.default_rng(0)
    truth = rng.normal(2, 1, (20_000, 1))
    rated = truth + rng.normal(0, 0.5, truth.shape)
    # Of the variance of a rating, 1 is the truth's and on average .125 the noise's.
    assert icc_per_au(rated, truth)[0] == pytest.approx(1 / 1.125, abs=0.01)
    assert mae_per_au(rated, truth)[0] == pytest.approx(0.5 * np.sqrt(2 / np.pi), abs=0.01)


def test_a_constant_shift_leaves_the_icc_of_two_fixed_raters_alone():
    truth = np.array([[0.0], [1], [2], [5], [np.nan]])
    rated = truth + 1
    assert icc_per_au(rated, truth)[0] == pytest.approx(1)
    assert mae_per_au(rated, truth)[0] == pytest.approx(1)
    assert np.isnan(icc_per_au(rated[-1:], truth[-1:])[0])


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
