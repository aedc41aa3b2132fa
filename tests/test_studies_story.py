import dataclasses

import pytest
from studies.story import tells_one_story

from tests.inference.made_up import a_face
from vlfau.facs import AUState
from vlfau.language.face_notes import face_note
from vlfau.language.grammar import local_description


def a_told_face(*intensities):
    """A face with these intensities of AU 1, 6 and 12, and the words for them."""
    aus = []
    for au, intensity in zip(a_face().aus, intensities, strict=True):
        new = dataclasses.replace(au, intensity=intensity, state=intensity >= 1, local_caption=None)
        aus.append(dataclasses.replace(new, local_caption=local_description(new.facs_state)))
    return dataclasses.replace(a_face(), aus=tuple(aus), global_caption=face_note([au.facs_state for au in aus]))


@pytest.mark.parametrize("intensities", [(0.0, 0.0, 3.0), (0.6, 0.0, 0.0), (0.0, 0.0, 0.0), (5.0, 0.6, 1.0)])
def test_a_face_whose_words_say_its_numbers_tells_one_story(intensities):
    assert tells_one_story(a_told_face(*intensities))


def test_words_that_say_another_degree_or_another_au_do_not():
    told = a_told_face(0.0, 0.0, 3.0)
    other = face_note([AUState(6, active=True, intensity=3)])
    assert not tells_one_story(dataclasses.replace(told, global_caption=other))
    assert not tells_one_story(dataclasses.replace(told, global_caption=a_told_face(0.0, 0.0, 2.0).global_caption))
    assert not tells_one_story(dataclasses.replace(told, aus=a_told_face(0.0, 0.0, 2.0).aus))
    assert not tells_one_story(dataclasses.replace(a_told_face(0.0, 0.0, 0.0), global_caption=told.global_caption))
