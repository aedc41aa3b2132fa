import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vlfau.language.decoding import DecodingOptions, StepOutput, decode_captions

BOS, EOS, PAD = 0, 1, 2


class TableStepper:
    """A decoder whose scores depend on the last word and the position, with `tables` (S, T, W, W)."""

    def __init__(self, tables):
        self.tables, self.calls, self.rows_searched, self.widths = tables, 0, 0, []

    def start(self):
        states = np.zeros((len(self.tables), 1))
        return states, states.copy()

    def step(self, token_ids, hidden, cell, rows):
        self.calls += 1
        self.rows_searched += len(rows)
        self.widths.append(hidden.shape[1])
        positions = hidden[..., 0].astype(int)
        logits = self.tables[rows[:, None], positions, token_ids]
        return StepOutput(logits, hidden + 1, cell)


def random_tables(seed, sequences=1, length=4, words=5):
    return np.random.default_rng(seed).normal(scale=2, size=(sequences, length, words, words))


def decode(stepper, *, prefix=(), max_length=4, **options):
    return decode_captions(
        stepper,
        bos_id=BOS,
        eos_id=EOS,
        options=DecodingOptions(max_length=max_length, **options),
        prefix=prefix,
        banned_ids=[PAD],
    )


def logprob(table, words):
    """The log-probability of words (with the end) after the start, where only the end may be last."""
    total, last = 0.0, BOS
    for position, word in enumerate(words):
        row = table[position, last]
        total += row[word] - np.log(np.exp(row).sum())
        last = word
    return total


def brute_force(table, length_penalty=0.0, max_length=4):
    captions = [
        (*body, EOS)
        for length in range(max_length)
        for body in itertools.product(range(EOS + 2, table.shape[-1]), repeat=length)
    ]
    return max((logprob(table, c) / len(c) ** length_penalty, c) for c in captions)


def greedy(table, max_length=4):
    words, last = [], BOS
    for position in range(max_length - 1):
        row = table[position, last].copy()
        row[[BOS, PAD]] = -np.inf
        last = int(row.argmax())
        words.append(last)
        if last == EOS:
            return tuple(words)
    return (*words, EOS)


def pure_beam(table, beam_size, length_penalty=0.0, max_length=4):
    """The best score and words that beam search alone finds, a hypothesis at a time."""
    alive, ended = [((), 0.0)], []
    for position in range(max_length):
        words = (
            [EOS] if position == max_length - 1 else [word for word in range(table.shape[-1]) if word not in {BOS, PAD}]
        )
        longer = [
            ((*hypothesis, word), logprob(table, (*hypothesis, word))) for hypothesis, _ in alive for word in words
        ]
        longer = sorted(longer, key=lambda candidate: -candidate[1])
        ended += [candidate for candidate in longer[:beam_size] if candidate[0][-1] == EOS]
        if len(ended) >= beam_size:
            break
        alive = [candidate for candidate in longer if candidate[0][-1] != EOS][:beam_size]
    return max((total / len(words) ** length_penalty, words) for words, total in ended)


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.7, 1.0]))
@settings(deadline=None, max_examples=60)
def test_a_beam_as_wide_as_the_search_space_equals_brute_force(seed, length_penalty):
    table = random_tables(seed)[0]
    result = decode(TableStepper(table[None]), beam_size=40, length_penalty=length_penalty)[0]
    score, words = brute_force(table, length_penalty)
    assert (*result.token_ids, EOS) == words
    assert result.score == pytest.approx(score)
    assert result.sum_logprobs == pytest.approx(logprob(table, words))


@given(st.integers(0, 10_000), st.sampled_from([0.0, 1.0]))
@settings(deadline=None, max_examples=100)
def test_a_beam_of_one_equals_greedy(seed, length_penalty):
    table = random_tables(seed)[0]
    result = decode(TableStepper(table[None]), beam_size=1, length_penalty=length_penalty)[0]
    assert (*result.token_ids, EOS) == greedy(table)


@given(st.integers(0, 10_000), st.integers(2, 5), st.sampled_from([0.0, 1.0]))
@settings(deadline=None, max_examples=100)
def test_the_score_never_falls_below_greedys(seed, beam_size, length_penalty):
    table = random_tables(seed)[0]
    result = decode(TableStepper(table[None]), beam_size=beam_size, length_penalty=length_penalty)[0]
    words = greedy(table)
    assert result.score >= logprob(table, words) / len(words) ** length_penalty - 1e-9


@given(st.integers(0, 10_000), st.integers(1, 4), st.sampled_from([0.0, 1.0]))
@example(26, 2, 0.0)  # Here a slot of the beam kept for greedy search would cost the best caption.
@settings(deadline=None, max_examples=200)
def test_the_better_of_beam_search_alone_and_of_greedy_search_is_returned(seed, beam_size, length_penalty):
    table = random_tables(seed, length=6, words=7)[0]
    result = decode(TableStepper(table[None]), max_length=6, beam_size=beam_size, length_penalty=length_penalty)[0]
    words = greedy(table, 6)
    expected = max(
        pure_beam(table, beam_size, length_penalty, 6), (logprob(table, words) / len(words) ** length_penalty, words)
    )
    assert (result.score, (*result.token_ids, EOS)) == (pytest.approx(expected[0]), expected[1])


def test_a_dropped_greedy_hypothesis_has_a_column_only_as_long_as_it_can_win():
    tables = np.full((2, 8, 6, 6), -50.0)
    tables[0, 0, BOS, [3, 4]] = 0.1, 0.0  # greedy search says 3 first,
    tables[0, 1, 3, [3, 4, 5]] = 0.1, 0.0, 0.0  # after which nothing is likely, so that a beam of 2 drops it,
    tables[0, 1, 4, [4, 5]] = 1.0, 0.9
    tables[0, 2, [4, 5], EOS] = 50  # and another caption ends that it cannot reach.
    tables[1, :, :, 3], tables[1, :7, :, EOS] = 0, -500
    stepper = TableStepper(tables)
    results = decode(stepper, max_length=8, beam_size=2)
    assert [result.token_ids for result in results] == [(4, 4), (3,) * 7]
    assert stepper.widths == [1, 2, 2, 2, 2, 2, 2, 2]


def test_a_batch_gives_the_captions_of_its_sequences_alone():
    tables = random_tables(3, sequences=20)
    together = decode(TableStepper(tables))
    alone = [decode(TableStepper(table[None]))[0] for table in tables]
    assert [result.token_ids for result in together] == [result.token_ids for result in alone]
    np.testing.assert_allclose([r.sum_logprobs for r in together], [r.sum_logprobs for r in alone])


def test_finished_sequences_leave_the_batch():
    tables = np.zeros((4, 6, 5, 5))
    tables[:3, :, :, EOS] = 50  # three end at once
    tables[3, :5, :, 3] = 50  # one goes on to the longest caption
    tables[3, 5, :, EOS] = 50
    stepper = TableStepper(tables)
    results = decode(stepper, max_length=6)
    assert [len(result.token_ids) for result in results] == [0, 0, 0, 5]
    assert (stepper.calls, stepper.rows_searched) == (6, 4 + 5)


def test_the_prefix_is_forced_and_not_scored():
    table = random_tables(5)[0]
    result = decode(TableStepper(table[None]), prefix=[3], beam_size=40)[0]
    assert result.token_ids[0] == 3
    first = table[0, BOS]
    whole = logprob(table, (*result.token_ids, EOS))
    assert result.sum_logprobs == pytest.approx(whole - (first[3] - np.log(np.exp(first).sum())))


def test_the_longest_caption_has_room_for_its_end_alone():
    tables = np.zeros((1, 4, 5, 5))
    tables[:, :3, :, EOS] = -50
    assert len(decode(TableStepper(tables))[0].token_ids) == 3


def test_no_sequences_give_no_captions():
    assert decode(TableStepper(np.zeros((0, 4, 5, 5)))) == []


def test_impossible_wishes_are_refused():
    with pytest.raises(ValueError, match="leaves no room"):
        decode(TableStepper(random_tables(0)), prefix=[3, 3, 3, 3])
    with pytest.raises(ValueError, match="at least 1"):
        DecodingOptions(max_length=4, beam_size=0)
