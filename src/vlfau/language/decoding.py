"""Search for the likeliest caption: one beam search, in NumPy, for every runtime.

A runtime (torch, ONNX Runtime, ...) plugs in as a `CaptionStepper`. All sequences of a batch are searched
together, and a finished one leaves the batch. Dimensions: S sequences, K beams, W words, h hidden units.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vlfau.language.slots import SlotText

__all__ = ["CaptionStepper", "DecodingOptions", "DecodingResult", "StepOutput", "decode_captions"]

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
    shapes: Sequence[SlotText] | None = None,
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
        shapes: For every sequence the texts among which its caption must be; None allows all. The longest captions
            must leave room for them.

    Returns:
        One result a sequence, in the order of the stepper's sequences.
    """
    if len(prefix) >= options.max_length:
        raise ValueError(
            f"a prefix of {len(prefix)} words leaves no room in captions of {options.max_length}; shorten it"
        )
    hidden, cell = stepper.start()
    search = _Search(len(hidden), eos_id, options, tuple(prefix), shapes)
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
        alive, beams, token_ids = search.advance(output.logits, never)
        kept = alive[:, None]
        hidden, cell = output.hidden[kept, beams], output.cell[kept, beams]
    return search.results()


class _Search:
    """The hypotheses of all sequences that are still searched, and the best finished one of each."""

    def __init__(
        self,
        num_sequences: int,
        eos_id: int,
        options: DecodingOptions,
        prefix: tuple[int, ...],
        shapes: Sequence[SlotText] | None,
    ) -> None:
        self.eos_id, self.options, self.prefix, self.shapes = eos_id, options, prefix, shapes
        self.rows: IntArray = np.arange(num_sequences)
        self.tokens: IntArray = np.zeros((num_sequences, 1, 0), np.int64)  # (S', K, t)
        self.sums = np.zeros((num_sequences, 1))  # (S', K)
        self.greedy_beam: IntArray = np.zeros(num_sequences, np.int64)  # (S',), -1 once greedy has ended
        self.num_finished: IntArray = np.zeros(num_sequences, np.int64)  # (S',)
        self.best: list[DecodingResult | None] = [None] * num_sequences
        self.best_scores = np.full(num_sequences, -np.inf)  # (S,)

    def advance(self, logits: FloatArray, never: Sequence[int]) -> tuple[IntArray, IntArray, IntArray]:
        """Extend every hypothesis by one word.

        Args:
            logits: (S', K, W).
            never: Words that must not be chosen.

        Returns:
            Which of the S' sequences go on (S",), the beam that each kept hypothesis extends (S", K), and
            its new word (S", K).
        """
        live, _, words = logits.shape
        beam_size = self.options.beam_size
        before = self.sums - _log_total(logits)  # (S', K); a word's logit added gives the new sum
        logits = logits.copy()
        logits[..., never] = -np.inf
        self._keep_shape(logits)
        if self._length() + 1 == self.options.max_length:
            logits[..., np.arange(words) != self.eos_id] = -np.inf
        # Of twice as many candidates as beams, at least as many as beams do not end.
        picks = _top((logits + before[..., None].astype(logits.dtype)).reshape(live, -1), 2 * beam_size)
        beams, tokens = picks // words, picks % words
        every = self.every_row
        sums = before[every, beams] + logits[every, beams, tokens]
        ends = tokens == self.eos_id
        if ends.any():
            self._finish_where(ends[:, :beam_size], beams, sums)
            keep = np.argsort(ends, axis=1, kind="stable")[:, :beam_size]
            beams, tokens, sums = beams[every, keep], tokens[every, keep], sums[every, keep]
            sums[tokens == self.eos_id] = -np.inf
        else:
            beams, tokens, sums = beams[:, :beam_size], tokens[:, :beam_size], sums[:, :beam_size]
        self._keep_greedy(logits, before, beams, tokens, sums)

        self.tokens = np.concatenate([self.tokens[every, beams], tokens[..., None]], axis=2)
        self.sums = sums
        alive = np.flatnonzero(~self._is_done())
        if len(alive) < live:
            self.rows, self.tokens, self.sums = self.rows[alive], self.tokens[alive], self.sums[alive]
            self.greedy_beam, self.num_finished = self.greedy_beam[alive], self.num_finished[alive]
            beams, tokens = beams[alive], tokens[alive]
        return alive, beams, tokens

    def results(self) -> list[DecodingResult]:
        if None in self.best:
            raise ValueError(f"no allowed caption ends within {self.options.max_length} words; allow longer ones")
        return [result for result in self.best if result is not None]

    @property
    def every_row(self) -> IntArray:
        """Every searched sequence as (S', 1), to index with."""
        return np.arange(len(self.rows))[:, None]

    def _keep_shape(self, logits: FloatArray) -> None:
        """Rule out, in place, the words that lead to no allowed text."""
        if self.shapes is None:
            return
        ruled_out = np.ones(logits.shape, bool)
        for row, sequence in enumerate(self.rows):
            for beam, words in enumerate(self.tokens[row].tolist()):
                ruled_out[row, beam, list(self.shapes[sequence].following((*self.prefix, *words)))] = False
        logits[ruled_out] = -np.inf

    def _length(self) -> int:
        return len(self.prefix) + int(self.tokens.shape[2])

    def _finish_where(self, ends: NDArray[np.bool_], beams: IntArray, sums: FloatArray) -> None:
        ends = ends & np.isfinite(sums[:, : ends.shape[1]])
        self.num_finished += ends.sum(1)
        for row, rank in zip(*np.nonzero(ends), strict=True):
            self._finish(row, beams[row, rank], sums[row, rank])

    def _finish(self, row: int, beam: int, sum_logprobs: float) -> None:
        score = float(sum_logprobs / (self._length() + 1) ** self.options.length_penalty)
        sequence = self.rows[row]
        if score > self.best_scores[sequence]:
            token_ids = self.prefix + tuple(self.tokens[row, beam].tolist())
            self.best[sequence] = DecodingResult(token_ids, float(sum_logprobs), score)
            self.best_scores[sequence] = score

    def _keep_greedy(
        self, logits: FloatArray, before: FloatArray, beams: IntArray, tokens: IntArray, sums: FloatArray
    ) -> None:
        """Follow the greedy hypothesis: end it, find it among the kept, or give it the last place."""
        rows = np.flatnonzero(self.greedy_beam >= 0)
        if not len(rows):
            return
        beam = self.greedy_beam[rows]
        token = logits[rows, beam].argmax(1)
        total = before[rows, beam] + logits[rows, beam, token]
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
        # Every further word lowers the sum; the longest caption divides it by the most.
        bound = self.sums.max(1) / self.options.max_length**self.options.length_penalty
        enough = (self.num_finished >= self.options.beam_size) & (self.greedy_beam < 0)
        done: NDArray[np.bool_] = enough | (self.best_scores[self.rows] >= bound)
        return done


def _top(totals: FloatArray, count: int) -> IntArray:
    """Return the places of the `count` largest entries a row, largest first."""
    count = min(count, totals.shape[1])
    every = np.arange(len(totals))[:, None]
    lowest_first = -totals  # Parted from this end, many words that are ruled out take no time.
    places = np.argpartition(lowest_first, count - 1, axis=1)[:, :count]
    order = np.argsort(lowest_first[every, places], axis=1, kind="stable")
    return places[every, order]


def _log_total(logits: FloatArray) -> FloatArray:
    """Return log sum exp over the words: (..., W) to (...), float64."""
    highest = logits.max(-1)
    result: FloatArray = highest + np.log(np.exp(logits - highest[..., None]).sum(-1, dtype=np.float64))
    return result
