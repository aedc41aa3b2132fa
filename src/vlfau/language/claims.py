"""The degrees and sides that a piece of text claims, apart from the words around them."""

from collections.abc import Sequence
from dataclasses import dataclass

from vlfau.facs import Side
from vlfau.language.tokens import tokenize
from vlfau.language.wording import Wording

__all__ = ["Claims", "split_claims"]


@dataclass(frozen=True, slots=True)
class Claims:
    """A piece of text taken apart.

    Attributes:
        core: The tokens that are neither degree nor side.
        intensities: Every intensity, 1 to 5, that the piece names.
        sides: Every side that the piece names.
    """

    core: tuple[str, ...]
    intensities: frozenset[int]
    sides: frozenset[Side]


def split_claims(tokens: Sequence[str], wording: Wording) -> Claims:
    """Separate degrees and sides from the other tokens.

    >>> from vlfau.language.descriptions import default_descriptions
    >>> split_claims("slightly wrinkles the nose".split(), default_descriptions().wording).core
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
    return Claims(tuple(core), frozenset(intensities), frozenset(sides))
