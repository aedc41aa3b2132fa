import numpy as np
import pytest

from vlfau.evaluation.faithfulness import faithfulness

SIZE = 60


def bright_corner(crops):
    """A judge that looks at one corner of the face alone."""
    return crops[:, :18, :18].mean((1, 2, 3)) / 255


@pytest.fixture
def crop():
    picture = np.zeros((SIZE, SIZE, 3), np.uint8)
    picture[:18, :18] = 255
    return picture


def judged(crop, attention):
    return faithfulness(bright_corner, crop, attention, np.random.default_rng(0))


def test_a_map_of_what_the_judge_looks_at_is_faithful(crop):
    attention = np.zeros((10, 10), np.float32)
    attention[:3, :3] = 1
    found = judged(crop, attention)
    assert found.drop > 3 * max(found.drop_elsewhere, 0.01)
    assert found.insertion > found.deletion


@pytest.mark.parametrize("attention", [np.ones((10, 10)), np.eye(10)[::-1]])
def test_a_flat_map_and_one_that_points_elsewhere_are_not(crop, attention):
    found = judged(crop, attention.astype(np.float32))
    assert found.drop < 3 * max(found.drop_elsewhere, 0.01)


def test_a_judge_that_ignores_the_picture_changes_nothing(crop):
    found = faithfulness(lambda crops: np.full(len(crops), 0.7), crop, np.ones((4, 4)), np.random.default_rng(0))
    assert (found.drop, found.drop_elsewhere) == pytest.approx((0, 0))
    assert (found.deletion, found.insertion) == pytest.approx((0.7, 0.7))
