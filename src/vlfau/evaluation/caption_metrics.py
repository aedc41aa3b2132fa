"""Scores of captions against references: BLEU-4, ROUGE-L and CIDEr-D as the COCO caption evaluation counts them.

The references of a frame are what the grammar says of its true states.

A pair that comes often (the same words for the same state) is scored once and counted often. Punctuation does not
count, nor do capital letters.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from vlfau.data.manifest import Frame
from vlfau.language import Descriptions, global_description
from vlfau.language.grammar import local_descriptions
from vlfau.language.tokenizer import tokenize

__all__ = ["CaptionScores", "global_references", "local_references", "score_captions"]

MAX_NGRAM: Final = 4
GLOBAL_REFERENCES: Final = 5
ROUGE_BETA: Final = 1.2
CIDER_SIGMA: Final = 6.0
MAX_REMEMBERED: Final = 4096
"""Texts whose n-grams are kept: local captions come again and again, global ones seldom."""

Ngrams = Counter[tuple[str, ...]]
Item = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class CaptionScores:
    """Scores of a set of captions.

    Attributes:
        bleu4: BLEU-4 of the whole set (Papineni et al., ACL 2002), 0 to 1.
        rouge_l: Mean ROUGE-L (Lin, 2004), 0 to 1.
        cider_d: Mean CIDEr-D (Vedantam et al., CVPR 2015), 0 to 10; words that are in the references of every item
            weigh nothing.
    """

    bleu4: float
    rouge_l: float
    cider_d: float


def local_references(frame: Frame, descriptions: Descriptions | None = None) -> list[tuple[str, ...] | None]:
    """Return every description of the true state of each AU, N; None where nobody annotated.

    Args:
        frame: The frame.
        descriptions: The texts that the network learned; None means the package's own, here and below.
    """
    return [None if state is None else local_descriptions(state, descriptions) for state in frame.states]


def global_references(frame: Frame, seed: int, descriptions: Descriptions | None = None) -> tuple[str, ...]:
    """Return the canonical description of a face and some of its paraphrases, of which there are too many for all."""
    rng = np.random.default_rng(seed)
    states = [state for state in frame.states if state is not None]
    draws: Sequence[np.random.Generator | None] = (None, *([rng] * (GLOBAL_REFERENCES - 1)))
    return tuple(dict.fromkeys(global_description(states, frame.gender, draw, descriptions) for draw in draws))


def score_captions(captions: Sequence[str], references: Sequence[Sequence[str]]) -> CaptionScores:
    """Compare captions with their references.

    Args:
        captions: One an item.
        references: One or more for every item.

    Raises:
        ValueError: There is no item, or one has no reference.
    """
    if not captions or not all(references):
        raise ValueError(f"expected items with references, found {len(captions)} items; give each a reference")
    items = Counter((caption, tuple(texts)) for caption, texts in zip(captions, references, strict=True))
    return CaptionScores(_bleu4(items), _rouge_l(items), _cider_d(items))


@lru_cache(MAX_REMEMBERED)
def _words(text: str) -> tuple[str, ...]:
    return tuple(token for token in tokenize(text) if token not in {".", ","})


@lru_cache(MAX_REMEMBERED)
def _ngrams(text: str) -> Ngrams:
    words = _words(text)
    return Counter(
        words[start : start + length] for length in range(1, MAX_NGRAM + 1) for start in range(len(words) - length + 1)
    )


def _bleu4(items: Mapping[Item, int]) -> float:
    """Return BLEU-4; of a caption's references, the one closest in length sets the length that is expected."""
    found, made = [0] * MAX_NGRAM, [0] * MAX_NGRAM
    length = expected = 0
    for (caption, references), times in items.items():
        own, words = _ngrams(caption), len(_words(caption))
        for ngram, count in own.items():
            most = max(_ngrams(reference)[ngram] for reference in references)
            found[len(ngram) - 1] += times * min(count, most)
            made[len(ngram) - 1] += times * count
        lengths = [len(_words(reference)) for reference in references]
        length += times * words
        expected += times * min(lengths, key=lambda other: (abs(other - words), other))
    if not all(found):
        return 0.0
    precision = math.exp(sum(math.log(hit / all_) for hit, all_ in zip(found, made, strict=True)) / MAX_NGRAM)
    return precision * min(1.0, math.exp(1 - expected / length))


def _rouge_l(items: Mapping[Item, int]) -> float:
    """Return ROUGE-L from the best precision and the best recall among the references."""
    total = 0.0
    for (caption, references), times in items.items():
        words = _words(caption)
        common = [(_common_length(words, other), len(other)) for other in map(_words, references)]
        best = max(length for length, _ in common)
        if best:
            precision, recall = best / len(words), max(length / size for length, size in common if size)
            total += times * (1 + ROUGE_BETA**2) * precision * recall / (recall + ROUGE_BETA**2 * precision)
    return total / sum(items.values())


def _common_length(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the length of the longest common subsequence."""
    row = [0] * (len(second) + 1)
    for word in first:
        diagonal = 0
        for place, other in enumerate(second, start=1):
            above = row[place]
            row[place] = diagonal + 1 if word == other else max(above, row[place - 1])
            diagonal = above
    return row[-1]


def _cider_d(items: Mapping[Item, int]) -> float:
    total = sum(items.values())
    frequency: Counter[tuple[str, ...]] = Counter()
    for (_, references), times in items.items():
        for ngram in set().union(*map(_ngrams, references)):
            frequency[ngram] += times
    vectors = _Vectors(math.log(total), frequency)
    score = 0.0
    for (caption, references), times in items.items():
        score += times * sum(vectors.similarity(caption, reference) for reference in references) / len(references)
    return 10 * score / total


class _Vectors:
    """Captions as n-gram counts weighted by rarity (tf-idf), and their clipped cosine similarity."""

    def __init__(self, log_total: float, frequency: Mapping[tuple[str, ...], int]) -> None:
        self._log_total, self._frequency = log_total, frequency
        self._vector = lru_cache(MAX_REMEMBERED)(self._weigh)
        self.similarity = lru_cache(MAX_REMEMBERED)(self._compare)

    def _compare(self, caption: str, reference: str) -> float:
        """Return the mean over n of the similarity of n-grams, less for texts of different lengths."""
        (own, own_norms), (other, other_norms) = self._vector(caption), self._vector(reference)
        products = [0.0] * MAX_NGRAM
        for ngram, weight in own.items():
            if ngram in other:
                products[len(ngram) - 1] += min(weight, other[ngram]) * other[ngram]
        cosines = (
            product / (one * two)
            for product, one, two in zip(products, own_norms, other_norms, strict=True)
            if one and two
        )
        # The reference implementation counts a text's length in pairs of words.
        difference = max(0, len(_words(caption)) - 1) - max(0, len(_words(reference)) - 1)
        return sum(cosines) / MAX_NGRAM * math.exp(-(difference**2) / (2 * CIDER_SIGMA**2))

    def _weigh(self, text: str) -> tuple[Mapping[tuple[str, ...], float], list[float]]:
        weights = {
            ngram: count * (self._log_total - math.log(max(1, self._frequency.get(ngram, 0))))
            for ngram, count in _ngrams(text).items()
        }
        squares = [0.0] * MAX_NGRAM
        for ngram, weight in weights.items():
            squares[len(ngram) - 1] += weight**2
        return weights, [math.sqrt(square) for square in squares]
