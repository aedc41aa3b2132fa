"""Free English to AU states: what a text by a person or a language model claims about a face.

A phrase claims an AU if it names it ("AU 12", "lip corner puller", "zygomaticus major", "smile") or says what it does
to a part of the face ("raised mouth corners"). Negations, degrees and sides belong to their phrase; possibilities,
questions and general knowledge claim nothing. The words are data (`free_english.toml`).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Final

from vlfau.errors import DescriptionError
from vlfau.facs import AUState, Side, action_unit, all_au_ids
from vlfau.language.free_lexicon import Word, lexicon, split_sentences, tagged
from vlfau.language.note_parser import parse_note
from vlfau.language.parser import parse_local
from vlfau.language.phrases import Phrase, clauses

__all__ = ["MAX_CHARACTERS", "Claim", "Claims", "read_claims"]

MAX_CHARACTERS: Final = 100_000
"""Longer texts are no descriptions of a face."""
_JAW_DROP: Final = 26
_MAX_OWN: Final = 1_000
"""Texts of the grammar are shorter."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement about one AU of a face.

    Attributes:
        au_id: FACS number.
        active: Whether it says that the AU acts.
        intensity: The degree that it names, 1 to 5; None if none.
        side: The side that it names; None if none. A denial of one side claims nothing about the other.
    """

    au_id: int
    active: bool
    intensity: int | None = None
    side: Side | None = None


@dataclass(frozen=True, slots=True)
class Claims:
    """What a text claims.

    Attributes:
        claims: Its claims, each once, in order.
        unknown_aus: Numbers of AUs that the catalogue lacks.
        unread: The sentences in which no claim was found.
    """

    claims: tuple[Claim, ...]
    unknown_aus: tuple[int, ...]
    unread: tuple[str, ...]

    @property
    def contradictions(self) -> tuple[int, ...]:
        """The AUs about which the text disagrees with itself: in state, degree or side."""
        return tuple(sorted({one.au_id for one in self.claims for other in self.claims if _disagree(one, other)}))

    @property
    def states(self) -> dict[int, AUState]:
        """The state of every AU that it claims without contradiction, by number."""
        found: dict[int, AUState] = {}
        for au_id in dict.fromkeys(claim.au_id for claim in self.claims):
            about = [claim for claim in self.claims if claim.au_id == au_id]
            if au_id in self.contradictions:
                continue
            active = [claim for claim in about if claim.active]
            if active:
                level = max((claim.intensity for claim in active if claim.intensity), default=None)
                found[au_id] = AUState(au_id, True, level, _joined(claim.side for claim in active))
            elif any(claim.side in {None, Side.BOTH} for claim in about):
                found[au_id] = AUState(au_id, active=False)
        return found


@lru_cache(maxsize=1 << 14)
def read_claims(text: str) -> Claims:
    """Read what a text claims about a face.

    Args:
        text: English by anyone.

    Raises:
        DescriptionError: It has more than 100,000 characters.

    >>> [(claim.au_id, claim.active) for claim in read_claims("She smiles, but her brows aren't raised.").claims]
    [(12, True), (1, False), (2, False)]
    """
    if len(text) > MAX_CHARACTERS:
        raise DescriptionError(f"a text has {len(text):,} characters, at most {MAX_CHARACTERS:,} are read; shorten it")
    own = _own(text)
    if own is not None:
        return Claims(own, (), ())
    claims: list[Claim] = []
    unknown: list[int] = []
    unread: list[str] = []
    for sentence in split_sentences(text):
        reader = _SentenceReader()
        if not sentence.endswith("?"):
            reader.read(tagged(sentence))
        claims += reader.claims
        unknown += reader.unknown_aus
        if not reader.claims and not reader.unknown_aus:
            unread.append(sentence)
    return Claims(tuple(dict.fromkeys(claims)), tuple(dict.fromkeys(unknown)), tuple(unread))


def _own(text: str) -> tuple[Claim, ...] | None:
    """Return what a text of this package's grammar says; None for any other text.

    Its sentences also tell general knowledge, which only its own parsers know as such.
    """
    if len(text) > _MAX_OWN:
        return None
    local = parse_local(text)
    if local.complete and local.state is not None:
        states: tuple[AUState, ...] = (local.state,)
    else:
        note = parse_note(text)
        if not note.complete:
            return None
        states = note.states
    return tuple(Claim(state.au_id, state.active, state.intensity, state.side) for state in states)


def _disagree(one: Claim, other: Claim) -> bool:
    if one.au_id != other.au_id or one == other:
        return False
    if one.active and other.active:
        degrees = {one.intensity, other.intensity} - {None}
        same_side = one.side == other.side or None in {one.side, other.side}
        return len(degrees) > 1 and same_side
    if one.active == other.active:
        return False
    acting, denied = (one, other) if one.active else (other, one)
    whole = denied.side in {None, Side.BOTH}
    return whole or acting.side in {denied.side, Side.BOTH}


def _joined(sides: Iterable[Side | None]) -> Side | None:
    named = set(sides) - {None}
    return None if not named else next(iter(named)) if len(named) == 1 else Side.BOTH


class _SentenceReader:
    """Reads the phrases of a sentence from left to right."""

    def __init__(self) -> None:
        self.claims: list[Claim] = []
        self.unknown_aus: list[int] = []
        self._last: list[Claim] = []
        """The claims of the phrase before."""
        self._waiting: list[str] = []
        """Parts for which no action has been read yet."""
        self._action, self._parts, self._verb_first = "", list[str](), False
        self._denied = False
        self._coded_last = False
        """Whether the phrase before was no more than AUs by number, without degrees."""
        self._jaw = False
        """Whether the sentence names the jaw: then a mouth is stretched by it, not to the sides."""

    def read(self, words: Sequence[Word]) -> None:
        self._jaw = any(word.part == "jaw" or _JAW_DROP in word.names for word in words)
        for clause in clauses(words):
            if not any(phrase.has("hedge") for phrase in clause):
                self._waiting = []
                for phrase in clause:
                    self._read(phrase)

    def _read(self, phrase: Phrase) -> None:
        if phrase.has("unlike"):
            return
        listed = phrase.after == "and" or phrase.listed or (phrase.after == "comma" and phrase.is_code)
        self._denied &= listed and not (phrase.parts and phrase.has("be"))
        if not phrase.says_something:
            self._qualify(phrase)
            return
        found = list(self._found(phrase))
        if phrase.is_absent:
            found = [replace(claim, active=False, intensity=None) for claim in found]
            if phrase.after == "and" or (listed and self._coded_last):
                self._replace_last(active=False, intensity=None)
        if found:
            self.claims += found
            self._last = [*self._last, *found] if listed and self._coded_last and phrase.is_code else found
            self._coded_last = phrase.is_code and not any(claim.intensity for claim in found)

    def _qualify(self, phrase: Phrase) -> None:
        """Read a phrase such as "on both sides", "strong", "the left one is not" or "absent"."""
        if phrase.has("no") and phrase.side:
            denied = [Claim(claim.au_id, active=False, side=_side_of(claim.au_id, phrase.side)) for claim in self._last]
            self.claims += denied
        elif phrase.has("absent"):
            self._replace_last(active=False, intensity=None)
        elif self._last:
            self._replace_last(intensity=phrase.intensity, side=phrase.side)

    def _replace_last(
        self, *, active: bool | None = None, intensity: int | None = None, side: Side | None = None
    ) -> None:
        changed = [
            Claim(
                claim.au_id,
                claim.active if active is None else active,
                None if active is False else claim.intensity or (intensity if claim.active else None),
                claim.side or _side_of(claim.au_id, side),
            )
            for claim in self._last
        ]
        self.claims[len(self.claims) - len(changed) :] = changed
        self._last = changed

    def _found(self, phrase: Phrase) -> Iterator[Claim]:
        """Yield the claims of a phrase."""
        if phrase.denies_all:
            yield from (Claim(au_id, active=False) for au_id in all_au_ids())
            return
        acted = False
        denied, once = self._denied, False
        for position, word in enumerate(phrase.words):
            denied |= word.kind in {"no", "instead"}
            once |= word.kind == "instead"
            if word.coded:
                yield from self._coded(word, phrase, denied or _denied_behind(phrase.words[position:]))
            elif word.action and (parts := self._parts_of(phrase, position, word.action)):
                acted = True
                self._action, self._parts = word.action, parts
                for part in parts:
                    yield from self._said(part, word.action, phrase, denied)
            elif word.names:
                resting = any(other.action == "still" for other in phrase.words)
                resting |= _denied_behind(phrase.words[position:])
                yield from (self._claim(au_id, phrase, denied or resting) for au_id in word.names)
            if once and (word.coded or word.action or word.names):
                denied = once = False
        self._denied = denied
        if acted:
            self._waiting = []
        elif phrase.parts:
            repeated = self._action and ((self._verb_first and phrase.after in {"and", "comma"}) or phrase.has("be"))
            if repeated:
                for part in phrase.parts:
                    yield from self._said(part, self._action, phrase, denied or self._denied)
            else:
                self._waiting += phrase.parts

    def _parts_of(self, phrase: Phrase, position: int, action: str) -> list[str]:
        """Return the parts that an action is said of: those right behind it, else those before it."""
        words = phrase.words
        before = [word.part for word in words[:position] if word.part]
        passive = position and words[position - 1].kind == "be" and (before or self._waiting)
        if not passive:
            for word in words[position + 1 :]:
                if word.part:
                    if _known(word.part, action):
                        self._verb_first = True
                        return [word.part]
                    break
                if word.kind not in {"filler", "left", "right", "both", "A", "B", "C", "D", "E", "mirror"} and not (
                    word.action and not word.part
                ):
                    break
        self._verb_first = False
        parts = [*self._waiting, *before] or self._parts
        if "inner brow" in parts or "outer brow" in parts:
            parts = [part for part in parts if part != "brow"]
        return [part for part in parts if _known(part, action)]

    def _said(self, part: str, action: str, phrase: Phrase, denied: bool) -> Iterator[Claim]:
        if (
            self._jaw
            and (part, action) == ("mouth", "stretch")
            and not any(w.action == "sideways" for w in phrase.words)
        ):
            action = "stretch open"
        for au_id in lexicon().claimed.get((part, action), ()):
            yield self._claim(au_id, phrase, denied)
        if not denied:
            for au_id in lexicon().denied.get((part, action), ()):
                yield Claim(au_id, active=False, side=_side_of(au_id, phrase.side))

    def _claim(self, au_id: int, phrase: Phrase, denied: bool) -> Claim:
        intensity = None if denied else phrase.intensity
        return Claim(au_id, not denied, intensity, _side_of(au_id, phrase.side))

    def _coded(self, word: Word, phrase: Phrase, denied: bool) -> Iterator[Claim]:
        for code in word.coded:
            if code.au_id in all_au_ids():
                claim = self._claim(code.au_id, phrase, denied or code.intensity == 0)
                yield replace(
                    claim,
                    intensity=code.intensity or claim.intensity if claim.active else None,
                    side=_side_of(code.au_id, code.side) or claim.side,
                )
            else:
                self.unknown_aus.append(code.au_id)


def _known(part: str, action: str) -> bool:
    return (part, action) in lexicon().claimed or (part, action) in lexicon().denied


def _denied_behind(words: Sequence[Word]) -> bool:
    """Return whether words go on with "is not" or "does not"."""
    return any(one.kind == "be" and other.kind == "no" for one, other in pairwise(words))


def _side_of(au_id: int, side: Side | None) -> Side | None:
    return side if action_unit(au_id).sided else None
