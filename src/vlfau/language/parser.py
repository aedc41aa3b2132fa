"""Words to AU states: what a description says, or that it is unclear.

Every text of the grammar is parsed back exactly. Texts of a language model may mix paraphrases or contain a wrong
word: they are read sentence by sentence (global ones phrase by phrase), and unclear parts are reported as unparsed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from vlfau.facs import AUState, Side, action_unit
from vlfau.language.descriptions import Descriptions, default_descriptions
from vlfau.language.matching import Match, PhraseParts, SentenceIndex, split_modifiers
from vlfau.language.tokenizer import sentences, tokenize
from vlfau.language.wording import Gender

__all__ = ["ParsedGlobal", "ParsedLocal", "parse_global", "parse_local"]


@dataclass(frozen=True, slots=True)
class ParsedLocal:
    """What a local description says.

    Attributes:
        au_id: The AU it describes; None if no first sentence of a text is readable (later ones only illustrate) or
            sentences disagree.
        active: Whether it says that the AU is active; None likewise.
        intensity: The degree it names, 1 to 5; None if it names none or several.
        side: The side it names; None if it names none or several.
        unparsed: The sentences that could not be read.
        contradiction: Whether it disagrees with itself: about AU, state, degree or side.
        trace: Whether it says that an inactive AU shows at most a trace, and nowhere that it is at rest.
    """

    au_id: int | None
    active: bool | None
    intensity: int | None
    side: Side | None
    unparsed: tuple[str, ...]
    contradiction: bool
    trace: bool = False

    @property
    def state(self) -> AUState | None:
        """The state it describes; None if unclear."""
        if self.au_id is None or self.active is None or self.contradiction:
            return None
        return AUState(self.au_id, self.active, self.intensity, self.side, self.trace)

    @property
    def complete(self) -> bool:
        """Whether every sentence was read and all agree."""
        return self.state is not None and not self.unparsed


@dataclass(frozen=True, slots=True)
class ParsedGlobal:
    """What a global description says.

    Attributes:
        gender: The gender it names; None if it says "person", names none or both.
        states: The active AUs it names, in catalogue order; degree and side are None if it names none or
            several.
        no_action: Whether it says that no AU is active, or none beyond a trace.
        unparsed: The phrases and openings that could not be read.
        contradiction: Whether it disagrees with itself.
        trace: Whether it says that no AU is active but allows for a trace.
        more: Number of further active AUs that it counts without naming them.
    """

    gender: Gender | None
    states: tuple[AUState, ...]
    no_action: bool
    unparsed: tuple[str, ...]
    contradiction: bool
    trace: bool = False
    more: int = 0

    @property
    def complete(self) -> bool:
        """Whether it says something, all of it was read, and it does not contradict itself."""
        return (bool(self.states) or self.no_action) and not self.unparsed and not self.contradiction


Tokens: TypeAlias = tuple[str, ...]


def parse_local(text: str, descriptions: Descriptions | None = None) -> ParsedLocal:
    """Read a local description.

    Args:
        text: A text by a person, the grammar or a language model.
        descriptions: The texts that its author used; None means the package's own.

    >>> parse_local("The chin is slightly pushed up by the mentalis.").state
    AUState(au_id=17, active=True, intensity=2, side=None, trace=False)
    """
    descriptions = descriptions or default_descriptions()
    index, statements = _local_index(descriptions), _statements(descriptions)
    parts: list[PhraseParts] = []
    matches: list[Match[tuple[int, bool]]] = []
    unparsed: list[str] = []
    for sentence in sentences(tokenize(text)):
        parts.append(split_modifiers(sentence, descriptions.wording))
        match = index.find(parts[-1].core)
        if match is None:
            unparsed.append(" ".join(sentence))
        else:
            matches.append(match)
    keys = {match.key for match in matches}
    stated = {statements[match.sentence] for match in matches if match.sentence in statements}
    if len(keys) == 1 and stated:
        au_id, active = keys.pop()
        state, contradiction = _agreed(au_id, active, parts)
        trace = stated == {True}
        return ParsedLocal(au_id, active, state.intensity, state.side, tuple(unparsed), contradiction, trace)
    return ParsedLocal(None, None, None, None, tuple(unparsed), contradiction=len(keys) > 1)


def parse_global(text: str, descriptions: Descriptions | None = None) -> ParsedGlobal:
    """Read a global description.

    Args:
        text: A text by a person, the grammar or a language model.
        descriptions: The texts that its author used; None means the package's own.

    >>> parse_global("This man parts the lips and closes the eyes.").states[0].au_id
    25
    """
    descriptions = descriptions or default_descriptions()
    wording, index = descriptions.wording, _global_index(descriptions)
    subjects = {tuple(tokenize(opening)): gender for gender, opening in wording.subjects.items()}
    known = {*subjects, *(tuple(tokenize(opening)) for opening in wording.follow_ups)}
    openings = sorted(known, key=len, reverse=True)  # One may begin with another.
    of_trace = {tuple(tokenize(line)) for line in wording.trace}
    idle: set[bool] = set()
    genders: set[Gender | None] = set()
    read: dict[int | None, list[PhraseParts]] = {}
    unparsed: list[str] = []
    for sentence in sentences(tokenize(text)):
        opening, rest = _split_opening(sentence, openings, descriptions)
        if opening in subjects:
            genders.add(subjects[opening])
        elif opening and opening not in openings:
            unparsed.append(" ".join(opening))
        for phrase in _phrases(rest):
            parts = split_modifiers(phrase, wording)
            match = index.find(parts.core)
            if match is None:
                unparsed.append(" ".join(phrase))
            else:
                read.setdefault(match.key, []).append(parts)
                idle |= {match.sentence in of_trace} if match.key is None else set()
    return _summary(genders, read, tuple(unparsed), trace=idle == {True})


@lru_cache(maxsize=16)
def _local_index(descriptions: Descriptions) -> SentenceIndex[tuple[int, bool]]:
    known = (
        (sentence, (unit.au_id, active))
        for unit in descriptions.units.values()
        for active, templates in ((True, unit.active), (False, (*unit.inactive, *unit.trace)))
        for template in templates
        for core in template.cores
        for sentence in sentences(tokenize(core))
    )
    return SentenceIndex(known, descriptions.wording)


@lru_cache(maxsize=16)
def _statements(descriptions: Descriptions) -> Mapping[Tokens, bool]:
    """The first sentences of local texts: they state the action, and later ones illustrate it.

    Returns:
        For each sentence, whether it says "at most a trace".
    """
    return {
        next(sentences(tokenize(core))): text in unit.trace
        for unit in descriptions.units.values()
        for text in unit.locals
        for core in text.cores
    }


@lru_cache(maxsize=16)
def _global_index(descriptions: Descriptions) -> SentenceIndex[int | None]:
    """The verb phrases of every AU; the key of a phrase that says no AU acts is None."""
    known: dict[Tokens, int | None] = {
        tuple(tokenize(core)): unit.au_id
        for unit in descriptions.units.values()
        for template in unit.phrases
        for core in template.cores
    }
    idle = (*descriptions.wording.no_action, *descriptions.wording.trace)
    known |= dict.fromkeys((tuple(tokenize(text)) for text in idle), None)
    return SentenceIndex(known.items(), descriptions.wording)


def _split_opening(sentence: Tokens, openings: Sequence[Tokens], descriptions: Descriptions) -> tuple[Tokens, Tokens]:
    """Split a sentence where its opening ends; an unknown opening ends where a known phrase begins."""
    for opening in openings:
        if sentence[: len(opening)] == opening:
            return opening, sentence[len(opening) :]
    for length in range(max(map(len, openings)) + 1):
        first = next(_phrases(sentence[length:]), ())
        if _global_index(descriptions).find_exact(split_modifiers(first, descriptions.wording).core):
            return sentence[:length], sentence[length:]
    return (), sentence


def _phrases(tokens: Tokens) -> Iterator[Tokens]:
    """Yield the phrases between commas and "and"."""
    phrase: list[str] = []
    for token in (*tokens, ","):
        if token not in {",", "and"}:
            phrase.append(token)
        elif phrase:
            yield tuple(phrase)
            phrase = []


def _agreed(au_id: int, active: bool, parts: Sequence[PhraseParts]) -> tuple[AUState, bool]:
    """Return the state with the one degree and the one side that the parts name, and whether they clash."""
    intensities = frozenset[int]().union(*(part.intensities for part in parts))
    sides = frozenset[Side]().union(*(part.sides for part in parts))
    misplaced = (bool(intensities) and not active) or (bool(sides) and not (active and action_unit(au_id).sided))
    intensity = next(iter(intensities)) if active and len(intensities) == 1 else None
    side = next(iter(sides)) if not misplaced and len(sides) == 1 else None
    clash = misplaced or len(intensities) > 1 or len(sides) > 1
    return AUState(au_id, active, intensity, side), clash


def _summary(
    genders: set[Gender | None],
    read: Mapping[int | None, Sequence[PhraseParts]],
    unparsed: tuple[str, ...],
    *,
    trace: bool,
) -> ParsedGlobal:
    states: list[AUState] = []
    contradiction = len(genders) > 1 or (None in read and len(read) > 1)
    for au_id, parts in read.items():
        if au_id is None:
            contradiction |= any(part.intensities or part.sides for part in parts)
        else:
            state, clash = _agreed(au_id, True, parts)
            states.append(state)
            contradiction |= clash
    return ParsedGlobal(
        gender=next(iter(genders)) if len(genders) == 1 else None,
        states=tuple(sorted(states, key=lambda state: state.au_id)),
        no_action=None in read,
        unparsed=unparsed,
        contradiction=contradiction,
        trace=trace,
    )
