"""Free English as clauses and phrases: the words of a sentence between its separators."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from vlfau.facs import Side
from vlfau.language.free_lexicon import Word

__all__ = ["Phrase", "clauses"]

_CONCESSIONS: Final = frozenset({"although", "though", "even though", "while", "whereas"})
"""At the start of a sentence, each of these opens a clause that ends with the first comma."""


@dataclass(slots=True)
class Phrase:
    """The words between two separators."""

    words: list[Word] = field(default_factory=list)
    after: str = ""
    """The kind of the separator before it: "", "comma", "and", "join" or "break"."""
    listed: bool = False
    """Whether it is one of several that "or" or "nor" lists, and not the first."""

    def has(self, kind: str) -> bool:
        """Return whether it has a word of a kind."""
        return any(word.kind == kind for word in self.words)

    @property
    def parts(self) -> list[str]:
        """The parts of the face that it names, in order."""
        return [word.part for word in self.words if word.part]

    @property
    def says_something(self) -> bool:
        """Whether it names an AU, a part of the face or what one does."""
        return any(word.part or word.action or word.names or word.coded for word in self.words) or self.denies_all

    @property
    def is_code(self) -> bool:
        """Whether it is no more than AUs by number, perhaps with their names, or says that they are absent."""
        return any(word.coded for word in self.words) and all(
            word.coded or word.names or word.kind in {"absent", "be"} for word in self.words
        )

    @property
    def is_absent(self) -> bool:
        """Whether it says that what it names is absent, as does "smile: none"."""
        return self.has("absent") or (len(self.words) > 1 and self.words[-1].text in {"no", "none"})

    @property
    def denies_all(self) -> bool:
        """Whether it says that no AU is active."""
        return self.has("rest") and not self.has("except") and not any(word.coded for word in self.words)

    @property
    def intensity(self) -> int | None:
        """The first degree that it names, 1 to 5."""
        return next((word.intensity for word in self.words if word.intensity), None)

    @property
    def side(self) -> Side | None:
        """The side that it names, the subject's own."""
        sides = {word.side for word in self.words if word.side}
        if self.has("mirror"):
            sides = {side.mirrored() for side in sides}
        return Side.BOTH if len(sides) > 1 else next(iter(sides), None)


def clauses(words: Sequence[Word]) -> Iterator[list[Phrase]]:
    """Yield the clauses of a sentence, each as its phrases."""
    clause = [Phrase()]
    concedes = bool(words) and words[0].text in _CONCESSIONS  # Then the first comma ends its clause.
    for index, word in enumerate(words):
        if word.kind == "both" and word.text == "both" and _pairs_others(words[index + 1 :]):
            continue
        if word.kind == "break" or (concedes and word.kind == "comma"):
            yield clause
            clause = [Phrase(after="break")]
            concedes &= word.kind == "break"
        elif word.kind == "unlike" and clause[-1].words:
            clause.append(Phrase([word], after="join"))
        elif word.kind in {"comma", "and", "join"}:
            if clause[-1].words:
                clause.append(Phrase(after=word.kind))
            elif clause[-1].after == "comma":
                clause[-1].after = word.kind
            if word.text in {"or", "nor"}:
                _list(clause)
            if word.text == "nor":
                clause[-1].words.append(Word("nor", kind="no"))
        else:
            clause[-1].words.append(word)
    yield clause


def _list(clause: list[Phrase]) -> None:
    """Mark the last phrase of a clause, and those that commas list before it."""
    clause[-1].listed = True
    for phrase in reversed(clause[:-1]):
        if phrase.after != "comma" or phrase.has("be"):
            break
        phrase.listed = True


def _pairs_others(words: Sequence[Word]) -> bool:
    """Return whether a "both" is that of "both the brows and the lids" or "both at level B", and names no side."""
    behind = next((word for word in words if word.kind != "filler"), None)
    if behind is not None and not (behind.part or behind.action or behind.names or behind.kind or behind.coded):
        return True
    named = 0
    for word in words:
        if word.kind == "and" and named:
            return True
        if word.kind in {"comma", "break", "join", "be"} or word.action:
            return False
        if len(word.coded) > 1:
            return True
        named += bool(word.part or word.names or word.coded)
    return False
