import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.language.states import ALL_STATES, any_face
from vlfau.errors import DescriptionError
from vlfau.facs import AU_SETS, AUState, Side, action_unit, all_au_ids
from vlfau.language import (
    Gender,
    Vocabulary,
    global_description,
    local_description,
    max_global_length,
    max_local_length,
)
from vlfau.language.grammar import global_phrases, local_descriptions

VOCABULARY = Vocabulary.for_aus(all_au_ids())


def test_padding_start_and_end_come_first() -> None:
    assert VOCABULARY.to_list()[:3] == ["<pad>", "<bos>", "<eos>"]
    assert (VOCABULARY.pad_id, VOCABULARY.bos_id, VOCABULARY.eos_id) == (0, 1, 2)


def test_words_are_sorted_lower_case_and_few() -> None:
    words = VOCABULARY.to_list()[3:]
    assert words == sorted(set(words))
    assert all(word in {".", ","} or (word.isalpha() and word.islower()) for word in words)
    assert len(VOCABULARY) < 600


@pytest.mark.parametrize("au_ids", AU_SETS.values(), ids=AU_SETS)
def test_fewer_aus_need_fewer_words(au_ids: tuple[int, ...]) -> None:
    assert set(Vocabulary.for_aus(au_ids).to_list()) <= set(VOCABULARY.to_list())


def test_every_local_text_survives_encoding() -> None:
    limit = max_local_length(all_au_ids())
    for text in (text for state in ALL_STATES for text in local_descriptions(state)):
        assert VOCABULARY.decode(VOCABULARY.encode(text, limit)) == text


@given(any_face, st.sampled_from([*Gender, None]), st.integers(0, 99))
def test_every_global_text_survives_encoding(states: list[AUState], gender: Gender | None, seed: int) -> None:
    text = global_description(states, gender, np.random.default_rng(seed))
    token_ids = VOCABULARY.encode(text, max_global_length(all_au_ids()))
    assert VOCABULARY.decode(token_ids) == text


@pytest.mark.parametrize("au_ids", AU_SETS.values(), ids=AU_SETS)
def test_a_data_set_has_the_words_for_all_its_texts(au_ids: tuple[int, ...]) -> None:
    vocabulary = Vocabulary.for_aus(au_ids)
    for state in (state for state in ALL_STATES if state.au_id in au_ids):
        for text in (*local_descriptions(state), *(global_phrases(state) if state.active else ())):
            assert vocabulary.eos_id not in vocabulary.encode_words(text)
    for gender in (*Gender, None):
        assert vocabulary.encode(global_description([], gender))
        assert vocabulary.encode(global_description([AUState(au_id, active=True) for au_id in au_ids], gender))


def test_no_word_is_spare() -> None:
    texts = [text for state in ALL_STATES for text in local_descriptions(state)]
    texts += [text for state in ALL_STATES if state.active for text in global_phrases(state)]
    rng = np.random.default_rng(0)
    idle = ([], [AUState(12, active=False, trace=True)])
    texts += [
        global_description(states, gender, rng) for states in idle for gender in (*Gender, None) for _ in range(30)
    ]
    texts.append(global_description([AUState(au_id, active=True) for au_id in all_au_ids()]))
    used = {token_id for text in texts for token_id in VOCABULARY.encode_words(text)}
    assert used == set(range(3, len(VOCABULARY)))


def test_the_end_closes_an_encoded_text_and_nothing_opens_it() -> None:
    token_ids = VOCABULARY.encode("This man drops the jaw.")
    assert token_ids[-1] == VOCABULARY.eos_id
    assert len(token_ids) == 7
    assert VOCABULARY.bos_id not in token_ids


def test_decoding_stops_at_the_end_and_skips_padding_and_start() -> None:
    jaw = VOCABULARY.encode_words("jaw")
    assert VOCABULARY.decode([VOCABULARY.bos_id, *jaw, VOCABULARY.eos_id, *jaw, VOCABULARY.pad_id]) == "Jaw"


def test_an_unknown_word_is_named() -> None:
    with pytest.raises(DescriptionError, match="no word 'banana'"):
        VOCABULARY.encode("The banana is raised.")


def test_special_tokens_are_no_words() -> None:
    with pytest.raises(DescriptionError, match="'<eos>'"):
        VOCABULARY.encode("<eos>")


@pytest.mark.parametrize("token_id", [-1, len(VOCABULARY)])
def test_a_number_outside_the_vocabulary_is_named(token_id: int) -> None:
    with pytest.raises(DescriptionError, match=f"token {token_id} "):
        VOCABULARY.decode([token_id])


def test_a_text_that_is_too_long_is_never_cut() -> None:
    assert len(VOCABULARY.encode("This man drops the jaw.", 7)) == 7
    with pytest.raises(DescriptionError, match="7 tokens with its end, 6 fit"):
        VOCABULARY.encode("This man drops the jaw.", 6)


def test_a_vocabulary_survives_its_list() -> None:
    copy = Vocabulary.from_list(VOCABULARY.to_list())
    assert copy == VOCABULARY


@pytest.mark.parametrize(
    "tokens", [[], ["a", "b"], ["<pad>", "<bos>", "<eos>", "b", "a"], ["<pad>", "<bos>", "<eos>", "a", "a"]]
)
def test_a_list_that_is_no_vocabulary_is_refused(tokens: list[str]) -> None:
    with pytest.raises(DescriptionError, match="'to_list' returned"):
        Vocabulary.from_list(tokens)


@pytest.mark.parametrize("au_ids", [(1,), (17, 24), *AU_SETS.values(), all_au_ids()])
def test_the_longest_local_text_has_the_local_length(au_ids: tuple[int, ...]) -> None:
    states = [state for state in ALL_STATES if state.au_id in au_ids]
    longest = max(len(VOCABULARY.encode(text)) for state in states for text in local_descriptions(state))
    assert longest == max_local_length(au_ids)


@pytest.mark.parametrize("au_ids", [(17,), (1, 12), *AU_SETS.values(), all_au_ids()])
def test_the_longest_global_text_has_the_global_length(au_ids: tuple[int, ...]) -> None:
    states = [
        AUState(au_id, active=True, intensity=1, side=Side.LEFT if action_unit(au_id).sided else None)
        for au_id in au_ids
    ]
    idle = [AUState(au_id, active=False, trace=True) for au_id in au_ids]
    rng = np.random.default_rng(0)
    drawn = [global_description(chosen, None, rng) for chosen in (states, idle) for _ in range(100)]
    assert max(len(VOCABULARY.encode(text)) for text in drawn) <= max_global_length(au_ids)


@pytest.mark.parametrize("au_id", all_au_ids())
def test_the_global_length_of_one_au_is_that_of_its_longest_text(au_id: int) -> None:
    side = Side.LEFT if action_unit(au_id).sided else None
    rng = np.random.default_rng(0)
    drawn = [
        global_description(states, None, rng)
        for states in ([AUState(au_id, True, 1, side)], [AUState(au_id, False)], [AUState(au_id, False, trace=True)])
        for _ in range(60)
    ]
    assert max(len(VOCABULARY.encode(text)) for text in drawn) == max_global_length([au_id])


def test_all_aus_fit_into_39_and_250_tokens() -> None:
    assert (max_local_length(all_au_ids()), max_global_length(all_au_ids())) == (39, 250)


def test_a_local_text_begins_like_a_forced_beginning() -> None:
    text = local_description(AUState(17, active=False))
    assert VOCABULARY.encode(text)[:3] == VOCABULARY.encode_words("The chin is")
