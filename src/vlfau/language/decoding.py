"""Search for the likeliest caption: beam search and greedy search, in NumPy, for every runtime.

A runtime (torch, ONNX Runtime, ...) plugs in as a `CaptionStepper`. All sequences of a batch are searched
together, and a finished one leaves the batch. The better result of both searches counts, and greedy search never takes
a slot of the beam: while the beam holds the greedy hypothesis, it costs nothing; one that the beam drops is continued
at the end if it can still win. Dimensions: S sequences, K beams, W words, h hidden units.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["CaptionStepper", "DecodingOptions", "DecodingResult", "StepOutput", "decode_captions"]

FloatArray = NDArray[np.floating]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class StepOutput:
    """A decoder's output after one word: `logits` (S, K, W), `hidden` and `cell` (S, K, h)."""

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
            rows: (S',), which of the S sequences are still searched. It stays the same array object until a
                sequence is finished, so that a stepper gathers its features only on a change.
        """


@dataclass(frozen=True, slots=True)
class DecodingOptions:
    """How to search.

    Attributes:
        max_length: Maximum number of words of a caption, its end included; the last one can only be the end.
        beam_size: Hypotheses per sequence; 1 is greedy search.
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

    `sum_logprobs` covers the chosen words and the end, not the forced prefix. `score` ranks the hypotheses.
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
    """Find the caption of every sequence by beam search and by greedy search, whichever scores higher.

    Args:
        stepper: The decoder, bound to S sequences.
        bos_id: The token that starts a caption; never generated.
        eos_id: The token that ends a caption.
        options: Beam size, longest caption, length penalty.
        prefix: Words that every caption must begin with.
        banned_ids: Further tokens that are never generated, such as padding.

    Returns:
        One result per sequence, in the stepper's order.
    """
    if len(prefix) >= options.max_length:
        raise ValueError(
            f"a prefix of {len(prefix)} words leaves no room in captions of {options.max_length}; shorten it"
        )
    hidden, cell = stepper.start()
    never = [bos_id, *banned_ids]
    search = _Search(len(hidden), eos_id=eos_id, options=options, prefix=tuple(prefix), never=never)
    hidden, cell = hidden[:, None], cell[:, None]
    forced = (bos_id, *prefix)
    if not len(hidden):
        return []
    for token_id in forced[:-1]:
        token_ids = np.full((len(hidden), 1), token_id, np.int64)
        output = stepper.step(token_ids, hidden, cell, search.rows)
        hidden, cell = output.hidden, output.cell
    token_ids = np.full((len(hidden), 1), forced[-1], np.int64)
    while len(search.rows):
        output = stepper.step(token_ids, hidden, cell, search.rows)
        alive, beams, token_ids = search.advance(output)
        kept = alive[:, None]
        hidden, cell = output.hidden[kept, beams], output.cell[kept, beams]
    search.finish_greedy(stepper)
    return search.results()


@dataclass(slots=True)
class _Dropped:
    """A greedy hypothesis that the beam dropped: its words after the prefix, their sum, and the states before the last.

    `hidden` and `cell` are (h,).
    """

    sequence: int
    words: tuple[int, ...]
    sum_logprobs: float
    hidden: FloatArray
    cell: FloatArray


class _Search:
    """The hypotheses of all sequences that are still searched, and the best finished one of each."""

    def __init__(
        self,
        num_sequences: int,
        *,
        eos_id: int,
        options: DecodingOptions,
        prefix: tuple[int, ...],
        never: Sequence[int],
    ) -> None:
        self.eos_id, self.options, self.prefix, self.never = eos_id, options, prefix, never
        self.rows: IntArray = np.arange(num_sequences)
        self.tokens: IntArray = np.zeros((num_sequences, 1, 0), np.int64)  # (S', K, t)
        self.sums = np.zeros((num_sequences, 1))  # (S', K)
        self.greedy_beam: IntArray = np.zeros(num_sequences, np.int64)  # (S',), -1 once greedy has ended or is dropped
        self.dropped: list[_Dropped] = []
        self.num_finished: IntArray = np.zeros(num_sequences, np.int64)  # (S',)
        self.best: list[DecodingResult | None] = [None] * num_sequences
        self.best_scores = np.full(num_sequences, -np.inf)  # (S,)
        # Every further word lowers a sum, and the longest caption has the largest divisor: an upper bound of any score.
        self._max_divisor = options.max_length**options.length_penalty

    def advance(self, output: StepOutput) -> tuple[IntArray, IntArray, IntArray]:
        """Extend every hypothesis by one word.

        Args:
            output: Of S' sequences with K beams.

        Returns:
            Which of the S' sequences go on (S",), the beam that each kept hypothesis extends (S", K), and
            its new word (S", K).
        """
        live, _, num_words = output.logits.shape
        beam_size = self.options.beam_size
        before = self.sums - _log_total(output.logits)  # (S', K); a word's logit added gives the new sum
        logits = output.logits.copy()
        self._rule_out(logits, self._length())
        # Of twice as many candidates as beams, at least as many as beams do not end.
        picks = _top((logits + before[..., None].astype(logits.dtype)).reshape(live, -1), 2 * beam_size)
        beams, tokens = picks // num_words, picks % num_words
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
        done = (self.num_finished >= beam_size) | (sums.max(1) / self._max_divisor <= self.best_scores[self.rows])
        self._follow_greedy(output, logits, before, np.where(done[:, None], -1, beams), tokens)

        self.tokens = np.concatenate([self.tokens[every, beams], tokens[..., None]], axis=2)
        self.sums = sums
        alive = np.flatnonzero(~done)
        if len(alive) < live:
            self.rows, self.tokens, self.sums = self.rows[alive], self.tokens[alive], self.sums[alive]
            self.greedy_beam, self.num_finished = self.greedy_beam[alive], self.num_finished[alive]
            beams, tokens = beams[alive], tokens[alive]
        return alive, beams, tokens

    def finish_greedy(self, stepper: CaptionStepper) -> None:
        """Continue the greedy hypotheses that the beam dropped, as long as they can win."""
        rows: IntArray = np.zeros(0, np.int64)
        while left := [each for each in self.dropped if self._can_win(each.sequence, each.sum_logprobs)]:
            sequences = np.array([each.sequence for each in left], np.int64)
            rows = rows if np.array_equal(rows, sequences) else sequences
            token_ids = np.array([[each.words[-1]] for each in left], np.int64)
            hidden, cell = (np.stack([getattr(each, name) for each in left])[:, None] for name in ("hidden", "cell"))
            output = stepper.step(token_ids, hidden, cell, rows)
            before = np.array([each.sum_logprobs for each in left]) - _log_total(output.logits[:, 0])
            self.dropped = []
            for row, each in enumerate(left):
                logits = output.logits[row, 0].copy()
                self._rule_out(logits, len(self.prefix) + len(each.words))
                token = int(logits.argmax())
                total = float(before[row] + logits[token])
                if token == self.eos_id:
                    self._finish(each.sequence, each.words, total)
                else:
                    states = output.hidden[row, 0], output.cell[row, 0]
                    self.dropped.append(_Dropped(each.sequence, (*each.words, token), total, *states))

    def results(self) -> list[DecodingResult]:
        return [result for result in self.best if result is not None]

    @property
    def every_row(self) -> IntArray:
        """Every searched sequence as (S', 1), to index with."""
        return np.arange(len(self.rows))[:, None]

    def _can_win(self, sequence: int, sum_logprobs: float) -> bool:
        return bool(sum_logprobs / self._max_divisor > self.best_scores[sequence])

    def _rule_out(self, logits: FloatArray, length: int) -> None:
        """Rule out, in place, (..., W): tokens that never follow, and all but the end at the last position."""
        logits[..., self.never] = -np.inf
        if length + 1 == self.options.max_length:
            logits[..., np.arange(logits.shape[-1]) != self.eos_id] = -np.inf

    def _length(self) -> int:
        return len(self.prefix) + int(self.tokens.shape[2])

    def _finish_where(self, ends: NDArray[np.bool_], beams: IntArray, sums: FloatArray) -> None:
        ends = ends & np.isfinite(sums[:, : ends.shape[1]])
        self.num_finished += ends.sum(1)
        for row, rank in zip(*np.nonzero(ends), strict=True):
            self._finish(self.rows[row], self.tokens[row, beams[row, rank]].tolist(), sums[row, rank])

    def _finish(self, sequence: int, words: Sequence[int], sum_logprobs: float) -> None:
        token_ids = (*self.prefix, *words)
        score = float(sum_logprobs / (len(token_ids) + 1) ** self.options.length_penalty)
        if score > self.best_scores[sequence]:
            self.best[sequence] = DecodingResult(token_ids, float(sum_logprobs), score)
            self.best_scores[sequence] = score

    def _follow_greedy(
        self, output: StepOutput, logits: FloatArray, before: FloatArray, beams: IntArray, tokens: IntArray
    ) -> None:
        """Follow the greedy hypotheses: end them, find them among the kept, or put them aside.

        Args:
            output: Of this step.
            logits: (S', K, W), of the words that may follow.
            before: (S', K), what a word's logit is added to.
            beams: (S', K), the beams that the kept hypotheses extend; -1 where the search is done.
            tokens: (S', K), their new words.
        """
        rows = np.flatnonzero(self.greedy_beam >= 0)
        if not len(rows):
            return
        beam = self.greedy_beam[rows]
        token = logits[rows, beam].argmax(1)
        found = (beams[rows] == beam[:, None]) & (tokens[rows] == token[:, None])
        self.greedy_beam[rows] = np.where(found.any(1), found.argmax(1), -1)
        for row, column, word in zip(*(each[~found.any(1)].tolist() for each in (rows, beam, token)), strict=True):
            total = float(before[row, column] + logits[row, column, word])
            sequence, words = int(self.rows[row]), self.tokens[row, column].tolist()
            if word == self.eos_id:
                self._finish(sequence, words, total)
            elif self._can_win(sequence, total):
                states = output.hidden[row, column], output.cell[row, column]
                self.dropped.append(_Dropped(sequence, (*words, word), total, *states))


def _top(totals: FloatArray, count: int) -> IntArray:
    """Return the indices of the `count` largest entries of each row, largest first."""
    count = min(count, totals.shape[1])
    every = np.arange(len(totals))[:, None]
    lowest_first = -totals  # Partitioned from this end, many ruled-out words cost no time.
    indices = np.argpartition(lowest_first, count - 1, axis=1)[:, :count]
    order = np.argsort(lowest_first[every, indices], axis=1, kind="stable")
    return indices[every, order]


def _log_total(logits: FloatArray) -> FloatArray:
    """Return log sum exp over the words: (..., W) to (...), float64."""
    highest = logits.max(-1)
    result: FloatArray = highest + np.log(np.exp(logits - highest[..., None]).sum(-1, dtype=np.float64))
    return result
