import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.language.states import any_face, states_of
from vlfau.facs import AUState, Side, all_au_ids
from vlfau.language import Gender, global_description, local_description, parse_global, parse_local
from vlfau.language.grammar import active_states, local_descriptions

SMILE = local_description(AUState(12, active=True, intensity=3, side=Side.LEFT))
NO_SMILE = local_description(AUState(12, active=False))
AT_MOST_A_TRACE = local_description(AUState(12, active=False, trace=True))


def sentence(text: str, index: int) -> str:
    return text.split(".")[index].strip() + "."


@pytest.mark.parametrize("au_id", all_au_ids())
def test_every_local_text_is_read_back_exactly(au_id: int) -> None:
    for state in states_of(au_id):
        for text in local_descriptions(state):
            parsed = parse_local(text)
            assert parsed.state == state, text
            assert parsed.complete, text


@given(any_face, st.sampled_from([*Gender, None]), st.integers(0, 999))
def test_every_global_text_is_read_back_exactly(states: list[AUState], gender: Gender | None, seed: int) -> None:
    text = global_description(states, gender, np.random.default_rng(seed))
    parsed = parse_global(text)
    assert parsed.states == active_states(states)
    assert parsed.gender == gender
    assert parsed.no_action == (not parsed.states)
    assert parsed.trace == (not parsed.states and any(state.trace for state in states))
    assert parsed.complete


def test_results_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        parse_local(SMILE).au_id = 1  # type: ignore[misc]


@pytest.mark.parametrize("text", ["", ".", " . , ."])
def test_an_empty_text_says_nothing(text: str) -> None:
    local, whole = parse_local(text), parse_global(text)
    assert (local.state, local.complete, local.contradiction) == (None, False, False)
    assert (whole.states, whole.no_action, whole.complete, whole.contradiction) == ((), False, False, False)


@pytest.mark.parametrize("text", ["Lorem ipsum dolor sit amet.", "the the the the the", "!?", "1 2 3. Often."])
def test_garbage_is_returned_as_unparsed(text: str) -> None:
    local, whole = parse_local(text), parse_global(text)
    assert local.state is None
    assert whole.states == ()
    assert local.unparsed
    assert whole.unparsed


def test_paraphrases_of_one_state_can_blend() -> None:
    state = AUState(12, active=True, intensity=3)
    texts = local_descriptions(state)
    blend = " ".join(sentence(text, index) for index, text in enumerate(texts[:3]))
    assert parse_local(blend).state == state


def test_one_wrong_word_is_forgiven() -> None:
    parsed = parse_local(SMILE.replace("deepen", "banana"))
    assert parsed.state == AUState(12, active=True, intensity=3, side=Side.LEFT)
    assert parsed.complete


def test_a_cut_text_keeps_what_it_states() -> None:
    parsed = parse_local("The lip corner is markedly pulled up on the left side by the zygomaticus major. The naso")
    assert parsed.state == AUState(12, active=True, intensity=3, side=Side.LEFT)
    assert parsed.unparsed == ("the naso",)
    assert not parsed.complete


def test_a_text_that_is_cut_before_it_states_anything_says_nothing() -> None:
    assert parse_local("The lip corner").state is None
    assert parse_local("The lip corner").unparsed == ("the lip corner",)


def test_an_association_alone_states_nothing() -> None:
    parsed = parse_local(f"{sentence(SMILE, 1)} {sentence(SMILE, 2)}")
    assert (parsed.au_id, parsed.active, parsed.contradiction) == (None, None, False)


def test_sentences_on_two_states_contradict() -> None:
    parsed = parse_local(f"{sentence(SMILE, 0)} {sentence(NO_SMILE, 1)}")
    assert parsed.contradiction
    assert parsed.state is None


def test_sentences_on_two_aus_contradict() -> None:
    jaw = local_description(AUState(26, active=True))
    parsed = parse_local(f"{sentence(SMILE, 0)} {sentence(jaw, 1)}")
    assert (parsed.au_id, parsed.state, parsed.contradiction) == (None, None, True)


def test_two_degrees_contradict() -> None:
    parsed = parse_local(SMILE.replace("markedly", "markedly slightly"))
    assert (parsed.au_id, parsed.active, parsed.intensity, parsed.contradiction) == (12, True, None, True)


def test_two_sides_contradict() -> None:
    parsed = parse_local(SMILE.replace("on the left side", "on the left side on both sides"))
    assert (parsed.side, parsed.contradiction) == (None, True)


def test_a_degree_of_an_inactive_au_contradicts() -> None:
    parsed = parse_local(NO_SMILE.replace("are not", "are slightly not"))
    assert (parsed.active, parsed.intensity, parsed.contradiction) == (False, None, True)


def test_a_side_of_an_au_without_sides_contradicts() -> None:
    chin = local_description(AUState(17, active=True)).replace("by the mentalis", "on the left side by the mentalis")
    assert (parse_local(chin).side, parse_local(chin).contradiction) == (None, True)


def test_at_most_a_trace_is_inactive() -> None:
    parsed = parse_local(AT_MOST_A_TRACE)
    assert (parsed.au_id, parsed.active, parsed.trace, parsed.complete) == (12, False, True, True)
    assert parsed.state == AUState(12, active=False, trace=True)


def test_a_text_that_also_says_at_rest_leaves_no_room_for_a_trace() -> None:
    parsed = parse_local(f"{sentence(AT_MOST_A_TRACE, 0)} {sentence(NO_SMILE, 0)}")
    assert (parsed.active, parsed.trace, parsed.contradiction) == (False, False, False)


def test_a_lost_trace_is_never_read_over() -> None:
    for text in local_descriptions(AUState(12, active=False, trace=True)):
        for words in ("by no more than a trace", "barely ", ", if at all", " is a trace at most"):
            if words in text:
                assert parse_local(sentence(text, 0).replace(words, "")).state is None


def test_at_most_a_trace_of_everything_is_no_action() -> None:
    parsed = parse_global("This man shows no more than a trace of the coded facial actions.")
    assert (parsed.no_action, parsed.trace, parsed.complete) == (True, True, True)
    mixed = parse_global(
        "This man shows no more than a trace of the coded facial actions and shows no coded facial action."
    )
    assert (mixed.no_action, mixed.trace) == (True, False)


def test_a_lost_negation_is_never_read_over() -> None:
    parsed = parse_local(sentence(NO_SMILE, 0).replace("not ", ""))
    assert parsed.state is None
    assert parsed.unparsed


def test_an_opposite_is_never_read_over() -> None:
    parsed = parse_local("The inner brow is lowered by the medial part of the frontalis.")
    assert parsed.state is None
    assert parsed.unparsed


def test_a_statement_mixed_from_two_aus_is_unclear() -> None:
    text = "The lip corners are markedly tightened on both sides by the palpebral part of the orbicularis oculi."
    assert parse_local(text).state is None


def test_a_word_that_names_no_brow_leaves_the_brow_open() -> None:
    parsed = parse_global("This woman slightly raises the brow and parts the lips.")
    assert parsed.states == (AUState(25, active=True),)
    assert parsed.unparsed == ("slightly raises the brow",)
    assert not parsed.complete


@pytest.mark.parametrize(
    "phrase",
    [
        "raises the brows",
        "raises the corners",
        "the inner brows",
        "pulls the lip corners",
        "opens",
        "lowers the lid",
    ],
)
def test_a_phrase_without_its_decisive_word_is_unparsed(phrase: str) -> None:
    parsed = parse_global(f"This man parts the lips and {phrase}.")
    assert parsed.states == (AUState(25, active=True),)
    assert parsed.unparsed == (phrase,)


def test_a_phrase_that_ends_too_soon_is_unparsed() -> None:
    parsed = parse_global("This woman parts the lips and strongly raises the upper")
    assert parsed.states == (AUState(25, active=True),)
    assert parsed.unparsed == ("strongly raises the upper",)


def test_a_phrase_without_article_is_read() -> None:
    assert parse_global("This man drops jaw.").states == (AUState(26, active=True),)


def test_an_unknown_subject_is_reported() -> None:
    parsed = parse_global("This women strongly parts the lips.")
    assert parsed.gender is None
    assert parsed.states == (AUState(25, active=True, intensity=4),)
    assert parsed.unparsed == ("this women",)


def test_two_genders_contradict() -> None:
    parsed = parse_global("This woman parts the lips. This man drops the jaw.")
    assert (parsed.gender, parsed.contradiction) == (None, True)
    assert [state.au_id for state in parsed.states] == [25, 26]


def test_an_au_with_two_degrees_contradicts_and_has_none() -> None:
    parsed = parse_global("This man slightly parts the lips and strongly opens the lips.")
    assert parsed.states == (AUState(25, active=True),)
    assert parsed.contradiction


def test_saying_the_same_twice_is_no_contradiction() -> None:
    parsed = parse_global("This man slightly parts the lips. The face also slightly opens the lips.")
    assert parsed.states == (AUState(25, active=True, intensity=2),)
    assert parsed.complete


def test_no_action_beside_an_action_contradicts() -> None:
    parsed = parse_global("This man parts the lips. The face also shows none of the coded facial actions.")
    assert parsed.no_action
    assert parsed.contradiction


def test_the_order_of_phrases_does_not_matter() -> None:
    parsed = parse_global("This man drops the jaw and raises the inner brow on the right side.")
    assert parsed.states == (AUState(1, active=True, side=Side.RIGHT), AUState(26, active=True))


@given(st.text(max_size=80))
def test_no_text_breaks_the_parser(text: str) -> None:
    assert parse_local(text).state is None
    assert not parse_global(text).complete


@given(any_face, st.integers(0, 99), st.data())
def test_a_blend_of_two_local_texts_is_never_read_as_a_third(
    states: list[AUState], seed: int, data: st.DataObject
) -> None:
    if len(states) < 2:
        return
    rng = np.random.default_rng(seed)
    first, second = (local_description(state, rng).split(" ") for state in states[:2])
    blend = first[: data.draw(st.integers(0, len(first)))] + second[data.draw(st.integers(0, len(second))) :]
    assert parse_local(" ".join(blend)).au_id in {None, states[0].au_id, states[1].au_id}
