import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.language.states import any_face
from vlfau.facs import action_unit, all_au_ids
from vlfau.language import Gender, Vocabulary, global_description
from vlfau.language.constrained_decoding import CaptionConstraint, allowed_global_slots
from vlfau.language.parser import parse_global

words = st.lists(st.integers(0, 3), min_size=1, max_size=3)
"""Few words, so that one filling often begins another, and slots begin with what a filling could continue with."""
slots = st.lists(st.lists(words, min_size=1, max_size=4), min_size=1, max_size=4)


@given(slots, st.lists(st.integers(0, 3), max_size=6))
def test_what_follows_a_beginning_is_what_follows_it_in_any_of_the_texts(slots, beginning):
    texts = [list(itertools.chain(*fillings)) for fillings in itertools.product(*slots)]
    expected = {
        text[len(beginning)] for text in texts if len(text) > len(beginning) and text[: len(beginning)] == beginning
    }
    constraint = CaptionConstraint(slots)
    assert constraint.allowed_tokens(tuple(beginning)) == expected
    assert constraint.max_length == max(map(len, texts))


@given(any_face, st.sampled_from([*Gender, None]), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_any_filling_of_the_allowed_slots_says_that_just_these_aus_act(states, gender, random):
    active = {state.au_id for state in states if state.active}
    text = " ".join(random.choice(texts) for texts in allowed_global_slots(active, [gender]))
    parsed = parse_global(text)
    assert {state.au_id for state in parsed.states} == active
    assert all(state.active and state.intensity for state in parsed.states)
    assert parsed.gender is gender
    assert not parsed.unparsed


@given(any_face, st.sampled_from([*Gender, None]))
@settings(deadline=None, max_examples=60)
def test_the_allowed_slots_hold_what_the_grammar_says_where_degree_and_side_are_known(states, gender):
    known = [
        state
        for state in states
        if not state.active or (state.intensity and (state.side or not action_unit(state.au_id).sided))
    ]
    vocabulary = Vocabulary.for_aus(all_au_ids())
    constraint = CaptionConstraint(
        [
            [vocabulary.encode_words(text) for text in texts]
            for texts in allowed_global_slots({state.au_id for state in known if state.active}, [*Gender, None])
        ]
    )
    token_ids = vocabulary.encode_words(global_description(known, gender))
    for position, token_id in enumerate(token_ids):
        assert token_id in constraint.allowed_tokens(tuple(token_ids[:position]))
