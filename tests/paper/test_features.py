import dataclasses
from collections import Counter

import numpy as np

from tests.paper.built_runs import predictions, write_ablation, write_run
from vlfau.paper.features import choose_frames, choose_subjects, draw_features
from vlfau.paper.runs import find_runs


def test_as_many_women_as_men_are_chosen_and_always_the_same(data):
    given = predictions(dataclasses.replace(data, subjects=20))
    genders = dict(zip(given.subject_ids, given.genders, strict=True))
    chosen = choose_subjects(given)
    assert Counter(genders[subject] for subject in chosen) == {"F": 4, "M": 4}
    assert chosen == choose_subjects(given)


def test_a_lack_of_men_keeps_the_balance(data):
    given = predictions(dataclasses.replace(data, subjects=9), genders="FFM")
    genders = dict(zip(given.subject_ids, given.genders, strict=True))
    assert Counter(genders[subject] for subject in choose_subjects(given)) == {"F": 3, "M": 3}


def test_without_known_genders_any_people_are_chosen(data):
    assert len(set(choose_subjects(predictions(data, genders="")))) == 8


def test_every_person_gives_equally_many_frames_spread_over_theirs(data):
    given = predictions(dataclasses.replace(data, frames=10))
    frames = choose_frames(given, ("S00", "S03"), max_points=2 * 3 * len(given.au_ids))
    assert frames.tolist() == [0, 4, 9, 30, 34, 39]


def test_the_vision_and_the_full_variant_stand_side_by_side(data, tmp_path):
    write_ablation(tmp_path / "ab", dataclasses.replace(data, frames=2), seeds=(1,))
    (drawing,), notes = draw_features(find_runs(tmp_path))
    panels = drawing.figure.axes
    assert [panel.get_title(loc="left") for panel in panels[:2]] == ["(2) + MARL", "(5) VL-FAU"]
    assert [panel.get_ylabel() for panel in panels[::2]] == ["by AU", "by subject", "by gender"]
    by_au = [float(panel.get_title(loc="right").split()[1]) for panel in panels[:2]]
    assert by_au[1] > by_au[0]  # the full variant's features were made to lie further apart
    points = panels[0].collections[0].get_offsets()
    assert len(points) == 8 * 2 * len(data.au_ids)
    assert np.isfinite(points).all()
    assert notes == ()


def test_variants_that_answered_other_frames_are_left_out(data, tmp_path):
    write_ablation(tmp_path / "ab", data, seeds=(1,))
    write_run(tmp_path / "ab" / "variant5-seed1" / "fold1", dataclasses.replace(data, frames=3), level=0.6)
    drawings, notes = draw_features(find_runs(tmp_path))
    assert drawings == ()
    assert "different frames" in notes[0]
