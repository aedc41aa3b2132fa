import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.language.corrected import corrected_package, write_corrected
from vlfau.errors import DescriptionError
from vlfau.facs import AUState, Side
from vlfau.language import (
    Vocabulary,
    global_description,
    local_description,
    max_local_length,
    parse_global,
    parse_local,
)
from vlfau.language.constrained_decoding import allowed_local_descriptions
from vlfau.language.descriptions import Descriptions, default_descriptions, load_descriptions
from vlfau.language.descriptions_file import MAX_BYTES, read_descriptions, read_model_descriptions, write_descriptions
from vlfau.language.grammar import local_descriptions

FIRST = Path(__file__).with_name("data") / "first_descriptions.json"
"""As the first version wrote it: one opening of later sentences, and no texts on traces."""

AU_IDS = (1, 12, 17)
SMILE = AUState(12, active=True, intensity=3, side=Side.LEFT)


@pytest.fixture
def corrected(tmp_path: Path) -> Descriptions:
    return load_descriptions(write_corrected(tmp_path / "corrected"))


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    document = json.loads(FIRST.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    own = default_descriptions().for_aus((12, 1))
    write_descriptions(tmp_path / "descriptions.json", own)
    read = read_descriptions(tmp_path / "descriptions.json")
    assert read == own
    assert read.fingerprint == own.fingerprint
    assert tuple(read.units) == (1, 12)
    assert read.units[12].active == own.units[12].active
    assert read.wording == own.wording


def test_other_texts_are_other_descriptions(corrected: Descriptions) -> None:
    assert corrected != default_descriptions()
    assert corrected.fingerprint != default_descriptions().fingerprint
    assert corrected.for_aus((17,)) != corrected.for_aus((12,))


def test_the_first_file_is_read_forever() -> None:
    first = read_descriptions(FIRST)
    assert tuple(first.units) == AU_IDS
    assert first.wording.follow_ups == ("The face also",)
    assert first.units[12].trace == ()
    assert local_descriptions(AUState(12, False, trace=True), first) == local_descriptions(AUState(12, False), first)
    assert global_description([AUState(12, False, trace=True)], None, None, first) == (
        "This person shows none of the coded facial actions."
    )
    assert local_description(SMILE, None, first) == (
        "The lip corner is markedly pulled up on the left side by the zygomaticus major. The nasolabial furrow may "
        "deepen and the cheek fills out. Raised cheeks often join it."
    )
    assert parse_local(local_description(SMILE, None, first), first).state == SMILE


def test_texts_are_filled_decided_and_read_as_the_descriptions_have_them(corrected: Descriptions) -> None:
    own, other = local_description(SMILE), local_description(SMILE, None, corrected)
    assert "corner" in own
    assert "angle" in other
    assert parse_local(other, corrected).state == SMILE
    assert not parse_local(other).complete
    assert all("corner" not in text for text in allowed_local_descriptions(SMILE, corrected))
    whole = global_description([SMILE, AUState(17, active=True)], None, None, corrected)
    assert [state.au_id for state in parse_global(whole, corrected).states] == [12, 17]
    assert "angle" in Vocabulary.for_aus([12], corrected).tokens
    assert "angle" not in Vocabulary.for_aus([12]).tokens


def test_later_sentences_open_in_every_way_and_are_read_back(tmp_path: Path) -> None:
    openings = ["The face also", "The face", "At the same time it"]
    read = read_descriptions(
        edit(tmp_path / "d.json", lambda document: document["wording"]["global"].update(follow_up=openings))
    )
    wide = Descriptions(default_descriptions().units, read.wording)
    states = [AUState(au_id, active=True) for au_id in (1, 2, 4, 5, 6, 7)]
    rng = np.random.default_rng(0)
    texts = [global_description(states, None, rng, wide) for _ in range(40)]
    assert {opening for opening in openings if any(f". {opening} " in text for text in texts)} == set(openings)
    assert all(parse_global(text, wide).complete for text in texts)
    assert "time" in Vocabulary.for_aus(AU_IDS, read).tokens


def test_texts_on_a_trace_are_known_by_their_words(tmp_path: Path) -> None:
    text = "At most a faint twitch of the zygomaticus shows, far too little to lift a mouth corner in earnest."
    texts = [text, text.replace("faint", "small"), text.replace("faint", "weak")]
    read = read_descriptions(edit(tmp_path / "d.json", lambda document: document["aus"]["12"].update(trace=texts)))
    assert [template.source for template in read.units[12].trace] == texts
    assert {"twitch", "earnest"} <= set(Vocabulary.for_aus(AU_IDS, read).tokens)
    assert text not in local_descriptions(AUState(12, active=False), read)
    assert text in local_descriptions(AUState(12, active=False, trace=True), read)
    assert text in allowed_local_descriptions(AUState(12, active=False), read, either=True)
    write_descriptions(tmp_path / "again.json", read)
    assert read_descriptions(tmp_path / "again.json") == read
    assert max_local_length(AU_IDS, read) == max_local_length(AU_IDS, read_descriptions(FIRST))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda document: document.update(format=2), "no descriptions of format 1"),
        (lambda document: document.pop("wording"), "must have 'wording'"),
        (lambda document: document.update(extra=1), "must have 'wording'"),
        (lambda document: document.update(aus=[]), "must have 'wording'"),
        (lambda document: document.update(aus={}), "AUs?"),
        (lambda document: document["aus"].update({"3": {}}), "AU 3 is not in the catalogue"),
        (lambda document: document["aus"].update({"x": {}}), "not in the catalogue"),
        (lambda document: document["aus"].update({"²": {}}), "not in the catalogue"),
        (lambda document: document["aus"].update({"12": []}), "AU12: expected lists of texts"),
        (lambda document: document["aus"]["12"].pop("active"), "AU12: 'active' is missing"),
        (lambda document: document["aus"]["12"].update(active="text"), "AU12: 'active' is missing or not a list"),
        (lambda document: document["aus"]["12"].update(colour=[]), "'colour' is not a key"),
        (lambda document: document["aus"]["12"]["active"].append("No slots."), "needs these slots once"),
        (lambda document: document["aus"]["12"].update(trace=[]), "'trace' holds 0 texts"),
        (lambda document: document["aus"]["12"].update(trace=["Nothing."] * 65), "at most 64"),
        (lambda document: document["aus"]["12"].update(trace=["It {degree} moves."] * 3), "needs these slots once"),
        (lambda document: document["wording"]["global"].update(follow_up=[]), "'follow_up' is a list"),
        (lambda document: document["wording"]["global"].update(follow_up=["This man"]), "openings .* are the same"),
        (lambda document: document["wording"]["global"].update(follow_up=[["This"]]), "'follow_up' is a list"),
        (lambda document: document["wording"].update(degrees=None), "expected a table"),
    ],
)
def test_a_damaged_file_is_named_with_its_flaw(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    path = edit(tmp_path / "descriptions.json", change)
    with pytest.raises(DescriptionError, match=message) as caught:
        read_descriptions(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[]", "no descriptions of format 1"),
        (b" " * (MAX_BYTES + 1), "more than 524288 bytes"),
    ],
    ids=["empty", "bytes", "list", "large"],
)
def test_a_file_that_holds_no_descriptions_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "descriptions.json"
    path.write_bytes(content)
    with pytest.raises(DescriptionError, match=message):
        read_descriptions(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DescriptionError, match="cannot be read"):
        read_descriptions(tmp_path / "descriptions.json")


def test_a_model_of_an_earlier_version_has_the_packages_texts_if_it_knows_their_words(tmp_path: Path) -> None:
    vocabulary = Vocabulary.for_aus(AU_IDS)
    assert read_model_descriptions(tmp_path, AU_IDS, vocabulary, stored=False) == default_descriptions().for_aus(AU_IDS)
    with corrected_package(write_corrected(tmp_path / "corrected")):
        assert read_model_descriptions(tmp_path, AU_IDS, vocabulary, stored=False) is None


def test_stored_texts_must_fit_the_models_words_and_aus(tmp_path: Path, corrected: Descriptions) -> None:
    write_descriptions(tmp_path / "descriptions.json", corrected.for_aus(AU_IDS))
    with pytest.raises(DescriptionError, match="uses the word 'angle', which the model never learned"):
        read_model_descriptions(tmp_path, AU_IDS, Vocabulary.for_aus(AU_IDS), stored=True)
    with pytest.raises(DescriptionError, match="no texts for AU4"):
        read_model_descriptions(tmp_path, (1, 4), Vocabulary.for_aus(AU_IDS, corrected), stored=True)
