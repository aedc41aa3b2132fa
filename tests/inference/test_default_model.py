"""The bundle that the package brings, on a real photograph."""

from pathlib import Path

import numpy as np
import pytest

from tests.language.corrected import corrected_package, write_corrected
from vlfau import Predictor
from vlfau.evaluation.consistency import described_states
from vlfau.facs import Side, all_au_ids
from vlfau.inference.bundle import load_bundle
from vlfau.language.note_parser import parse_note
from vlfau.language.parser import parse_local
from vlfau.video.events import Event
from vlfau.video.summary import event_lines

ROOT = Path(__file__).parents[2]
ASTRONAUT = ROOT / "examples" / "astronaut.png"


@pytest.fixture(scope="module")
def face():
    (found,) = Predictor(describe="every").predict(ASTRONAUT)
    return found


def test_the_default_model_knows_every_au_with_intensity_and_says_what_it_learned_from():
    bundle = load_bundle()
    assert bundle.info.au_ids == all_au_ids()
    assert bundle.info.is_synthetic
    assert "synthetic faces only" in bundle.info.note
    assert sum(bundle.path(name).stat().st_size for name in bundle.files) < 25e6


def test_the_default_model_brings_its_card():
    card = load_bundle().card
    assert card is not None
    assert card.read_bytes() == (ROOT / "docs" / "model-card.md").read_bytes()


def test_a_smile_with_parted_lips_and_open_eyes_is_seen(face):
    states = {au.au_id: au.state for au in face.aus}
    assert states[12]
    assert states[25]
    assert not states[43]
    assert not states[15]
    assert all(0 <= au.intensity <= 5 for au in face.aus)
    assert face.aus[[au.au_id for au in face.aus].index(12)].intensity > 2


def test_consistent_words_state_what_the_model_decided():
    (face,) = Predictor(describe="every").predict(ASTRONAUT)
    texts = load_bundle().info.descriptions
    for au in face.aus:
        parsed = parse_local(au.local_caption, texts)
        assert (parsed.au_id, parsed.active) == (au.au_id, au.state)
    assert parse_note(face.global_caption).states == tuple(au.facs_state for au in face.active_aus)
    assert face[12].side is Side.BOTH


def test_words_and_numbers_tell_one_story_for_noise_too():
    crops = np.random.default_rng(3).integers(0, 256, (6, 160, 160, 3), dtype=np.uint8)
    predictor = Predictor(describe="every")
    for face in predictor.predict_crops(crops):
        told = [au.facs_state for au in face.aus]
        assert [parse_local(au.local_caption, load_bundle().info.descriptions).state for au in face.aus] == told
        assert list(parse_note(face.global_caption).states) == [state for state in told if state.active]


def test_every_au_gets_words_and_the_face_a_neutral_subject(face):
    assert all(au.local_caption for au in face.aus)
    assert face.global_caption.startswith("This person ")


def test_a_correction_of_the_packages_texts_changes_nothing_of_the_default_models_words(tmp_path):
    crops = np.random.default_rng(0).integers(0, 256, (1, 160, 160, 3), dtype=np.uint8)

    def words():
        predictor = Predictor(describe="every")
        info = predictor.bundle.info
        (result,) = predictor.predict_crops(crops)
        local = [[au.local_caption for au in result.aus]]
        read = [parse_local(text, info.descriptions) for text in local[0]]
        states = described_states(info.au_ids, local, info.descriptions)
        told = event_lines([event], descriptions=info.descriptions)
        return local, result.global_caption, read, parse_note(result.global_caption), states, told

    event = Event(face_id=0, au_id=12, onset_s=0.0, apex_s=0.5, offset_s=1.0, peak_prob=0.9)
    before = words()
    with corrected_package(write_corrected(tmp_path / "corrected")):
        assert event_lines([event]) != before[5]
        after = words()
    assert before[0] == after[0]
    assert before[1:4] == after[1:4]
    assert np.array_equal(before[4], after[4])
    assert (before[4] >= 0).all()
    assert before[5] == after[5]
