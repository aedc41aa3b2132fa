"""What makes a text true, as far as a test can tell; `descriptions/README.md` has the whole list."""

import re

import pytest

from vlfau.facs import action_unit, all_au_ids
from vlfau.language.descriptions import default_descriptions
from vlfau.language.tokenizer import tokenize

UNITS = default_descriptions().units

FEELINGS = """
    anger angry annoyance anxiety attitude awe boredom calm concentration confusion contempt contemptuous cry
    crying delight desire determination disgust disgusted distress doubt doubtful effort embarrassment emotion
    excitement fear fearful feeling felt frown frowning glad glare grief grieve grimace grin happiness happy
    hate held irritation joy joyful laugh laughter love mood pain panic pleasure polite politeness pout
    pouting pride rage relief sad sadness scorn scowl shame shock shrug sigh smile smiling smirk sneer sorrow
    squint stare stress sulk surprise surprised suspicion tears thinking threat upset weep wince worried worry
"""
"""Feelings, attitudes, and names of expressions that claim more than an AU."""

MUSCLES = {
    r"medial (part of the )?frontalis": "frontalis, pars medialis",
    r"lateral (part of the )?frontalis": "frontalis, pars lateralis",
    "corrugator": "corrugator supercilii",
    "depressor supercilii": "depressor supercilii",
    "procerus": "procerus",
    "levator palpebrae|its levator": "levator palpebrae superioris",
    "superior tarsal muscle": "superior tarsal muscle",
    "orbital (part of the )?orbicularis oculi|outer ring of the orbicularis oculi": "orbicularis oculi, pars orbitalis",
    "palpebral (part of the )?orbicularis oculi|inner ring of the orbicularis oculi": (
        "orbicularis oculi, pars palpebralis"
    ),
    "levator (labii superioris )?alaeque nasi": "levator labii superioris alaeque nasi",
    "levator labii superioris(?! alaeque)": "levator labii superioris, caput infraorbitalis",
    "zygomaticus major": "zygomaticus major",
    "zygomaticus minor": "zygomaticus minor",
    "levator anguli oris": "levator anguli oris",
    "buccinator": "buccinator",
    "depressor anguli oris": "depressor anguli oris",
    "depressor labii inferioris": "depressor labii inferioris",
    "mentalis": "mentalis",
    "incisivii": "incisivii labii superioris",
    "risorius": "risorius",
    "platysma": "platysma",
    "orbicularis oris": "orbicularis oris",
    "masseter": "masseter",
    "temporalis": "temporalis",
    "pterygoid": "pterygoid",
    "digastric": "digastric",
}
"""How texts name the muscles of the catalogue."""

AT_REST = re.compile(r"(?:is|are) (?:at rest|relaxed|slack)|rests\b|keeps? (?:its|their)")

EVERY_AU = pytest.mark.parametrize("au_id", all_au_ids())


def named_in(text: str) -> set[str]:
    return {muscle for pattern, muscle in MUSCLES.items() if re.search(pattern, text.lower())}


def makers(au_id: int, *, relaxed: bool) -> set[str]:
    """The muscles that move for an AU; with `relaxed` also those that let go for it."""
    entries = [muscle for muscle in action_unit(au_id).muscles if relaxed or not muscle.startswith("relaxation")]
    return {muscle for muscle in MUSCLES.values() if any(muscle in entry for entry in entries)}


def inactive_and_trace(au_id: int) -> list[str]:
    return [template.source for template in (*UNITS[au_id].inactive, *UNITS[au_id].trace)]


def every_text(au_id: int) -> list[str]:
    return [template.source for template in (*UNITS[au_id].locals, *UNITS[au_id].phrases)]


@EVERY_AU
def test_no_text_holds_a_word_of_feeling_or_attitude(au_id: int) -> None:
    assert [text for text in every_text(au_id) if set(tokenize(FEELINGS)) & set(tokenize(text))] == []


@EVERY_AU
def test_a_text_names_its_own_muscles_and_no_others(au_id: int) -> None:
    for text in every_text(au_id):
        assert named_in(text) <= makers(au_id, relaxed=True), text


@EVERY_AU
def test_an_inactive_text_says_at_once_which_muscle_does_not_act(au_id: int) -> None:
    for template in UNITS[au_id].inactive:
        assert named_in(template.source.split(".")[0]), template.source


@EVERY_AU
def test_an_inactive_text_puts_no_muscle_to_rest_that_another_au_uses(au_id: int) -> None:
    others = set().union(*(makers(other, relaxed=True) for other in all_au_ids() if other != au_id))
    if au_id == 17:
        others -= {"mentalis"}  # AU 25 lets it rest.
    for text in inactive_and_trace(au_id):
        for sentence in text.split("."):
            if AT_REST.search(sentence):
                assert not named_in(sentence) & others, text


@EVERY_AU
def test_an_inactive_text_never_denies_what_another_au_can_do(au_id: int) -> None:
    """A sign is not absent, and a movement not missing: this muscle does not make it."""
    absent = re.compile(r"\bThere (is|are) no\b|\b(No|no) [a-z ]*\bshows?\b|\b(is|are) (smooth|straight|flat|level)\b")
    assert [text for text in inactive_and_trace(au_id) if absent.search(text)] == []


@EVERY_AU
def test_signs_that_a_trace_may_not_show_are_possible_and_not_certain(au_id: int) -> None:
    for template in UNITS[au_id].active:
        assert {"may", "can"} & set(tokenize(template.source.split(".")[1])), template.source


@EVERY_AU
def test_a_trace_text_is_true_of_a_trace_and_of_none(au_id: int) -> None:
    for template in UNITS[au_id].trace:
        first = template.source.split(".")[0]
        assert re.search(r"no more than a trace|a trace at most|barely .*, if at all", first), template.source
        assert not AT_REST.search(template.source)


@EVERY_AU
def test_associations_are_tendencies(au_id: int) -> None:
    for template in UNITS[au_id].locals:
        last = set(tokenize(template.source.split(".")[2]))
        assert {"often", "can", "may", "cannot", "unlike"} & last, template.source


def test_au_10_leaves_the_zygomaticus_minor_to_au_11() -> None:
    assert not any("minor" in text for text in every_text(10))


@pytest.mark.parametrize(("au_id", "other"), [(43, "blink"), (45, "closed eyes"), (26, "stretch"), (27, "drop")])
def test_aus_that_look_alike_name_each_other(au_id: int, other: str) -> None:
    assert any(other in template.source.lower() for template in UNITS[au_id].active)
    assert any(other in template.source.lower() for template in UNITS[au_id].inactive)


def test_the_line_of_a_face_without_action_puts_no_muscle_to_rest() -> None:
    lines = default_descriptions().wording.no_action
    assert not [line for line in lines if {"rest", "muscles", "relaxed"} & set(tokenize(line))]
