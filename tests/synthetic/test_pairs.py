"""What can be switched alone in a face with many AUs."""

import numpy as np
import pytest

from vlfau.synthetic import Expression, Scene
from vlfau.synthetic.expression import min_lips_part
from vlfau.synthetic.pairs import MIN_SEEN, switch_one
from vlfau.synthetic.presets import correlations, preset
from vlfau.synthetic.sampler import sampler

ALL_AUS = preset("all-aus")


def switches(expression, tries=300):
    """Return what is switched of an expression: by AU, whether it was turned on."""
    scene, rng = Scene(Expression.of(expression)), np.random.default_rng(0)
    found = [switch_one(scene, ALL_AUS, rng) for _ in range(tries)]
    return {switch.au_id: switch.turned_on for switch in found}


@pytest.mark.parametrize(
    ("expression", "possible", "impossible"),
    [
        ({}, {18, 28, 43, 45}, {16, 22, 26, 27}),  # the last four would part the lips too
        ({25: 4}, {16, 22, 26, 27}, {24, 28}),
        ({27: 3, 25: 4}, {27}, {25, 26, 28}),
        ({16: 3, 25: 4}, {16}, {25, 24, 28}),
        ({28: 3}, {26, 28}, {18, 23, 24, 25, 27}),
        ({28: 3, 26: 3}, {26}, {28, 25}),  # lips that are let go part before the dropped jaw
        ({43: 4}, {43}, {5, 45}),
        ({45: 4}, {45}, {5, 43}),
        ({18: 3}, {18}, {20, 22, 27, 28}),
    ],
)
def test_an_au_is_switched_only_where_no_other_has_to_change(expression, possible, impossible):
    found = switches(expression)
    assert possible <= found.keys()
    assert not impossible & found.keys()


def test_switched_faces_of_every_au_differ_in_one_au_and_keep_what_must_go_together():
    switched = set()
    for number in range(150):
        for frame in sampler("all-aus").clip(9, number, 2):
            switch = switch_one(Scene(frame), ALL_AUS, np.random.default_rng(number))
            other = switch.scene.expression
            changed = {au_id for au_id in ALL_AUS.drawn_ids if other.intensity(au_id) != frame.intensity(au_id)}
            assert changed == {switch.au_id}
            switched.add(switch.au_id)
            strengths = {au_id: other.intensity(au_id) for au_id in ALL_AUS.drawn_ids}
            assert strengths[25] >= float(min_lips_part(strengths)) - 1e-9
            for pair in correlations(ALL_AUS.drawn_ids).exclusive:
                assert switch.au_id not in pair or min(strengths[au_id] for au_id in pair) < MIN_SEEN
    assert switched == set(ALL_AUS.drawn_ids)
