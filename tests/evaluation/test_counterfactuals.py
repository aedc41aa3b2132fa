from dataclasses import replace

import pytest

from tests.evaluation.made_up import made_up
from vlfau.errors import ManifestError
from vlfau.evaluation.counterfactuals import counterfactuals
from vlfau.facs import AUState
from vlfau.language import global_description, local_description

AUS = (12, 25)
HEADER = "image,partner,subject,fold,au,partner_has_it,intensity\n"


def words(*active):
    """The local captions of a face, and its global one."""
    states = [AUState(au_id, au_id in active) for au_id in AUS]
    return [local_description(state) for state in states], global_description(states)


def answered(images, probs, faces, occurrence=None):
    local, whole = zip(*faces, strict=True)
    return made_up(AUS, probs, images=images, occurrence=occurrence, local=local, whole=whole)


@pytest.fixture
def write_pairs(tmp_path):
    def write(*rows, header=HEADER):
        path = tmp_path / "pairs.csv"
        path.write_text(header + "".join(f"{row}\n" for row in rows), encoding="utf-8")
        return path

    return write


def test_a_pair_that_flips_and_one_that_does_not(write_pairs):
    pairs = write_pairs("a,a2,S1,1,12,1,3.000", "b,b2,S1,1,25,0,2.000")
    predictions = answered(("a", "b"), [[0.1, 0.2], [0.6, 0.7]], [words(), words(12, 25)], occurrence=[[0, 0], [1, 1]])
    partners = answered(("b2", "a2"), [[0.2, 0.8], [0.9, 0.1]], [words(25), words(12)])
    result = counterfactuals(predictions, partners, pairs, 0.5)
    assert result["pairs"] == 2
    assert result["probability_moves_right"] == 0.5
    assert result["probability_change"] == pytest.approx((0.8 - 0.1) / 2)
    assert result["state_flips"] == result["local_words_flip"] == result["global_words_change"] == 0.5
    assert result["others_unchanged"] == 0.5
    assert result["others_local_words_unchanged"] == result["others_global_words_unchanged"] == 0.5
    assert result["others_probability_change"] == pytest.approx((0.1 + 0.4) / 2)
    flips, stays = result["per_au"]["12"], result["per_au"]["25"]
    assert (flips["pairs"], flips["state_flips"], flips["others_unchanged"]) == (1, 1, 1)
    assert (stays["pairs"], stays["state_flips"], stays["others_unchanged"]) == (1, 0, 0)
    assert stays["probability_change"] == pytest.approx(-0.1)


def test_a_pair_counts_as_clean_only_if_nothing_else_changes(write_pairs):
    pairs = write_pairs(*(f"{name},{name}2,S1,1,12,1,3.000" for name in "abcd"))
    probs = [[0.1, 0.20], [0.1, 0.48], [0.1, 0.20], [0.1, 0.20]]
    theirs = [[0.9, 0.24], [0.9, 0.52], [0.2, 0.24], [0.9, 0.30]]
    predictions = made_up(AUS, probs, images=tuple("abcd"), occurrence=[[0, 0]] * 4)
    partners = made_up(AUS, theirs, images=tuple(f"{name}2" for name in "abcd"))
    result = counterfactuals(predictions, partners, pairs, 0.5)
    # "b" changes the state of AU 25, though by .04 alone; "c" does not flip; in "d" AU 25 moves by .1 below 0.5.
    assert result["state_flips"] == result["no_other_changes"] == result["no_other_moves"] == 0.75
    assert result["flips_alone"] == 0.5
    assert result["per_au"]["12"]["flips_alone"] == 0.5
    assert result["others_unchanged"] == 0.75


def test_chance_is_of_frames_of_another_person_in_which_the_au_is_in_the_other_state(write_pairs):
    pairs = write_pairs("a,a2,S1,1,12,1,3.000", "b,b2,S1,1,12,0,3.000", "c,c2,S1,1,25,1,3.000")
    people = {"subject_ids": ("S1", "S1", "S2", "S2")}
    truth = [[0, 0], [1, 0], [1, 0], [0, 0]]
    probs = [[0.1, 0.2], [0.8, 0.2], [0.9, 0.7], [0.4, 0.2]]  # of c, of S2, in which AU 12 acts; d has nothing
    predictions = replace(made_up(AUS, probs, images=tuple("abcd"), occurrence=truth), **people)
    partners = made_up(AUS, [[0.9, 0.2], [0.1, 0.2], [0.9, 0.9]], images=("a2", "b2", "c2"))
    chance = counterfactuals(predictions, partners, pairs, 0.5)["chance"]
    # "a" meets c, "b" meets d; nobody else has AU 25, so "c" meets no one.
    assert chance["pairs"] == 2
    assert chance["state_flips"] == 1
    assert (chance["no_other_changes"], chance["flips_alone"], chance["no_other_moves"]) == (0.5, 0.5, 0.5)
    assert chance["probability_change"] == pytest.approx((0.8 + 0.4) / 2)


def test_a_state_that_flips_the_wrong_way_does_not_count(write_pairs):
    pairs = write_pairs("a,a2,S1,1,12,0,3.000")
    predictions = answered(("a",), [[0.1, 0.2]], [words()], occurrence=[[1, 0]])
    partners = answered(("a2",), [[0.9, 0.2]], [words(12)])
    result = counterfactuals(predictions, partners, pairs, 0.5)
    assert result["state_flips"] == result["local_words_flip"] == result["global_words_change"] == 0
    assert result["probability_moves_right"] == 0
    assert result["others_unchanged"] == 1


def test_words_that_cannot_be_read_have_changed(write_pairs):
    pairs = write_pairs("a,a2,S1,1,12,1,3.000")
    garbled = (["so so"] * 2, "so so")
    predictions = answered(("a",), [[0.1, 0.2]], [garbled], occurrence=[[0, 0]])
    result = counterfactuals(predictions, answered(("a2",), [[0.9, 0.2]], [garbled]), pairs, 0.5)
    assert result["state_flips"] == 1
    assert result["local_words_flip"] == result["global_words_change"] == 0
    assert result["others_local_words_unchanged"] == result["others_global_words_unchanged"] == 0


def test_pairs_without_words_count_for_numbers_alone(write_pairs):
    pairs = write_pairs("a,a2,S1,1,12,1,3.000", "b,b2,S1,1,12,1,3.000")
    silent = (["", ""], "")
    predictions = answered(("a", "b"), [[0.1, 0.2]] * 2, [words(), silent], occurrence=[[0, 0]] * 2)
    partners = answered(("a2", "b2"), [[0.9, 0.2], [0.2, 0.2]], [words(12), silent])
    result = counterfactuals(predictions, partners, pairs, 0.5)
    assert (result["state_flips"], result["local_words_flip"], result["others_local_words_unchanged"]) == (0.5, 1, 1)


def test_rows_that_change_no_label_or_are_not_answered_are_left_out(write_pairs):
    pairs = write_pairs(
        "a,a2,S1,1,12,0,0.400",  # a trace that was no label
        "a,absent,S1,1,12,1,3.000",
        "absent,a2,S1,1,12,1,3.000",
        "a,a2,S1,1,26,1,3.000",
    )
    predictions = answered(("a",), [[0.1, 0.2]], [words()], occurrence=[[0, 0]])
    result = counterfactuals(predictions, answered(("a2",), [[0.1, 0.2]], [words()]), pairs, 0.5)
    assert result["pairs"] == result["per_au"]["12"]["pairs"] == 0
    assert result["state_flips"] is result["others_unchanged"] is result["local_words_flip"] is None


def test_a_network_without_language_or_with_one_au_is_compared_in_numbers(write_pairs):
    pairs = write_pairs("a,a2,S1,1,12,1,3.000")
    result = counterfactuals(
        made_up((12,), [[0.2]], images=("a",)), made_up((12,), [[0.7]], images=("a2",)), pairs, 0.5
    )
    assert result["state_flips"] == 1
    assert {name for name in result if "words" in name or "other" in name} == set()
    assert result["chance"]["pairs"] == 0


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        (HEADER, "a,a2,S1,1,12,yes,3", "line 2: expected two images.* found a, a2, 12, yes"),
        (HEADER, "a,a2,S1,1,twelve,1,3", "line 2: .* found a, a2, twelve, 1"),
        (HEADER, "a", "line 2: expected"),
        ("image,partner\n", "a,a2", "lack the column au, partner_has_it"),
    ],
)
def test_a_wrong_table_is_named_with_its_line(write_pairs, header, row, message):
    path = write_pairs(row, header=header)
    with pytest.raises(ManifestError, match=message) as caught:
        counterfactuals(made_up((12,), [[0.2]]), made_up((12,), [[0.2]]), path, 0.5)
    assert str(path) in str(caught.value)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(ManifestError, match="pairs.csv can't be opened"):
        counterfactuals(made_up((12,), [[0.2]]), made_up((12,), [[0.2]]), tmp_path / "pairs.csv", 0.5)
