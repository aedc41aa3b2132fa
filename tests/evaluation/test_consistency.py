from dataclasses import replace

import numpy as np
import pytest

from tests.evaluation.made_up import made_up
from tests.language.corrected import write_corrected
from vlfau.evaluation.consistency import consistency, described_degrees, described_states, named_states
from vlfau.facs import AUState
from vlfau.language import Gender, global_description, local_description
from vlfau.language.descriptions import load_descriptions

SMILE, NO_SMILE = (local_description(AUState(12, active)) for active in (True, False))
PARTED, NOT_PARTED = (local_description(AUState(25, active)) for active in (True, False))
GARBLED = "the the smile of of"


def face(*au_ids):
    return global_description([AUState(au_id, True) for au_id in au_ids], Gender.WOMAN)


def test_local_words_are_compared_with_the_predicted_and_the_true_states():
    predictions = made_up(
        (12, 25),
        [[0.9, 0.1], [0.9, 0.2], [0.5, 0.7]],
        occurrence=[[1, 0], [0, 0], [-1, 1]],
        local=[[SMILE, NOT_PARTED], [NO_SMILE, GARBLED], [SMILE, PARTED]],
    )
    shares = consistency(predictions, 0.5)
    assert shares["local_agrees_with_predicted"] == pytest.approx(4 / 6)  # one contradicts, one can't be read
    assert shares["local_agrees_with_true"] == pytest.approx(4 / 5)  # the words were right where the state was not
    assert shares["local_agrees_where_predicted_active"] == pytest.approx(3 / 4)
    assert shares["local_agrees_where_predicted_inactive"] == pytest.approx(1 / 2)
    assert shares["local_agrees_where_truly_active"] == 1
    assert shares["local_agrees_where_truly_inactive"] == pytest.approx(2 / 3)
    assert shares["local_readable"] == pytest.approx(5 / 6)
    assert not any(name.startswith(("global", "consistent")) for name in shares)


def test_at_most_a_trace_counts_as_inactive():
    trace = local_description(AUState(12, False, trace=True))
    whole = global_description([AUState(12, False, trace=True)], Gender.WOMAN)
    assert described_states((12,), [[trace]]).tolist() == [[0]]
    assert named_states((12,), [whole]).tolist() == [[0]]
    predictions = made_up((12,), [[0.9], [0.1]], occurrence=[[0], [0]], local=[[trace], [trace]], whole=[whole, whole])
    shares = consistency(predictions, 0.5)
    assert shares["local_agrees_with_predicted"] == 1 / 2
    assert shares["local_agrees_with_true"] == shares["global_agrees_with_true"] == 1


def test_degrees_are_compared_with_the_predicted_intensities_where_words_name_them():
    slight, marked = (local_description(AUState(12, True, degree)) for degree in (2, 4))
    predictions = made_up((12,), [[0.9], [0.9], [0.9], [0.1]], local=[[slight], [marked], [SMILE], [marked]])
    assert described_degrees((12,), predictions.local_captions)[:, 0].tolist()[:2] == [2, 4]
    assert np.isnan(described_degrees((12, 25), [[SMILE, slight]])).all()  # no degree; another AU
    levels = np.array([[2.9], [2.9], [5], [0]], np.float32)
    shares = consistency(replace(predictions, au_intensities=levels, intensity=levels), 0.5)
    assert shares["local_degree_close_to_predicted"] == 1 / 2  # not told, and not predicted, do not count
    assert "local_degree_close_to_predicted" not in consistency(predictions, 0.5)


def test_a_global_text_agrees_if_it_names_exactly_the_active_aus():
    predictions = made_up(
        (12, 25),
        [[0.9, 0.1], [0.9, 0.9], [0.1, 0.1], [0.1, 0.9]],
        occurrence=[[1, 0], [1, 0], [0, 0], [-1, -1]],
        whole=[face(12), face(12), face(), f"{face(25)} {GARBLED}."],
    )
    shares = consistency(predictions, 0.5)
    assert shares["global_agrees_with_predicted"] == 2 / 4
    assert shares["global_agrees_with_true"] == 3 / 3
    assert shares["global_precision_of_predicted"] == 1
    assert shares["global_recall_of_predicted"] == 2 / 4
    assert shares["global_precision_of_true"] == 1
    assert shares["global_recall_of_true"] == 1
    assert shares["global_readable"] == 3 / 4


def test_an_au_that_is_named_and_not_there_costs_precision():
    shares = consistency(made_up((12, 25), [[0.9, 0.1]], occurrence=[[1, 0]], whole=[face(12, 25)]), 0.5)
    assert shares["global_precision_of_predicted"] == shares["global_precision_of_true"] == 1 / 2
    assert shares["global_agrees_with_predicted"] == shares["global_agrees_with_true"] == 0


def test_an_au_that_is_named_and_was_not_annotated_costs_nothing():
    shares = consistency(made_up((12, 25), [[0.9, 0.1]], occurrence=[[1, -1]], whole=[face(12, 25)]), 0.5)
    assert shares["global_precision_of_true"] == shares["global_agrees_with_true"] == 1


def test_aus_that_the_network_does_not_know_are_passed_over():
    shares = consistency(made_up((12,), [[0.9]], whole=[face(12, 25)]), 0.5)
    assert shares["global_agrees_with_predicted"] == 1
    assert shares["global_agrees_with_true"] is None


def test_consistent_words_are_measured_apart():
    predictions = made_up((12,), [[0.9], [0.1]], local=[[NO_SMILE], [NO_SMILE]], consistent=[[SMILE], [NO_SMILE]])
    shares = consistency(predictions, 0.5)
    assert (shares["local_agrees_with_predicted"], shares["consistent_agrees_with_predicted"]) == (0.5, 1)
    assert shares["consistent_agrees_with_true"] is None


def test_frames_without_words_are_left_out():
    predictions = made_up((12,), [[0.9], [0.9]], local=[[SMILE], [""]], whole=[face(12), ""])
    shares = consistency(predictions, 0.5)
    assert shares["local_agrees_with_predicted"] == shares["global_agrees_with_predicted"] == 1


def test_a_network_without_language_has_no_shares():
    assert consistency(made_up((12,), [[0.9]]), 0.5) == {}


def test_words_about_another_au_describe_nothing():
    assert described_states((12, 25), [[PARTED, PARTED]]).tolist() == [[-1, 1]]


def test_words_that_contradict_themselves_describe_nothing():
    twice = f"{SMILE.split('.')[0]}. {NO_SMILE.split('.')[0]}."
    assert described_states((12,), [[twice]]).tolist() == [[-1]]
    both = f"{face(12).removesuffix('.')} and {face().removeprefix('This woman ')}"
    assert named_states((12, 25), [both, face(12)]).tolist() == [[-1, -1], [1, 0]]


def test_captions_are_read_by_the_texts_that_the_network_learned(tmp_path):
    learned = load_descriptions(write_corrected(tmp_path / "corrected"))
    texts = [local_description(AUState(12, active=active), None, learned) for active in (True, False)]
    faces = [global_description([AUState(12, active=active)], None, None, learned) for active in (True, False)]
    predictions = made_up((12,), [[0.9], [0.1]], local=[[text] for text in texts], whole=faces)
    read = consistency(replace(predictions, descriptions=learned), 0.5)
    assert read["local_agrees_with_predicted"] == read["local_readable"] == 1
    assert read["global_agrees_with_predicted"] == 1
    assert consistency(predictions, 0.5)["local_readable"] < 1
