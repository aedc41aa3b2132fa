from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.language.states import any_face
from vlfau.errors import DescriptionError
from vlfau.facs import DEFAULT_AU_IDS, AUState, Side, action_unit, all_au_ids
from vlfau.language import Gender, face_note, parse_note
from vlfau.language.face_notes import note_wording


def acting(au_id, intensity=None, side=None):
    return AUState(au_id, True, intensity, side if action_unit(au_id).sided else None)


@given(any_face, st.sampled_from([*Gender, None]))
@settings(deadline=None, max_examples=300)
def test_a_note_says_the_states_and_nothing_else(states, gender):
    read = parse_note(face_note(states, gender))
    active = {state.au_id: state for state in states if state.active}
    assert read.complete
    assert read.gender is gender
    assert all(active[state.au_id] == state for state in read.states)
    assert len(read.states) + read.more == len(active)
    assert (read.no_action, read.trace) == (not active, not active and any(state.trace for state in states))


@given(any_face)
@settings(deadline=None, max_examples=200)
def test_a_note_has_at_most_60_words_and_leaves_out_only_the_weakest(states):
    text = face_note(states)
    assert len(text.split()) <= 60
    named = [state.intensity or 6 for state in parse_note(text).states]
    counts = Counter(state.intensity or 6 for state in states if state.active)
    left_out = counts - Counter(named)
    assert not left_out or max(left_out) <= min(named)


def test_the_movements_of_most_faces_are_all_named():
    for count in range(1, 9):
        states = [acting(au_id, 1 + au_id % 5, Side.BOTH) for au_id in DEFAULT_AU_IDS[:: 18 // count][:count]]
        assert parse_note(face_note(states)).more == 0


@pytest.mark.parametrize(
    ("states", "text"),
    [
        (
            [acting(6, 3, Side.BOTH), acting(12, 3, Side.BOTH)],
            "markedly raises the cheeks and lip corners on both sides",
        ),
        ([acting(1, 2), acting(2, 4)], "strongly raises the outer brows and slightly raises the inner brows"),
        ([acting(1, 4), acting(2, 4), acting(5, 4)], "strongly raises the inner and outer brows and the upper lids"),
        (
            [acting(6, 2, Side.BOTH), acting(12, 4, Side.BOTH), acting(25, 4)],
            "strongly raises the lip corners and parts the lips, and slightly raises the cheeks, on both sides",
        ),
        (
            [acting(6, 2, Side.LEFT), acting(12, 4, Side.LEFT)],
            "strongly raises the left lip corner and slightly raises the left cheek",
        ),
        ([acting(1, 2, Side.RIGHT), acting(2, 2, Side.RIGHT)], "slightly raises the right inner and outer brow"),
        ([acting(12, 2, Side.LEFT), acting(14, 2, Side.RIGHT)], None),
        ([acting(43, 2, Side.BOTH), acting(25, 2)], "slightly closes the eyes on both sides and parts the lips"),
        ([acting(12, 2, Side.LEFT)], "slightly raises the left lip corner"),
        (
            [acting(6, 3, Side.BOTH), acting(10, 3, Side.RIGHT), acting(17, 3)],
            "markedly raises the cheeks on both sides and the right upper lip and the chin",
        ),
        ([acting(23, 2), acting(24, 2)], "slightly tightens the lips and presses them together"),
        ([acting(1), acting(4)], "raises the inner brows and draws the brows together"),
        ([acting(4)], "lowers the brows"),
        ([], "shows no coded facial action"),
        ([AUState(1, False, trace=True)], "shows at most a trace of any coded facial action"),
    ],
)
def test_notes_read_like_this(states, text):
    expected = text or "slightly raises the left lip corner and tucks the right lip corner in"
    assert face_note(states) == f"This person {expected}."


def test_many_movements_make_sentences_that_begin_with_a_new_degree_where_one_is_near():
    states = [acting(25, 5), acting(26, 4), acting(1, 3), acting(17, 2)]
    assert face_note(states, Gender.WOMAN) == (
        "This woman maximally parts the lips, strongly drops the jaw, markedly raises the inner brows and slightly "
        "raises the chin."
    )
    states += [acting(6, 1, Side.BOTH), acting(7, 1, Side.BOTH), acting(24, 1)]
    assert face_note(states) == (
        "This person maximally parts the lips, strongly drops the jaw, markedly raises the inner brows and slightly "
        "raises the chin. The face also minimally tightens the lids, raises the cheeks on both sides and presses "
        "the lips together."
    )


@given(any_face)
@settings(deadline=None, max_examples=200)
def test_no_sentence_names_more_than_six_movements(states):
    for sentence in face_note(states).split(". "):
        assert len(parse_note(f"{sentence.rstrip('.')}.").states) <= 6


def test_an_au_given_twice_is_refused():
    with pytest.raises(DescriptionError, match="given twice"):
        face_note([acting(12, 2), acting(12, 3)])


def test_every_au_has_its_own_phrase():
    phrases = [(each.phrase, each.many) for each in note_wording().movements.values()]
    assert len(set(phrases)) == len(all_au_ids())


@pytest.mark.parametrize(
    ("text", "unparsed"),
    [
        ("This person parts the banana.", ("the banana",)),
        ("This person presses the lips.", ("the lips",)),
        ("Dogs bark.", ("dogs bark",)),
        ("", ()),
    ],
)
def test_what_is_no_note_is_not_read(text, unparsed):
    read = parse_note(text)
    assert read.unparsed == unparsed
    assert not read.states
    assert not read.complete


def test_a_note_that_disagrees_with_itself_is_no_answer():
    for text in (
        "This person parts the lips. The face also slightly parts the lips.",
        "This person parts the lips on the left side.",
        "This person shows no coded facial action. The face also parts the lips.",
    ):
        assert not parse_note(text).complete
