import dataclasses

import numpy as np
import pytest

from tests.paper.built_runs import predictions, write_crossval
from vlfau.drawing.heatmap import lay_heat_over
from vlfau.paper.examples import choose_examples, find_examples
from vlfau.paper.runs import find_runs


def test_faces_are_chosen_by_the_rule_that_the_caption_states(data):
    given = predictions(data, error=0.12)
    wrong = ((given.au_probs >= 0.5) != given.occurrence).sum(1)
    woman, man, bad = choose_examples(given, 0.5)
    assert (given.genders[woman], given.genders[man]) == ("F", "M")
    assert (wrong[woman], wrong[man], wrong[bad]) == (0, 0, 2)
    rivals = [frame for frame in range(len(given)) if given.genders[frame] == "F" and wrong[frame] == 0]
    assert given.occurrence[woman].sum() == max(given.occurrence[frame].sum() for frame in rivals)


def test_unknown_labels_count_neither_as_right_nor_as_wrong(data):
    given = predictions(data)
    unknown = dataclasses.replace(given, occurrence=np.full_like(given.occurrence, -1))
    assert len(choose_examples(unknown, 0.5)) == 2


def test_states_and_words_are_judged_against_the_truth(data, tmp_path):
    data.write_pictures()
    write_crossval(tmp_path / "cv", data)
    (shown,), notes = find_examples(find_runs(tmp_path))
    assert notes == ()
    good, _, bad = shown.examples
    assert good.face.shape == (20, 20, 3)
    assert all(au.right and au.words_right for au in good.aus)
    assert good.words_right
    assert not bad.words_right
    mistaken = [au for au in bad.aus if not au.right]
    assert mistaken
    assert set(mistaken) <= set(bad.shown)
    assert not any(au.words_right for au in mistaken)  # these words follow the prediction
    assert len(bad.shown) == 4


def test_the_strongest_attention_is_the_brightest(data):
    attention = np.zeros((7, 7))
    attention[1, 5] = 1
    face = np.full((70, 70, 3), 100, np.uint8)
    laid = lay_heat_over(face, attention).sum(-1)
    row, column = np.unravel_index(laid.argmax(), laid.shape)
    assert (row // 10, column // 10) == (1, 5)
    assert laid[60, 10] == 3 * 80


@pytest.mark.parametrize("value", [0.0, 0.3])
def test_even_attention_colours_nothing(value):
    laid = lay_heat_over(np.full((14, 14, 3), 100, np.uint8), np.full((7, 7), value))
    assert (laid == 80).all()
