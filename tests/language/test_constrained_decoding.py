import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.language.states import ALL_STATES, any_state
from tests.language.test_decoding import BOS, EOS, TableStepper, random_tables
from vlfau.errors import DescriptionError
from vlfau.facs import AUState, Side, all_au_ids
from vlfau.language import Vocabulary
from vlfau.language.constrained_decoding import (
    AllowedTexts,
    StateConstraints,
    allowed_local_descriptions,
    choose_texts,
)
from vlfau.language.parser import parse_local

texts = st.lists(st.lists(st.integers(3, 6), min_size=1, max_size=4), min_size=1, max_size=5, unique_by=tuple)
"""Few words, so that texts often begin alike, and one is often the beginning of another."""


def choose(tables, allowed):
    """Let the tables choose among texts, given without their ends; return the stepper too."""
    steppers = []

    def bind(rows):
        steppers.append(TableStepper(tables[rows]))
        return steppers[-1]

    chosen = choose_texts([AllowedTexts([(*text, EOS) for text in each]) for each in allowed], bind, bos_id=BOS)
    return chosen, steppers


def expected(table, allowed):
    """The likeliest allowed token at each branch, computed the slow way."""
    text, last = [], BOS
    while last != EOS:
        following = {each[len(text)] for each in allowed if each[: len(text)] == text and len(each) > len(text)}
        last = max(following, key=lambda token_id: table[len(text), last, token_id])
        text.append(last)
    return tuple(text)


@given(st.integers(0, 10_000), st.lists(texts, min_size=1, max_size=4))
@settings(deadline=None, max_examples=80)
def test_the_likeliest_allowed_word_is_taken_at_each_branch(seed, allowed):
    tables = random_tables(seed, sequences=len(allowed), length=6, words=7)
    chosen, _ = choose(tables, allowed)
    assert chosen == [
        expected(table, [[*text, EOS] for text in each]) for table, each in zip(tables, allowed, strict=True)
    ]


def test_no_step_is_taken_where_nothing_is_left_to_choose():
    tables = random_tables(0, sequences=3, length=8, words=7)
    chosen, steppers = choose(tables, [[[3, 4, 5]], [[3, 4, 5, 6], [3, 5, 5, 6]], [[6]]])
    assert chosen[0] == (3, 4, 5, EOS)
    assert chosen[2] == (6, EOS)
    (stepper,) = steppers
    assert len(stepper.tables) == 1  # Only the second text has a choice,
    assert stepper.calls == 2  # which falls on its second word.
    assert choose(tables, [[[3]], [[4]], [[5]]])[1] == []


@pytest.mark.parametrize("state", ALL_STATES, ids=str)
def test_every_allowed_text_states_the_state_with_its_degree_and_side(state):
    assert {parse_local(text).state for text in allowed_local_descriptions(state)} == {state}


@given(any_state, st.integers(0, 1000))
@settings(deadline=None, max_examples=60)
def test_whatever_a_decoder_prefers_its_text_states_the_state(state, seed):
    vocabulary = Vocabulary.for_aus(all_au_ids())
    rows = np.random.default_rng(seed).normal(size=(len(vocabulary), len(vocabulary)))

    class AnyStepper(TableStepper):
        def step(self, token_ids, hidden, cell, rows):
            self.tables = np.broadcast_to(self.tables[:, :1], (1, 40, *self.tables.shape[2:]))
            return super().step(token_ids, hidden, cell, rows)

    constraint = StateConstraints(vocabulary).for_au(state)
    (token_ids,) = choose_texts([constraint], lambda _: AnyStepper(rows[None, None]), bos_id=vocabulary.bos_id)
    assert parse_local(vocabulary.decode(token_ids)).state == state


def test_texts_with_unknown_words_are_left_out_and_an_au_without_any_is_an_error():
    state = AUState(12, True, 3, Side.BOTH)
    first, *others = allowed_local_descriptions(state)
    words = {word for text in others for word in text.lower().replace(".", " .").replace(",", " ,").split()}
    vocabulary = Vocabulary.from_list(["<pad>", "<bos>", "<eos>", *sorted(words)])
    allowed = StateConstraints(vocabulary).for_au(state)
    assert len(list(itertools.chain(allowed.root))) >= 2
    with pytest.raises(DescriptionError, match="the vocabulary has no word"):
        StateConstraints(vocabulary).among([f"{first} Banana."])
