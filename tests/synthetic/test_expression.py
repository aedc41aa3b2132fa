import numpy as np
import pytest

from vlfau.errors import ConfigError
from vlfau.facs import Side, action_unit, all_au_ids
from vlfau.synthetic.expression import Expression, shape_weights, wrinkle_depths


def test_au_26_completes_au_25_and_says_so():
    expression = Expression.of({26: 4})
    assert expression.intensity(25) == pytest.approx(2.4)
    assert expression.notes == ("AU26 at 4 needs parted lips, so AU25 was raised from 0 to 2.4",)


@pytest.mark.parametrize(("au_id", "parted"), [(16, 2.4), (22, 2.4), (27, 3)])
def test_other_aus_that_open_the_mouth_complete_au_25_too(au_id, parted):
    expression = Expression.of({au_id: 4})
    assert expression.intensity(25) == pytest.approx(parted)
    assert expression.notes == (f"AU{au_id} at 4 needs parted lips, so AU25 was raised from 0 to {parted:g}",)


def test_a_lower_lip_that_is_pulled_down_on_one_side_parts_the_lips_for_its_stronger_side():
    assert Expression.of({16: (1, 4)}).intensity(25) == pytest.approx(2.4)


def test_lips_that_are_sucked_in_stay_together_before_a_dropped_jaw():
    expression = Expression.of({26: 4, 28: 3})
    assert (expression.intensity(25), expression.notes) == (0, ())
    together, apart = shape_weights(expression, {}), shape_weights(Expression.of({28: 3}), {})
    opened = together["unit/jawOpen"] - apart["unit/jawOpen"]
    assert opened > 0.3
    assert together["unit/mouthClose"] - apart["unit/mouthClose"] == pytest.approx(opened)


def test_a_stretched_mouth_starts_where_a_dropped_jaw_ends():
    weights = [shape_weights(Expression.of({27: value}).without(25), {})["unit/jawOpen"] for value in (1, 2, 3, 4, 5)]
    assert weights[0] > shape_weights(Expression.of({26: 5}).without(25), {})["unit/jawOpen"]
    assert np.diff(weights) == pytest.approx((weights[4] - weights[0]) / 4)
    assert shape_weights(Expression.of({27: 0.5}).without(25), {})["unit/jawOpen"] == pytest.approx(weights[0] / 2)


def test_a_blink_closes_the_lids_as_closed_eyes_do():
    for others in ({}, {7: 3}):
        blink, closed = (shape_weights(Expression.of({au_id: 4, **others}), {}) for au_id in (45, 43))
        assert blink == pytest.approx(closed)
        assert blink["unit/eyeBlinkLeft"] > 0.7


def test_parted_lips_are_left_alone_before_a_dropped_jaw():
    expression = Expression.of({25: 4, 26: 4})
    assert (expression.intensity(25), expression.notes) == (4, ())


@pytest.mark.parametrize(
    ("au_intensities", "message"),
    [
        ({3: 1}, "AU 3 is not in the catalogue"),
        ({12: 5.5}, "intensity 5.5 of AU12 is out of range; give 0 to 5"),
        ({12: (1, -1)}, "out of range"),
        ({12: float("nan")}, "out of range"),
        ({17: (1, 2)}, "AU17 has no sides"),
    ],
)
def test_impossible_intensities_are_refused(au_intensities, message):
    with pytest.raises(ConfigError, match=message):
        Expression.of(au_intensities)


def test_a_one_sided_smile_acts_on_its_side():
    expression = Expression.of({12: (3, 0.4)})
    assert (expression.acting_side(12), expression.intensity(12)) == (Side.LEFT, 3)
    assert Expression.of({12: (2, 3)}).acting_side(12) == Side.BOTH
    assert Expression.of({17: 3}).acting_side(17) is None


@pytest.mark.parametrize("au_id", [au_id for au_id in all_au_ids() if action_unit(au_id).sided])
def test_the_left_side_of_an_au_uses_shapes_of_the_left_alone(au_id):
    alone = Expression.of({au_id: (5, 0)}).without(25)  # AU 16 parts the lips, which have no sides
    weights = shape_weights(alone, {})
    assert weights
    assert all("left" in name.lower() for name in weights)


def test_a_gain_makes_one_side_stronger():
    weights = shape_weights(Expression.of({12: 5}), {(12, Side.LEFT): 1.2})
    assert weights["unit/mouthSmileLeft"] == pytest.approx(1.2 * weights["unit/mouthSmileRight"])


def test_wrinkles_follow_their_own_side_and_the_skin():
    smile = Expression.of({9: (5, 0)})
    depths = wrinkle_depths(smile, age=0, gain=1)
    assert depths["nose", Side.LEFT] > 1 > depths["nose", Side.RIGHT] == 0
    assert set(wrinkle_depths(smile, age=0, gain=0).values()) == {0}
    assert wrinkle_depths(Expression.of({}), age=1, gain=0)["nasolabial", Side.LEFT] > 0.4
