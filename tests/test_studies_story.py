from types import SimpleNamespace

import pytest
from studies.story import tells_one_story

from vlfau.facs import AUState, Side
from vlfau.language import face_note
from vlfau.language.grammar import local_descriptions

SMILE, REST = AUState(12, True, 3, Side.LEFT), AUState(4, active=False)
TRACE = AUState(4, active=False, trace=True)


def face(*states, said=None, note=None):
    """A face whose captions say its states, or others."""
    aus = [
        SimpleNamespace(au_id=state.au_id, facs_state=state, local_caption=local_descriptions(other)[0])
        for state, other in zip(states, said or states, strict=True)
    ]
    return SimpleNamespace(aus=aus, global_caption=face_note(note or states))


@pytest.mark.parametrize("states", [(SMILE, REST), (SMILE, TRACE), (REST,), (TRACE,)], ids=str)
def test_captions_that_say_the_states_tell_one_story(states):
    assert tells_one_story(face(*states))


@pytest.mark.parametrize(
    "other", [AUState(12, True, 2, Side.LEFT), AUState(12, True, 3, Side.RIGHT), AUState(12, active=False)], ids=str
)
def test_another_degree_side_or_state_is_another_story(other):
    assert not tells_one_story(face(SMILE, REST, said=(other, REST)))
    assert not tells_one_story(face(SMILE, REST, note=(other, REST)))


def test_a_trace_told_as_rest_is_another_story():
    assert not tells_one_story(face(TRACE, note=(REST,)))
    assert not tells_one_story(face(TRACE, said=(REST,)))
