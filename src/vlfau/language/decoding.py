"""Search for the likeliest caption: one beam search, in NumPy, for every runtime.

A runtime (torch, ONNX Runtime, ...) plugs in as a `CaptionStepper`. All sequences of a batch are searched
together, and a finished one leaves the batch. Dimensions: S sequences, K beams, W words, h hidden units.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["CaptionStepper", "DecodingOptions", "DecodingResult", "StepOutput", "choose_captions", "decode_captions"]

FloatArray = NDArray[np.floating]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class StepOutput:
    """What a decoder says after one word: `logits` (S, K, W), `hidden` and `cell` (S, K, h)."""

    logits: FloatArray
    hidden: FloatArray
    cell: FloatArray


class CaptionStepper(Protocol):
    """A caption decoder bound to the features of a batch of sequences."""

    def start(self) -> tuple[FloatArray, FloatArray]:
        """Return the first `hidden` and `cell`, each (S, h)."""

    def step(self, token_ids: IntArray, hidden: FloatArray, cell: FloatArray, rows: IntArray) -> StepOutput:
        """Advance by one word.

        Args:
            token_ids: (S', K), the words just chosen.
            hidden: (S', K, h).
            cell: (S', K, h).
            rows: (S',), which of the S sequences are still searched. The same array object comes again
                while nothing has left, so that a stepper need gather its features only on a change.
        """


@dataclass(frozen=True, slots=True)
class DecodingOptions:
    """How to search.

    Attributes:
        max_length: The most words of a caption, its end included. Only the end may stand there.
        beam_size: Hypotheses kept a sequence; 1 is greedy search.
        length_penalty: Hypotheses are ranked by sum_logprobs / length ** length_penalty; 0 ranks by the
            sum alone.
    """

    max_length: int
    beam_size: int = 3
    length_penalty: float = 0.0

    def __post_init__(self) -> None:
        if self.max_length < 1 or self.beam_size < 1 or self.length_penalty < 0:
            raise ValueError(f"max_length and beam_size are at least 1, length_penalty at least 0: {self}")


@dataclass(frozen=True, slots=True)
class DecodingResult:
    """One caption: `token_ids` with the forced prefix and without the end, and its log-probability.

    `sum_logprobs` covers the chosen words and the end, not the forced prefix. `score` is what the search
    ranked by.
    """

    token_ids: tuple[int, ...]
    sum_logprobs: float
    score: float


def decode_captions(
    stepper: CaptionStepper,
    *,
    bos_id: int,
    eos_id: int,
    options: DecodingOptions,
    prefix: Sequence[int] = (),
    banned_ids: Sequence[int] = (),
) -> list[DecodingResult]:
    """Find the best caption of every sequence by beam search.

    The greedy caption always stays among the hypotheses, so the returned score is never below greedy's.

    Args:
        stepper: The decoder, bound to S sequences.
        bos_id: The token that starts a caption; never generated.
        eos_id: The token that ends a caption.
        options: Beam size, longest caption, length penalty.
        prefix: Words that every caption must begin with.
        banned_ids: Further tokens that are never generated, such as padding.

    Returns:
        One result a sequence, in the order of the stepper's sequences.
    """
    if len(prefix) >= options.max_length:
        raise ValueError(
            f"a prefix of {len(prefix)} words leaves no room in captions of {options.max_length}; shorten it"
        )
    hidden, cell = stepper.start()
    search = _Search(len(hidden), eos_id, options, tuple(prefix))
    hidden, cell = hidden[:, None], cell[:, None]
    forced = (bos_id, *prefix)
    if not len(hidden):
        return []
    for token_id in forced[:-1]:
        token_ids = np.full((len(hidden), 1), token_id, np.int64)
        output = stepper.step(token_ids, hidden, cell, search.rows)
        hidden, cell = output.hidden, output.cell
    token_ids = np.full((len(hidden), 1), forced[-1], np.int64)
    never = [bos_id, *banned_ids]
    while len(search.rows):
        output = stepper.step(token_ids, hidden, cell, search.rows)
        logprobs = _log_softmax(output.logits)
        logprobs[..., never] = -np.inf
        alive, beams, token_ids = search.advance(logprobs)
        kept = alive[:, None]
        hidden, cell = output.hidden[kept, beams], output.cell[kept, beams]
    return search.results()


def choose_captions(
    stepper: CaptionStepper, candidates: Sequence[Sequence[Sequence[int]]], *, bos_id: int
) -> list[int]:
    """Say which of some given captions a decoder finds likeliest.

    Args:
        stepper: The decoder, bound to S sequences.
        candidates: For every sequence its captions, as token ids with the end.
        bos_id: The token that starts a caption.

    Returns:
        For every sequence the place of the likeliest of its candidates.
    """
    if not candidates:
        return []
    most, longest = max(map(len, candidates)), max(len(caption) for each in candidates for caption in each)
    words = np.full((len(candidates), most, longest), -1, np.int64)  # (S, K, T), -1 after the end
    for row, captions in enumerate(candidates):
        for beam in range(most):
            caption = captions[beam % len(captions)]
            words[row, beam, : len(caption)] = caption
    hidden, cell = (np.repeat(state[:, None], most, axis=1) for state in stepper.start())
    rows, sums = np.arange(len(candidates)), np.zeros(words.shape[:2])
    token_ids = np.full(words.shape[:2], bos_id, np.int64)
    for place in range(longest):
        output = stepper.step(token_ids, hidden, cell, rows)
        hidden, cell = output.hidden, output.cell
        token_ids = np.maximum(words[..., place], 0)
        logprobs = np.take_along_axis(_log_softmax(output.logits), token_ids[..., None], 2)[..., 0]
        sums += np.where(words[..., place] >= 0, logprobs, 0)
    return [int(best) % len(captions) for best, captions in zip(sums.argmax(1), candidates, strict=True)]


class _Search:
    """The hypotheses of all sequences that are still searched, and the best finished one of each."""

    def __init__(self, num_sequences: int, eos_id: int, options: DecodingOptions, prefix: tuple[int, ...]) -> None:
        self.eos_id, self.options, self.prefix = eos_id, options, prefix
        self.rows: IntArray = np.arange(num_sequences)
        self.tokens: IntArray = np.zeros((num_sequences, 1, 0), np.int64)  # (S', K, t)
        self.sums = np.zeros((num_sequences, 1))  # (S', K)
        self.greedy_beam: IntArray = np.zeros(num_sequences, np.int64)  # (S',), -1 once greedy has ended
        self.num_finished: IntArray = np.zeros(num_sequences, np.int64)  # (S',)
        self.best: list[DecodingResult | None] = [None] * num_sequences

    def advance(self, logprobs: FloatArray) -> tuple[IntArray, IntArray, IntArray]:
        """Extend every hypothesis by one word.

        Args:
            logprobs: (S', K, W).

        Returns:
            Which of the S' sequences go on (S",), the beam that each kept hypothesis extends (S", K), and
            its new word (S", K).
        """
        live, old_beams, words = logprobs.shape
        beam_size = self.options.beam_size
        if self._length() + 1 == self.options.max_length:
            logprobs = np.where(np.arange(words) == self.eos_id, logprobs, -np.inf)
        totals = (self.sums[..., None] + logprobs).reshape(live, old_beams * words)
        # Of twice as many candidates as beams, at least as many as beams do not end.
        picks = _top(totals, 2 * beam_size)
        sums = np.take_along_axis(totals, picks, 1)
        beams, tokens = picks // words, picks % words
        self._finish_where((tokens == self.eos_id) & (np.arange(picks.shape[1]) < beam_size), beams, sums)

        keep = np.argsort(tokens == self.eos_id, axis=1, kind="stable")[:, :beam_size]
        beams, tokens, sums = (np.take_along_axis(array, keep, 1) for array in (beams, tokens, sums))
        sums = np.where(tokens == self.eos_id, -np.inf, sums)
        self._keep_greedy(logprobs, beams, tokens, sums)

        every = np.arange(live)[:, None]
        self.tokens = np.concatenate([self.tokens[every, beams], tokens[..., None]], axis=2)
        self.sums = sums
        alive = np.flatnonzero(~self._is_done())
        if len(alive) < live:
            self.rows, self.tokens, self.sums = self.rows[alive], self.tokens[alive], self.sums[alive]
            self.greedy_beam, self.num_finished = self.greedy_beam[alive], self.num_finished[alive]
        return alive, beams[alive], tokens[alive]

    def results(self) -> list[DecodingResult]:
        return [result for result in self.best if result is not None]

    def _length(self) -> int:
        return len(self.prefix) + int(self.tokens.shape[2])

    def _score(self, sum_logprobs: float) -> float:
        return float(sum_logprobs / (self._length() + 1) ** self.options.length_penalty)

    def _finish_where(self, ends: NDArray[np.bool_], beams: IntArray, sums: FloatArray) -> None:
        ends &= np.isfinite(sums)
        self.num_finished += ends.sum(1)
        for row, rank in zip(*np.nonzero(ends), strict=True):
            self._finish(row, beams[row, rank], sums[row, rank])

    def _finish(self, row: int, beam: int, sum_logprobs: float) -> None:
        score, best = self._score(sum_logprobs), self.best[self.rows[row]]
        if best is None or score > best.score:
            token_ids = self.prefix + tuple(self.tokens[row, beam].tolist())
            self.best[self.rows[row]] = DecodingResult(token_ids, float(sum_logprobs), score)

    def _keep_greedy(self, logprobs: FloatArray, beams: IntArray, tokens: IntArray, sums: FloatArray) -> None:
        """Follow the greedy hypothesis: end it, find it among the kept, or give it the last place."""
        rows = np.flatnonzero(self.greedy_beam >= 0)
        if not len(rows):
            return
        beam = self.greedy_beam[rows]
        token = logprobs[rows, beam].argmax(1)
        total = self.sums[rows, beam] + logprobs[rows, beam, token]
        ended = token == self.eos_id
        for row, old_beam, sum_logprobs in zip(rows[ended], beam[ended], total[ended], strict=True):
            self._finish(row, old_beam, sum_logprobs)
        self.greedy_beam[rows[ended]] = -1

        rows, beam, token, total = rows[~ended], beam[~ended], token[~ended], total[~ended]
        found = (beams[rows] == beam[:, None]) & (tokens[rows] == token[:, None])
        place = np.where(found.any(1), found.argmax(1), beams.shape[1] - 1)
        beams[rows, place], tokens[rows, place], sums[rows, place] = beam, token, total
        self.greedy_beam[rows] = place

    def _is_done(self) -> NDArray[np.bool_]:
        """Say which sequences can't improve, or have ended often enough and greedily too."""
        best = np.array([-np.inf if (b := self.best[row]) is None else b.score for row in self.rows])
        # Every further word lowers the sum; the longest caption divides it by the most.
        bound = self.sums.max(1) / self.options.max_length**self.options.length_penalty
        enough = (self.num_finished >= self.options.beam_size) & (self.greedy_beam < 0)
        done: NDArray[np.bool_] = enough | (best >= bound)
        return done


def _top(totals: FloatArray, count: int) -> IntArray:
    """Return the places of the `count` largest entries a row, largest first."""
    count = min(count, totals.shape[1])
    places = np.argpartition(-totals, count - 1, axis=1)[:, :count]
    order = np.argsort(-np.take_along_axis(totals, places, 1), axis=1, kind="stable")
    return np.take_along_axis(places, order, 1)


def _log_softmax(logits: FloatArray) -> FloatArray:
    shifted = logits.astype(np.float64) - logits.max(-1, keepdims=True)
    result: FloatArray = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return result
