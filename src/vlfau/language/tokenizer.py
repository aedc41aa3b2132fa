"""Texts as tokens and back: lower-case words, the full stop and the comma."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

__all__ = ["detokenize", "sentences", "tokenize"]

_TOKEN: Final = re.compile(r"[^\s.,]+|[.,]")


def tokenize(text: str) -> list[str]:
    """Split a text into lower-case words, full stops and commas.

    >>> tokenize("The lids, tensed.")
    ['the', 'lids', ',', 'tensed', '.']
    """
    return _TOKEN.findall(text.lower())


def detokenize(tokens: Iterable[str]) -> str:
    """Join tokens to a text, with a capital letter where a sentence begins.

    >>> detokenize(["the", "lids", ",", "tensed", "."])
    'The lids, tensed.'
    """
    pieces: list[str] = []
    starts_sentence = True
    for token in tokens:
        if token in {".", ","}:
            pieces.append(token)
        else:
            word = token.capitalize() if starts_sentence else token
            pieces.append(f" {word}" if pieces else word)
        starts_sentence = token == "."
    return "".join(pieces)


def sentences(tokens: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Yield the tokens of each sentence without its full stop.

    >>> list(sentences(["yes", ".", "no", "."]))
    [('yes',), ('no',)]
    """
    sentence: list[str] = []
    for token in tokens:
        if token != ".":
            sentence.append(token)
        elif sentence:
            yield tuple(sentence)
            sentence = []
    if sentence:
        yield tuple(sentence)
