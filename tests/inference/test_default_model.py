"""The bundle that the package brings, on a real photograph."""

from pathlib import Path

import pytest

from vlfau import Predictor
from vlfau.facs import DEFAULT_AU_IDS
from vlfau.inference.bundle import load_bundle
from vlfau.language.parser import parse_global, parse_local

ROOT = Path(__file__).parents[2]
ASTRONAUT = ROOT / "examples" / "astronaut.png"


@pytest.fixture(scope="module")
def face():
    (found,) = Predictor(describe="every").predict(ASTRONAUT)
    return found


def test_the_default_model_knows_every_au_with_intensity_and_says_what_it_learned_from():
    bundle = load_bundle()
    assert bundle.info.au_ids == DEFAULT_AU_IDS
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
    (face,) = Predictor(describe="every", consistent=True).predict(ASTRONAUT)
    for au in face.aus:
        parsed = parse_local(au.local_caption)
        assert (parsed.au_id, parsed.active) == (au.au_id, au.state)
    said = {state.au_id for state in parse_global(face.global_caption).states}
    assert said == {au.au_id for au in face.aus if au.state}


def test_every_au_gets_words_and_the_face_a_neutral_subject(face):
    assert all(au.local_caption for au in face.aus)
    assert face.global_caption.startswith("This person ")
