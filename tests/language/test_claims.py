import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.language.states import ALL_STATES, any_face
from vlfau.errors import DescriptionError
from vlfau.facs import INTENSITY_LETTERS, AUState, Side, action_unit, all_au_ids
from vlfau.language import face_note
from vlfau.language.claims import Claim, read_claims
from vlfau.language.face_notes import note_wording
from vlfau.language.free_lexicon import lexicon
from vlfau.language.grammar import local_descriptions

SIDES = {"l": Side.LEFT, "r": Side.RIGHT, "b": Side.BOTH}


def labelled_sentences(name="free_english.tsv"):
    """The hand-written sentences: the claims of each by AU and state, with degree and side, and the sentence."""
    lines = Path(__file__).with_name("data").joinpath(name).read_text(encoding="utf-8").splitlines()
    for line in lines:
        if not line.startswith("#"):
            claims, sentence = line.split("\t")
            found = (re.fullmatch(r"(-?)(\d+)([A-E]?)([lrb]?)", each) for each in claims.split() if each != ".")
            yield (
                {
                    (int(each[2]), not each[1]): (
                        INTENSITY_LETTERS.index(each[3]) + 1 if each[3] else None,
                        SIDES.get(each[4]),
                    )
                    for each in found
                },
                sentence,
            )


def scores(sentences):
    """Precision and recall of (AU, state), and the shares of correct degrees and sides among the found ones."""
    said = labels = hits = degrees = sides = 0
    for wanted, sentence in sentences:
        read = {(claim.au_id, claim.active): (claim.intensity, claim.side) for claim in read_claims(sentence).claims}
        both = wanted.keys() & read.keys()
        said, labels, hits = said + len(read), labels + len(wanted), hits + len(both)
        degrees += sum(wanted[key][0] == read[key][0] for key in both)
        sides += sum(wanted[key][1] == read[key][1] for key in both)
    return hits / said, hits / labels, degrees / hits, sides / hits


@pytest.mark.parametrize("part", [0, 1], ids=["tuned", "held out"])
def test_sentences_of_many_people_are_read_right(part):
    sentences = list(labelled_sentences())
    assert len(sentences) == 300
    precision, recall, degrees, sides = scores(sentences[part::2])
    assert precision >= 0.95
    assert recall >= 0.90
    assert degrees >= 0.95
    assert sides >= 0.95


@pytest.mark.parametrize(
    ("name", "count", "part", "least_precision", "least_recall"),
    [
        ("free_english_blind.tsv", 100, 0, 0.95, 0.95),
        ("free_english_blind.tsv", 100, 1, 0.92, 0.95),
        ("free_english_second_blind.tsv", 60, 0, 0.95, 0.95),
        ("free_english_second_blind.tsv", 60, 1, 0.91, 0.91),
    ],
    ids=["tuned", "held out", "second tuned", "second held out"],
)
def test_sentences_written_before_the_words_were_seen_are_read_right(name, count, part, least_precision, least_recall):
    sentences = list(labelled_sentences(name))
    assert len(sentences) == count
    precision, recall, degrees, sides = scores(sentences[part::2])
    assert precision >= least_precision
    assert recall >= least_recall
    assert degrees >= 0.95
    assert sides >= 0.95


def test_sentences_that_were_never_used_for_tuning_are_read_right():
    sentences = list(labelled_sentences("free_english_third_blind.tsv"))
    assert len(sentences) == 40
    assert min(scores(sentences)[:2]) >= 0.93


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("AU12: 3, AU25: 0", {(12, True, 3), (25, False, None)}),
        ("AU6 (2/5)", {(6, True, 2)}),
        ("AU12: 1", {(12, True, None)}),  # May be a state or an intensity.
        ("AU12: 0.87", {(12, True, None)}),
        ("AU6 was scored B and AU12 is active at intensity D", {(6, True, 2), (12, True, 4)}),
        ("Absent: AU6, AU12.", {(6, False, None), (12, False, None)}),
        ("not active: AU 4 (Brow Lowerer), AU 12 (Lip Corner Puller)", {(4, False, None), (12, False, None)}),
    ],
)
def test_lists_of_codes_are_read_with_their_levels(text, wanted):
    assert {(claim.au_id, claim.active, claim.intensity) for claim in read_claims(text).claims} == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("4B+14D+17", {4, 14, 17}),
        ("The apex was scored R12C.", {12}),
        ("AU 1, AU 2: absent. AU 4: present (C).", {-1, -2, 4}),
        ("AU12 at D, AU4 absent.", {12, -4}),
        ("There is no smile, frown or squint.", {-12, -4, -7}),
        ("Absence of lip corner pulling and cheek raising.", {-12, -6}),
        ("Instead of a smile there is a pressed mouth.", {-12, 24}),
        ("Jaw drop: none. Smile: yes.", {-26, 12}),
        ("He can neither raise his brows nor close his eyes.", {-1, -2, -43}),
        ("Puckered lips, as if whistling.", {18}),
        ("When asked to smile, she wrinkles her nose.", {9}),
        ("AU 7 is questionable.", set()),
        ("The lower lids are drawn up.", {7}),
        ("There are vertical lines between the eyebrows.", {4}),
        ("The smile does not reach the eyes.", {12, -6}),
        ("The lids tighten as the brows lower.", {7, 4}),
        ("The zygomaticus minor is active.", set()),
        ("Although he may be annoyed, he smiles.", {12}),
        ("The jaw drops, but the mouth is not stretched.", {26, -27}),
        ("The jaw drops and the mouth is stretched sideways.", {26, 20}),
        ("Lenses of 21.5 D and 2.4C were used.", set()),
    ],
)
def test_denials_lists_requests_and_bare_codes_are_read(text, wanted):
    assert {claim.au_id if claim.active else -claim.au_id for claim in read_claims(text).claims} == wanted


def test_no_action_units_denies_all_unless_there_is_an_exception():
    assert {(claim.au_id, claim.active) for claim in read_claims("No action units are active.").claims} == {
        (au_id, False) for au_id in all_au_ids()
    }
    assert [claim.au_id for claim in read_claims("No action units besides the smile.").claims if claim.active] == [12]
    assert not any(claim.au_id == 4 for claim in read_claims("No action units other than AU 12.").claims)


@pytest.mark.parametrize("state", ALL_STATES, ids=str)
def test_the_packages_own_texts_claim_their_state_alone(state):
    for text in local_descriptions(state):
        assert read_claims(text).claims == (Claim(state.au_id, state.active, state.intensity, state.side),)


@given(any_face)
@settings(deadline=None, max_examples=100)
def test_a_note_on_a_face_claims_its_states(states):
    active = {state.au_id: state for state in states if state.active}
    read = read_claims(face_note(states))
    assert not read.contradictions
    assert all(read.states[au_id] == active[au_id] for au_id in read.states)


@pytest.mark.parametrize("au_id", all_au_ids())
def test_every_au_is_known_by_its_number_its_name_and_its_phrase(au_id):
    movement = note_wording().movements[au_id]
    phrase = f"{movement.phrase.verb} the {movement.many} {movement.phrase.end}".strip()
    for text in (f"AU{au_id}", f"AU {au_id} is present.", f"{action_unit(au_id).name} is active."):
        assert {(claim.au_id, claim.active) for claim in read_claims(text).claims} == {(au_id, True)}
    assert read_claims(f"There is no sign of AU {au_id}.").claims == (Claim(au_id, False),)
    claimed = {claim.au_id for claim in read_claims(f"It {phrase}.").claims}
    assert claimed >= {au_id}


@pytest.mark.parametrize(
    ("text", "contradictions"),
    [
        ("She smiles. She does not smile.", (12,)),
        ("AU12C. The lip corners are slightly raised.", (12,)),
        ("The left lip corner is raised; the right one is not.", ()),
        ("The lip corners are raised on both sides. The right lip corner is not raised.", (12,)),
        ("She smiles. The lip corners are raised.", ()),
    ],
)
def test_a_text_that_disagrees_with_itself_is_found(text, contradictions):
    assert read_claims(text).contradictions == contradictions


def test_states_hold_what_is_claimed_once():
    text = "The left brow is slightly raised. The right brow is raised. AU 4 is absent. She smiles. No smile."
    read = read_claims(text)
    assert read.states == {
        1: AUState(1, True, 2, Side.BOTH),
        2: AUState(2, True, 2, Side.BOTH),
        4: AUState(4, False),
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t",
        "Sie lächelt mit gehobenen Wangen.",
        "彼女は笑っている。",
        "\x00\x07\u202e",
        "!!!",
        "12",
        "Ça va ?",
        "[]{}<>",
    ],
)
def test_what_claims_nothing_is_read_as_nothing(text):
    assert read_claims(text).claims == ()


def test_control_characters_hide_no_words():
    assert read_claims("The\x00 lip\x07 corners\u200b are\tnot raised.").claims == (Claim(12, False),)


def test_aus_that_the_catalogue_lacks_are_listed():
    read = read_claims("AU38 and AU12 are active, AU 99 too.")
    assert read.unknown_aus == (38, 99)
    assert read.claims == (Claim(12, True),)


def test_ten_thousand_words_are_read_and_far_longer_texts_refused():
    read = read_claims("The brows are lowered and she smiles. " * 1500)
    assert {claim.au_id for claim in read.claims} == {4, 12}
    with pytest.raises(DescriptionError, match="at most 100,000 are read"):
        read_claims("a" * 100_001)


@given(st.text(max_size=300))
@settings(deadline=None, max_examples=200)
def test_no_text_breaks_the_reader(text):
    read_claims(text)


def test_the_lexicon_names_every_au():
    named = {au_id for word in lexicon().phrases.values() for au_id in word.names}
    assert named == set(all_au_ids())
