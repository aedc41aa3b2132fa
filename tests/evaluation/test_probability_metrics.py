import numpy as np

from vlfau.evaluation.probability_metrics import average_precision_per_au, ece_per_au, roc_auc_per_au

PROBS = np.array([[0.9, 0.2], [0.8, 0.6], [0.5, 0.1], [0.3, 0.4], [0.7, 0.9]], np.float32)
TRUTH = np.array([[1, 0], [0, 0], [1, 0], [1, 0], [-1, -1]], np.int8)


def test_ranking_measures_are_those_counted_by_hand():
    # Ranked: 0.9 active, 0.8 not, 0.5 active, 0.3 active. One of three pairs is in order.
    np.testing.assert_allclose(roc_auc_per_au(PROBS, TRUTH), [1 / 3, np.nan])
    np.testing.assert_allclose(average_precision_per_au(PROBS, TRUTH), [(1 + 2 / 3 + 3 / 4) / 3, np.nan], rtol=1e-6)


def test_calibration_error_is_the_one_counted_by_hand():
    probs = np.array([[0.91], [0.92], [0.10], [0.50], [0.99]], np.float32)
    truth = np.array([[1], [0], [0], [1], [-1]], np.int8)
    # Bins of 1/15: {0.91, 0.92} with half active, {0.10}, {0.50}; the last frame is unknown.
    expected = (2 * abs(0.915 - 0.5) + abs(0.10 - 0) + abs(0.50 - 1)) / 4
    np.testing.assert_allclose(ece_per_au(probs, truth), [expected], rtol=1e-5)


def test_an_au_that_nobody_annotated_has_no_figure():
    unknown = np.full((5, 2), -1, np.int8)
    for measure in (roc_auc_per_au, average_precision_per_au, ece_per_au):
        assert np.isnan(measure(PROBS, unknown)).all()
