import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.language.states import ALL_STATES, any_face, any_state
from vlfau.errors import DescriptionError
from vlfau.facs import AUState, Side, all_au_ids
from vlfau.language import Gender, global_description, local_description, mirrored
from vlfau.language.constrained_decoding import allowed_local_descriptions
from vlfau.language.descriptions import default_descriptions
from vlfau.language.grammar import global_phrases, local_descriptions, sentence_sizes

FOLLOW_UPS = default_descriptions().wording.follow_ups


def test_a_local_description_names_degree_and_side() -> None:
    text = local_description(AUState(12, active=True, intensity=4, side=Side.LEFT))
    assert text.startswith("The lip corner is strongly pulled up on the left side by the zygomaticus major.")


def test_an_unknown_degree_and_side_leave_no_trace() -> None:
    text = local_description(AUState(12, active=True))
    assert text.startswith("The lip corners are pulled up by the zygomaticus major.")


def test_both_sides_are_spoken_of_in_the_plural() -> None:
    text = local_description(AUState(5, active=True, intensity=1, side=Side.BOTH))
    assert text.startswith("The upper lids are minimally raised on both sides by the levator palpebrae.")


def test_an_inactive_au_is_at_rest() -> None:
    assert "at rest" in local_description(AUState(9, active=False))


def test_an_inactive_au_that_may_show_a_trace_is_never_said_to_be_at_rest() -> None:
    texts = local_descriptions(AUState(9, active=False, trace=True))
    assert texts[0].startswith("The levator alaeque nasi wrinkles the nose by no more than a trace.")
    assert not any("at rest" in text or "relaxed" in text for text in texts)
    assert not set(texts) & set(local_descriptions(AUState(9, active=False)))


def test_a_face_without_active_au_that_may_show_a_trace_says_so() -> None:
    states = [AUState(1, active=False), AUState(9, active=False, trace=True)]
    assert global_description(states) == "This person shows no more than a trace of the coded facial actions."
    assert global_description([*states, AUState(25, active=True)]) == "This person parts the lips."


def test_what_was_decided_to_be_inactive_may_be_at_rest_or_show_a_trace() -> None:
    decided = allowed_local_descriptions(AUState(9, active=False), either=True)
    assert set(decided) == {
        *local_descriptions(AUState(9, active=False)),
        *local_descriptions(AUState(9, active=False, trace=True)),
    }


def test_no_generator_means_the_canonical_text() -> None:
    assert all(local_description(state) == local_descriptions(state)[0] for state in ALL_STATES)


def test_a_seed_fixes_the_choice() -> None:
    state = AUState(6, active=True, intensity=2)
    texts = [local_description(state, np.random.default_rng(3)) for _ in range(2)]
    assert texts[0] == texts[1]


def test_every_paraphrase_is_chosen_at_times() -> None:
    state, rng = AUState(6, active=True, intensity=2), np.random.default_rng(0)
    assert {local_description(state, rng) for _ in range(100)} == set(local_descriptions(state))


def test_a_global_description_lists_the_active_aus_in_catalogue_order() -> None:
    states = [
        AUState(25, active=True),
        AUState(4, active=False),
        AUState(12, active=True, side=Side.LEFT),
        AUState(1, active=True, intensity=2, side=Side.BOTH),
    ]
    assert global_description(states, Gender.WOMAN) == (
        "This woman slightly raises the inner brows on both sides, pulls the lip corner up on the left side "
        "and parts the lips."
    )


@pytest.mark.parametrize(
    ("gender", "subject"), [(Gender.WOMAN, "This woman "), (Gender.MAN, "This man "), (None, "This person ")]
)
def test_the_gender_is_named_where_it_is_known(gender: Gender | None, subject: str) -> None:
    assert global_description([AUState(26, active=True)], gender) == f"{subject}drops the jaw."


def test_a_face_without_active_au_says_so() -> None:
    states = [AUState(au_id, active=False) for au_id in all_au_ids()]
    assert global_description(states) == "This person shows none of the coded facial actions."
    assert global_description([], Gender.MAN) == "This man shows none of the coded facial actions."


def test_five_actions_make_two_sentences_and_the_second_names_no_gender() -> None:
    states = [AUState(au_id, active=True) for au_id in (1, 2, 5, 25, 26)]
    assert global_description(states, Gender.WOMAN) == (
        "This woman raises the inner brows, raises the outer brows and raises the upper lids. "
        "The face also parts the lips and drops the jaw."
    )


@pytest.mark.parametrize("seed", [None, *range(6)])
def test_sentences_that_follow_each_other_open_differently(seed: int | None) -> None:
    states = [AUState(au_id, active=True) for au_id in all_au_ids()]
    rng = None if seed is None else np.random.default_rng(seed)
    _, *later = global_description(states, None, rng).split(". ")
    openings = [next(words for words in FOLLOW_UPS if text.startswith(words)) for text in later]
    assert len(openings) == 5
    assert all(first != second for first, second in itertools.pairwise(openings))


def test_texts_open_their_second_sentence_in_every_way() -> None:
    states = [AUState(au_id, active=True) for au_id in all_au_ids()]
    rng = np.random.default_rng(0)
    texts = [global_description(states, None, rng) for _ in range(40)]
    assert {opening for opening in FOLLOW_UPS if any(text.split(". ")[1].startswith(opening) for text in texts)} == set(
        FOLLOW_UPS
    )


def test_an_au_that_is_given_twice_is_refused() -> None:
    with pytest.raises(DescriptionError, match=r"given twice in \[12, 12\]"):
        global_description([AUState(12, active=True), AUState(12, active=False)])


def test_an_inactive_au_has_no_global_phrase() -> None:
    with pytest.raises(DescriptionError, match="AU12 is inactive"):
        global_phrases(AUState(12, active=False))


@given(st.integers(1, 40))
def test_sentences_hold_at_most_four_phrases_and_differ_by_one(num_phrases: int) -> None:
    sizes = sentence_sizes(num_phrases)
    assert sum(sizes) == num_phrases
    assert max(sizes) <= 4
    assert max(sizes) - min(sizes) <= 1


@given(any_face, st.sampled_from([*Gender, None]), st.integers(0, 99))
def test_global_texts_are_well_formed(states: list[AUState], gender: Gender | None, seed: int) -> None:
    text = global_description(states, gender, np.random.default_rng(seed))
    assert text.endswith(".")
    assert not any(flaw in text for flaw in ("  ", " .", " ,", "{", "}", "|"))
    assert ("woman" in text, " man " in text) == (gender is Gender.WOMAN, gender is Gender.MAN)


@given(any_state)
def test_local_texts_are_well_formed(state: AUState) -> None:
    for text in local_descriptions(state):
        assert not any(flaw in text for flaw in ("  ", " .", " ,", "{", "}", "|"))


def test_a_flip_swaps_left_and_right_only() -> None:
    states = (
        AUState(1, active=True, intensity=3, side=Side.LEFT),
        AUState(2, active=True, side=Side.RIGHT),
        AUState(4, active=True, side=Side.BOTH),
        AUState(5, active=False),
    )
    assert [state.side for state in mirrored(states)] == [Side.RIGHT, Side.LEFT, Side.BOTH, None]
    assert [state.intensity for state in mirrored(states)] == [3, None, None, None]


@given(any_face)
def test_two_flips_change_nothing(states: list[AUState]) -> None:
    assert mirrored(mirrored(states)) == tuple(states)


def test_a_flip_keeps_what_nobody_looked_at() -> None:
    assert mirrored([None, AUState(1, active=False)]) == (None, AUState(1, active=False))
