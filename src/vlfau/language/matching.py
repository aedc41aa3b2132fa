"""Find the known sentence that a sentence is, or is a slip of."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import numpy as np

from vlfau.language.wording import Wording

__all__ = ["Match", "SentenceIndex"]

K = TypeVar("K", bound=Hashable)

_MIN_SCORE: Final = 0.7
_MIN_LEAD: Final = 0.15
_TELLING_SHARE: Final = 1 / 3


@dataclass(frozen=True, slots=True)
class Match(Generic[K]):
    """What a sentence was found to be about."""

    key: K


class SentenceIndex(Generic[K]):
    """Known sentences, each with what it is about.

    A sentence that is not known is compared with all known ones by the words they share, rare words counting
    more: with w(t) = ln(1 + sentences / sentences that hold t), two sentences a and b score
    2 w(a and b) / (w(a) + w(b)). The best one counts if it scores at least 0.7, leads every sentence about
    something else by 0.15, has the same negations, differs by no word and its opposite, and if no word gives
    away another subject: one that no sentence of this key holds, but sentences of up to a third of the keys do.

    Args:
        sentences: Tokens and key of each known sentence.
        wording: Knows negations and opposites.
    """

    def __init__(self, sentences: Iterable[tuple[tuple[str, ...], K]], wording: Wording) -> None:
        self._known = dict(sentences)
        self._wording = wording
        self._word_sets = [frozenset(tokens) for tokens in self._known]
        self._keys = list(self._known.values())
        self._key_words: dict[K, set[str]] = {}
        for words, key in zip(self._word_sets, self._keys, strict=True):
            self._key_words.setdefault(key, set()).update(words)
        num_keys = Counter(word for words in self._key_words.values() for word in words)
        limit = _TELLING_SHARE * len(self._key_words)
        self._telling = frozenset(word for word, count in num_keys.items() if count <= limit)
        self._columns = {
            word: column for column, word in enumerate(sorted(frozenset().union(*self._word_sets)))
        }
        holds = np.zeros((len(self._known), len(self._columns)))  # (sentences, words)
        for row, words in enumerate(self._word_sets):
            holds[row, [self._columns[word] for word in words]] = 1
        self._weights = np.log1p(len(holds) / holds.sum(0))  # (words,)
        self._weighted = holds * self._weights

    def find(self, tokens: Sequence[str]) -> Match[K] | None:
        """Return what a sentence is about, or None where that is not clear.

        Args:
            tokens: The sentence without degree, side and full stop.
        """
        exact = self.find_exact(tokens)
        if exact is not None or not tokens:
            return exact
        words = frozenset(tokens)
        scores = self._scores(words)
        best = int(scores.argmax())
        key = self._keys[best]
        rival = max(
            (score for score, other in zip(scores, self._keys, strict=True) if other != key), default=0
        )
        clear = scores[best] >= _MIN_SCORE and scores[best] - rival >= _MIN_LEAD
        foreign = words & self._telling - self._key_words[key]
        return Match(key) if clear and not foreign and self._agree(words, self._word_sets[best]) else None

    def find_exact(self, tokens: Sequence[str]) -> Match[K] | None:
        """Return what a known sentence is about, or None where the sentence is not known."""
        known = tuple(tokens)
        return Match(self._known[known]) if known in self._known else None

    def _scores(self, words: frozenset[str]) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        columns = [self._columns[word] for word in words if word in self._columns]
        unknown = (len(words) - len(columns)) * self._weights.max()
        own = self._weights[columns].sum() + unknown
        scores: np.ndarray[tuple[int], np.dtype[np.float64]] = (
            2 * self._weighted[:, columns].sum(1) / (self._weighted.sum(1) + own)
        )
        return scores

    def _agree(self, words: frozenset[str], known: frozenset[str]) -> bool:
        """Whether two sentences have the same negations and no word stands for its opposite."""
        if words & self._wording.negations != known & self._wording.negations:
            return False
        return not any(
            frozenset((ours, theirs)) in self._wording.opposites
            for ours in words - known
            for theirs in known - words
        )
