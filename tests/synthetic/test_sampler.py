"""The rates of protocol lists, in per cent: positives over frames of BP4D and DISFA in the three-fold protocol."""

from dataclasses import replace

import numpy as np
import pytest

from vlfau.facs import action_unit, all_au_ids
from vlfau.synthetic.presets import preset
from vlfau.synthetic.sampler import AUSampler, presence_rates, sampler

BP4D_POSITIVES = {
    1: 31043, 2: 25110, 4: 29755, 6: 67677, 7: 80617, 10: 87271,
    12: 82531, 14: 68376, 15: 24869, 17: 50407, 23: 24288, 24: 22229,
}  # fmt: skip
DISFA_POSITIVES = {1: 6506, 2: 5644, 4: 19933, 6: 10327, 9: 5473, 12: 16851, 25: 36247, 26: 11533}
RATES = {
    "bp4d-like": (1, {au_id: count / 146_847 for au_id, count in BP4D_POSITIVES.items()}),
    "disfa-like": (2, {au_id: count / 130_814 for au_id, count in DISFA_POSITIVES.items()}),
}


@pytest.mark.parametrize("name", RATES)
@pytest.mark.parametrize("seed", [0, 1])
def test_frames_have_the_rates_of_the_data_set_within_two_points(name, seed):
    occurs_at, wanted = RATES[name]
    clips = [sampler(name).clip(seed, number, 6) for number in range(1700)]
    rates = presence_rates(clips, occurs_at)
    assert {au_id: rates[au_id] for au_id in wanted} == pytest.approx(wanted, abs=0.02)


@pytest.fixture(scope="module")
def wide():
    return [frame for number in range(400) for frame in sampler("wide").clip(3, number, 6)]


def test_wide_shows_every_au_often_enough_to_learn(wide):
    rates = presence_rates([wide], 1)
    assert min(rate for au_id, rate in rates.items() if au_id != 43) > 0.08
    assert 0.03 < rates[43] < 0.15


def test_a_dropped_jaw_never_comes_with_closed_or_pressed_lips(wide):
    dropped = [frame for frame in wide if frame.intensity(26) >= 1]
    assert all(frame.intensity(25) >= 1 and frame.intensity(24) < 1 for frame in dropped)


def test_both_sides_act_alone_now_and_then(wide):
    sides = [frame.acting_side(12) for frame in wide if frame.intensity(12) >= 2]
    for side in ("left", "right"):
        assert 0.03 < sides.count(side) / len(sides) < 0.3


def test_the_sides_of_an_au_in_one_piece_are_equal(wide):
    for frame in wide:
        for au_id, intensity in frame.left.items():
            assert action_unit(au_id).sided or intensity == frame.right[au_id]


def test_loose_expressions_tie_fewer_aus_together_than_wide_ones():
    def ties(name):
        frames = [frame for number in range(400) for frame in sampler(name).clip(3, number, 3)]
        present = np.array([[frame.intensity(au_id) >= 1 for au_id in all_au_ids()] for frame in frames])
        return abs(np.corrcoef(present.T) - np.eye(len(all_au_ids()))).mean()

    assert ties("loose") < 0.85 * ties("wide")


def test_what_is_missing_of_a_joint_expression_stays_out_and_leaves_the_other_draws_alone():
    whole = AUSampler(replace(preset("wild"), joint_share=1.0, joint_extra=0.0, blinks=0.0))
    loose = AUSampler(replace(whole.preset, joint_missing=0.5))
    played = absent = 0
    for number in range(100):
        for full, less in zip(whole.clip(1, number, 3), loose.clip(1, number, 3), strict=True):
            acting = {au_id for au_id in all_au_ids() if full.intensity(au_id) >= 2}
            gone = {au_id for au_id in acting if less.intensity(au_id) == 0}
            played, absent = played + len(acting), absent + len(gone)
            for au_id in acting - gone - {25}:  # lips follow the jaw
                assert less.intensity(au_id) == full.intensity(au_id)
    assert 0.35 < absent / played < 0.55


def test_the_same_seed_gives_the_same_clip():
    first, second = (sampler("wide").clip(5, 17, 6) for _ in range(2))
    assert first == second
    assert sampler("wide").clip(6, 17, 6) != first
