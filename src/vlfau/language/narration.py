"""Texts of a language model held to verified facts: what the facts do not support is struck, sentence by sentence.

A sentence is kept only if it claims something, the facts support all its claims, and it holds no word or number that
could say more. What counts as neutral is data (`narration.toml`).
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from vlfau.facs import AUState, Side, action_unit, intensity_letter
from vlfau.language.claims import MAX_CHARACTERS, Claim, read_claims
from vlfau.language.face_notes import face_note
from vlfau.language.free_lexicon import lexicon, split_codes, split_sentences, tagged

__all__ = ["Facts", "Narrative", "StruckSentence", "check_narrative"]

_FILE: Final = Path(__file__).with_name("narration.toml")
_UNCHECKED: Final = frozenset({"hedge", "unlike", "mirror"})
"""Kinds of words that turn a claim into none, or round."""
_NUMBER: Final = re.compile(r"(\d+(?:[.:]\d+)*)(?: of the ([\w'’]+))?")  # noqa: RUF001
_DEGREE_LETTER: Final = re.compile(r"\b(?:degree|level|intensity|grade)s?(?: of| is|:)? ?\(?([A-E])\b")
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")  # noqa: RUF001


@dataclass(frozen=True)
class Facts:
    """What was verified of a face.

    Attributes:
        states: The states of its AUs; in a video, of each event, so that an AU may occur several times.
        further: Further facts as lines of text, such as measurements and the times of events. Their words and numbers
            may be used.
    """

    states: tuple[AUState, ...]
    further: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return the facts as lines of text."""
        active = sorted((state for state in self.states if state.active), key=lambda state: -(state.intensity or 0))
        lines = [f"active: {_line(state)}" for state in dict.fromkeys(active)]
        acting = {state.au_id for state in active}
        idle = dict.fromkeys(state.au_id for state in self.states if state.au_id not in acting)
        if idle:
            lines.append("not active: " + ", ".join(f"AU {au_id} ({action_unit(au_id).name})" for au_id in idle))
        return [*lines, *self.further]

    def objection(self, claim: Claim) -> str | None:
        """Return why the facts do not support a claim; None if they do."""
        return next(self._objections(claim), None)

    def _objections(self, claim: Claim) -> Iterator[str]:
        label = f"AU {claim.au_id}"
        about = [state for state in self.states if state.au_id == claim.au_id]
        acting = [state for state in about if state.active]
        if not about:
            yield f"nothing is known of {label}"
        elif not claim.active:
            if any(_acts_on(state.side, claim.side) for state in acting):
                yield f"{label} is active"
        elif not acting:
            yield f"{label} is not active"
        else:
            on_side = [state for state in acting if claim.side in {None, state.side}]
            if not on_side:
                yield f"{label} is not known to act on the side named"
            elif claim.intensity and all(state.intensity != claim.intensity for state in on_side):
                yield f"{label} does not have the degree named"


@dataclass(frozen=True, slots=True)
class StruckSentence:
    """A sentence that was struck, and why."""

    sentence: str
    reason: str


@dataclass(frozen=True, slots=True)
class Narrative:
    """A text held to the facts.

    Attributes:
        text: The sentences that were kept. If none was, the note on the face that vlfau composes itself.
        struck: The others, each once.
        missing: The active AUs that the kept sentences do not name.
        is_own: Whether no sentence was kept, and the text is vlfau's own.
    """

    text: str
    struck: tuple[StruckSentence, ...]
    missing: tuple[int, ...]
    is_own: bool = field(default=False)


def check_narrative(text: str, facts: Facts) -> Narrative:
    """Strike every sentence of a text that the facts do not support.

    Args:
        text: By a language model.
        facts: The only things that it may say.

    >>> smile = Facts((AUState(12, True, 3), AUState(4, False)))
    >>> check_narrative("The lip corners are raised. The brows are lowered.", smile).text
    'The lip corners are raised.'
    """
    kept: list[str] = []
    struck: list[StruckSentence] = []
    named: set[int] = set()
    for sentence in split_sentences(text[:MAX_CHARACTERS]):
        claims = read_claims(sentence).claims
        reason = next(_objections(sentence, facts), None)
        if reason is None:
            kept.append(sentence)
            named |= {claim.au_id for claim in claims if claim.active}
        else:
            struck.append(StruckSentence(sentence, reason))
    if len(text) > MAX_CHARACTERS:
        rest = " ".join(split_sentences(text[MAX_CHARACTERS : MAX_CHARACTERS + 40]))
        struck.append(StruckSentence(f"{rest}...", "the text is too long"))
    active = sorted({state.au_id for state in facts.states if state.active})
    if kept:
        missing = tuple(au_id for au_id in active if au_id not in named)
        return Narrative(" ".join(kept), tuple(dict.fromkeys(struck)), missing)
    own = {state.au_id: state for state in sorted(facts.states, key=lambda state: state.active)}
    return Narrative(face_note(tuple(own.values())), tuple(dict.fromkeys(struck)), (), is_own=True)


def _objections(sentence: str, facts: Facts) -> Iterator[str]:
    """Yield the reasons why a sentence must be struck."""
    read = read_claims(sentence)
    words = [word.replace("’", "'") for word in _WORD.findall(sentence.lower())]  # noqa: RUF001
    felt = sorted(set(words) & _wording()["feelings"])
    if felt:
        yield f"it speaks of feelings or intentions: {', '.join(felt)}"
    if sentence.endswith("?"):
        yield "it is a question"
    if read.unknown_aus:
        yield f"vlfau does not know AU {', AU '.join(map(str, read.unknown_aus))}"
    if read.contradictions:
        yield "it contradicts itself"
    yield from filter(None, map(facts.objection, read.claims))
    about = {claim.au_id for claim in read.claims}
    held = {state.intensity for state in facts.states if state.au_id in about}
    if wrong := [degree for degree in _degrees(sentence) if degree not in held]:
        yield f"the facts do not hold the degree {intensity_letter(wrong[0])} for these AUs"
    if not read.claims:
        yield "it says nothing that can be checked"
    known = "\n".join(facts.lines()).lower()
    allowed = _wording()["neutral"] | _checked_words() | set(_WORD.findall(known))
    strange = [word for word in words if word.removesuffix("'s") not in allowed and not _is_compound(word, allowed)]
    if strange:
        yield f"it uses words that cannot be checked: {', '.join(dict.fromkeys(strange))}"
    numbers = _numbers(split_codes(sentence)[0])
    if odd := [number for number, unit in numbers if not _holds(facts, number, unit, about)]:
        yield f"the facts do not hold the number {odd[0]} for these AUs"


def _degrees(sentence: str) -> Iterator[int]:
    """Yield every degree that a sentence names, also those that the reader takes for none."""
    yield from (word.intensity for word in tagged(sentence) if word.intensity)
    yield from ("ABCDE".index(letter) + 1 for letter in _DEGREE_LETTER.findall(sentence))


def _numbers(text: str) -> list[tuple[str, str]]:
    """Return the numbers of a text, each with the word behind "of the" where that follows, such as "squared"."""
    return [(found[1], found[2] or "") for found in _NUMBER.finditer(text)]


def _holds(facts: Facts, number: str, unit: str, au_ids: Set[int]) -> bool:
    """Return whether a further fact about all of these AUs, or about none by name, has a number, and in this unit."""
    for line in facts.further:
        text, named = split_codes(line)
        numbers = _numbers(text)
        shared = next((own_unit for _, own_unit in numbers if own_unit), "")
        told = any(number == own and unit in {"", own_unit or shared} for own, own_unit in numbers)
        if told and (not named or au_ids <= named):
            return True
    return False


def _is_compound(word: str, allowed: Set[str]) -> bool:
    return "-" in word and set(word.split("-")) <= allowed


def _acts_on(side: Side | None, denied: Side | None) -> bool:
    """Return whether an AU that acts on a side speaks against its denial on another."""
    return denied in {None, Side.BOTH} or side in {None, Side.BOTH, denied}


def _line(state: AUState) -> str:
    words = face_note((state,)).removeprefix("This person ").rstrip(".")
    degree = "" if state.intensity is None else f", degree {intensity_letter(state.intensity)}"
    return f"{words} (AU {state.au_id}, {action_unit(state.au_id).name}{degree})"


@cache
def _wording() -> Mapping[str, frozenset[str]]:
    table = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {key: frozenset(word for line in lines for word in line.split()) for key, lines in table.items()}


@cache
def _checked_words() -> frozenset[str]:
    """The words whose meaning claims hold; words of possibility are not among them."""
    return frozenset(
        token.removesuffix("'s")
        for tokens, word in lexicon().phrases.items()
        for token in tokens
        if word.part or word.action or word.names or (len(tokens) == 1 and word.kind not in _UNCHECKED)
    )
