"""Face notes to AU states: what a note of `face_notes` says, read back exactly.

A degree holds until the next degree, "left" and "right" for the object that follows, and "on both sides" for what
stands before it since the last degree. Behind a comma it holds for the whole sentence.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from vlfau.facs import AUState, Side, action_unit
from vlfau.language.descriptions import default_wording
from vlfau.language.face_notes import ONE_SIDED, note_wording
from vlfau.language.parser import ParsedGlobal
from vlfau.language.tokenizer import sentences, tokenize
from vlfau.language.wording import Gender

__all__ = ["parse_note"]


def parse_note(text: str) -> ParsedGlobal:
    """Read a note on a face.

    Args:
        text: A text of `face_note`. What its grammar does not know is reported as unparsed.

    >>> [state.au_id for state in parse_note("This man slightly tightens the lids and lips.").states]
    [7, 23]
    """
    wording, note = default_wording(), note_wording()
    subjects = {tuple(tokenize(opening)): gender for gender, opening in wording.subjects.items()}
    openings = {**dict.fromkeys(tuple(tokenize(opening)) for opening in wording.follow_ups), **subjects}
    genders: set[Gender | None] = set()
    found: list[_Found] = []
    unparsed: list[str] = []
    idle, more = set[bool](), 0
    for sentence in sentences(tokenize(text)):
        opening = next((each for each in openings if sentence[: len(each)] == each), ())
        if opening in subjects:
            genders.add(subjects[opening])
        rest = sentence[len(opening) :]
        said = " ".join(rest)
        if not opening:
            unparsed.append(" ".join(sentence))
        elif said in {note.idle, note.trace}:
            idle.add(said == note.trace)
        elif left_out := _left_out().get(said):
            more += left_out
        else:
            reader = _Reader(rest)
            found += reader.read()
            unparsed += [" ".join(rest[reader.position :])] if reader.position < len(rest) else []
    au_ids = [each.au_id for each in found]
    clash = len(set(au_ids)) < len(au_ids) or len(genders) > 1 or (bool(idle) and bool(found or more))
    states = {each.au_id: AUState(each.au_id, True, each.level, each.side) for each in found}
    return ParsedGlobal(
        gender=next(iter(genders)) if len(genders) == 1 else None,
        states=tuple(states[au_id] for au_id in sorted(states)),
        no_action=bool(idle),
        unparsed=tuple(unparsed),
        contradiction=clash or len(idle) > 1,
        trace=idle == {True},
        more=more,
    )


@dataclass(slots=True)
class _Found:
    au_id: int
    level: int | None
    side: Side | None = None


_Object = tuple[str, Side | None]
"""The words for an object, and its side."""


class _Reader:
    """Reads what follows the subject of a sentence, up to the first word that fits nowhere."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = tokens
        self.position = 0
        self._found: list[_Found] = []
        self._since_side = 0
        self._level: int | None = None
        self._verb = ""
        self._objects: list[_Object] = []

    def read(self) -> list[_Found]:
        while self.position < len(self._tokens) and self._step():
            pass
        return self._found

    def _step(self) -> bool:
        degrees, token = default_wording().degrees, self._tokens[self.position]
        start, after_comma = self.position, self._tokens[max(self.position - 1, 0)] == ","
        if token in {",", "and"}:
            self.position += 1
        elif token in degrees:
            self._level, self._verb, self._since_side = degrees.index(token) + 1, "", len(self._found)
            self.position += 1
        elif side := self._side():
            since = 0 if after_comma or token == "all" else self._since_side
            sided = [each for each in self._found[since:] if action_unit(each.au_id).sided and each.side is None]
            if not sided:
                self.position = start
                return False
            for each in sided:
                each.side = side
            self._since_side = len(self._found)
        elif token in _verbs():
            self._verb = token
            self.position += 1
        else:
            return self._object_list()
        return True

    def _side(self) -> Side | None:
        start = self.position + (self._tokens[self.position] == "all")
        for side, phrase in default_wording().sides.items():
            words = phrase.split()
            if list(self._tokens[start : start + len(words)]) == words:
                self.position = start + len(words)
                return side
        return None

    def _object_list(self) -> bool:
        """Read objects and the end of their verb."""
        start, objects = self.position, list[_Object]()
        if self._tokens[start] in {"it", "them"}:
            self.position, objects = start + 1, self._objects
        else:
            while named := self._objects_at(self.position + self._separators()):
                objects += named
        rest = " ".join(self._tokens[self.position :])
        ends = sorted({end for verb, end, _ in _known() if verb == self._verb}, key=len, reverse=True)
        for end in ends:
            au_ids = [_known().get((self._verb, end, words)) for words, _ in objects]
            if objects and None not in au_ids and re.match(rf"{end}\b" if end else "", rest):
                self.position += len(end.split())
                self._objects = objects
                sides = [side for _, side in objects]
                found = [_Found(au_id, self._level, side) for au_id, side in zip(au_ids, sides, strict=True) if au_id]
                self._found += found
                return all(each.side is None or action_unit(each.au_id).sided for each in found)
        self.position = start
        return False

    def _separators(self) -> int:
        """Return how many words of a list stand before the next object."""
        count = 0
        while self.position + count < len(self._tokens) and self._tokens[self.position + count] in {",", "and", "the"}:
            count += 1
        return count

    def _objects_at(self, start: int) -> list[_Object]:
        """Return the objects named there: "lips", or both of "left inner and outer brow"; move behind them."""
        side = next((side for side in ONE_SIDED if list(self._tokens[start : start + 1]) == [side.value]), None)
        start += side is not None
        words = list(self._tokens[start : start + 4])
        for count, named in (
            (4, [f"{words[0]} {words[3]}", f"{words[2]} {words[3]}"] if words[1:2] == ["and"] and words[3:] else []),
            (2, [" ".join(words[:2])]),
            (1, [words[0]] if words else []),
        ):
            if named and all(name in _nouns() for name in named):
                self.position = start + count
                return [(name, side) for name in named]
        return []


@cache
def _known() -> dict[tuple[str, str, str], int]:
    """The AU of each verb, end and object."""
    return {
        (phrase.verb, phrase.end, words): au_id
        for au_id, movement in note_wording().movements.items()
        for phrase in (movement.phrase, movement.beside_phrase)
        for words in (movement.one, movement.many)
    }


@cache
def _verbs() -> frozenset[str]:
    return frozenset(verb for verb, _, _ in _known())


@cache
def _nouns() -> frozenset[str]:
    return frozenset(words for _, _, words in _known())


@cache
def _left_out() -> dict[str, int]:
    note = note_wording()
    return {note.left_out(count): count for count in range(1, len(note.counts) + 1)}
