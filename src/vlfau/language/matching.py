"""Match a sentence to the closest known one, and separate its degrees and sides."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from vlfau.facs import Side
from vlfau.language.tokenizer import tokenize
from vlfau.language.wording import Wording

__all__ = ["Match", "PhraseParts", "SentenceIndex", "split_modifiers"]

FloatArray: TypeAlias = NDArray[np.float64]
Tokens: TypeAlias = tuple[str, ...]
K = TypeVar("K", bound=Hashable)

_MIN_SCORE: Final = 0.7
_MIN_LEAD: Final = 0.15
_MAX_SLIPS: Final = 2
_WORDS_PER_SLIP: Final = 4


@dataclass(frozen=True, slots=True)
class Match(Generic[K]):
    """The subject of a sentence (its key), and the known sentence that it matches."""

    key: K
    sentence: tuple[str, ...]


class SentenceIndex(Generic[K]):
    """Known sentences, each with its subject (its key).

    An unknown sentence is compared with the known ones by the words they share, weighted by rarity: with
    w(t) = ln(1 + sentences / sentences that contain t), two sentences a and b score 2 w(a and b) / (w(a) + w(b)).
    The best one counts only if all of this holds:

    * It scores at least 0.7 and leads every sentence of another key by 0.15.
    * At most two words, and fewer than a quarter, are slips. A slip is a word of the best sentence that is missing
      here, or a word that no sentence of its key has. A word that more than half of the keys use is not a slip.
    * Both have the same decisive words.

    Args:
        sentences: Tokens and key of each known sentence.
        wording: For its decisive words.
    """

    def __init__(self, sentences: Iterable[tuple[Tokens, K]], wording: Wording) -> None:
        self._known = dict(sentences)
        self._sentences = tuple(self._known)
        self._wording = wording
        self._words_of: dict[K, set[str]] = {}
        for tokens, key in self._known.items():
            self._words_of.setdefault(key, set()).update(tokens)
        num_keys = Counter(word for words in self._words_of.values() for word in words)
        self._common = {word for word, count in num_keys.items() if 2 * count > len(self._words_of)}
        self._columns = {word: column for column, word in enumerate(sorted(num_keys))}
        holds = np.zeros((len(self._known), len(self._columns)))  # (sentences, words)
        for row, tokens in enumerate(self._sentences):
            holds[row, [self._columns[word] for word in tokens]] = 1
        self._weights: FloatArray = np.log1p(len(holds) / holds.sum(0))  # (words,)
        self._weighted: FloatArray = holds * self._weights

    def find(self, tokens: Tokens) -> Match[K] | None:
        """Return the subject of a sentence, or None if it is unclear.

        Args:
            tokens: The sentence without degree, side and full stop.
        """
        if tokens in self._known or not tokens:
            return self.find_exact(tokens)
        words = frozenset(tokens)
        scores = self._scores(words)
        best = self._sentences[int(scores.argmax())]
        key = self._known[best]
        others = np.array([other != key for other in self._known.values()])
        clear = scores.max() >= _MIN_SCORE and scores.max() - scores[others].max(initial=0) >= _MIN_LEAD
        return Match(key, best) if clear and self._is_slip_of(words, frozenset(best), key) else None

    def find_exact(self, tokens: Tokens) -> Match[K] | None:
        """Return the subject of a known sentence, or None if the sentence is unknown."""
        return Match(self._known[tokens], tokens) if tokens in self._known else None

    def _scores(self, words: frozenset[str]) -> FloatArray:
        columns = [self._columns[word] for word in words if word in self._columns]
        unknown = (len(words) - len(columns)) * self._weights.max()
        own = self._weights[columns].sum() + unknown
        scores: FloatArray = 2 * self._weighted[:, columns].sum(1) / (self._weighted.sum(1) + own)
        return scores

    def _is_slip_of(self, words: frozenset[str], known: frozenset[str], key: K) -> bool:
        slips = ((known - words) | (words - self._words_of[key])) - self._common
        if len(slips) > _MAX_SLIPS or len(slips) * _WORDS_PER_SLIP >= len(words):
            return False
        return self._wording.decisive.isdisjoint(words ^ known)


@dataclass(frozen=True, slots=True)
class PhraseParts:
    """A sentence or phrase, its degrees and sides separated from the rest.

    Attributes:
        core: The tokens that are neither degree nor side.
        intensities: Every intensity that it names, 1 to 5.
        sides: Every side that it names.
    """

    core: tuple[str, ...]
    intensities: frozenset[int]
    sides: frozenset[Side]


def split_modifiers(tokens: Sequence[str], wording: Wording) -> PhraseParts:
    """Separate degrees and sides from the other tokens.

    >>> from vlfau.language.descriptions import default_descriptions
    >>> split_modifiers("slightly wrinkles the nose".split(), default_descriptions().wording).core
    ('wrinkles', 'the', 'nose')
    """
    intensities: set[int] = set()
    sides: set[Side] = set()
    core: list[str] = []
    phrases = {tuple(tokenize(phrase)): side for side, phrase in wording.sides.items()}
    position = 0
    while position < len(tokens):
        token = tokens[position]
        phrase = next((words for words in phrases if tuple(tokens[position : position + len(words)]) == words), None)
        if phrase is not None:
            sides.add(phrases[phrase])
            position += len(phrase)
            continue
        if token in wording.degrees:
            intensities.add(wording.degrees.index(token) + 1)
        elif token in wording.side_markers:
            sides.add(wording.side_markers[token])
        else:
            core.append(token)
        position += 1
    return PhraseParts(tuple(core), frozenset(intensities), frozenset(sides))
