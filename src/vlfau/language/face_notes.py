"""A face in a sentence or two: active AUs by strength, with sides and degrees merged.

    This person strongly raises the cheeks and lip corners, and markedly tightens the lids, all on both sides.

A note is composed from states alone, so it says nothing else. The phrases are data (`face_notes.toml`), and
`vlfau.language.note_parser` reads a note back exactly.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from vlfau.errors import DescriptionError
from vlfau.facs import AUState, Side, action_unit, all_au_ids
from vlfau.language.descriptions import default_wording
from vlfau.language.grammar import active_states, even_sizes
from vlfau.language.wording import Gender

__all__ = ["ONE_SIDED", "Movement", "NoteWording", "Phrase", "face_note", "note_wording"]

_FILE: Final = Path(__file__).with_name("face_notes.toml")
_CHOICE: Final = re.compile(r"\{([^{}|]*)\|([^{}|]*)\}")
_SIDE_ORDER: Final = (Side.BOTH, Side.LEFT, Side.RIGHT, None)
_REGIONS: Final = ("brow", "eye", "cheek", "nose", "mouth", "chin", "jaw")
ONE_SIDED: Final = (Side.LEFT, Side.RIGHT)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A verb and what follows its object, such as `presses ... together`; `end` may be empty."""

    verb: str
    end: str


@dataclass(frozen=True, slots=True)
class Movement:
    """What an AU does.

    Attributes:
        phrase: Its verb.
        one: The object where one side acts, such as `inner brow`.
        many: The object otherwise.
        beside: AUs beside which another phrase is used.
        beside_phrase: This phrase.
    """

    phrase: Phrase
    one: str
    many: str
    beside: frozenset[int]
    beside_phrase: Phrase

    def phrase_among(self, au_ids: Iterable[int]) -> Phrase:
        """Return the phrase to use where these AUs act."""
        return self.phrase if self.beside.isdisjoint(au_ids) else self.beside_phrase

    def object_on(self, side: Side | None) -> str:
        """Return the object without article: "right cheek", or "cheeks" if both act or the side is unknown."""
        return f"{side.value} {self.one}" if side in ONE_SIDED else self.many


@dataclass(frozen=True, slots=True)
class NoteWording:
    """The content of `face_notes.toml`."""

    limit: int
    per_sentence: int
    idle: str
    trace: str
    more: str
    counts: tuple[str, ...]
    movements: Mapping[int, Movement]

    def left_out(self, count: int) -> str:
        """Return the phrase that counts movements which a note leaves out."""
        text = self.more.replace("{count}", self.counts[count - 1])
        return _CHOICE.sub(r"\1" if count == 1 else r"\2", text)


def face_note(states: Sequence[AUState], gender: Gender | None = None) -> str:
    """Describe a face by its active AUs, the strongest first, in at most 60 words.

    AUs with the same degree share its adverb, those with the same verb share the verb, and "on both sides" is said once
    for all that it holds for. Many AUs make several sentences. If there are too many, the weakest are only counted.

    Args:
        states: The state of each AU; inactive ones are not mentioned. Unknown degrees and sides are left out.
        gender: Names the subject "woman" or "man"; None says "person".

    Raises:
        DescriptionError: An AU is given twice.

    >>> face_note([AUState(6, True, 3, Side.BOTH), AUState(12, True, 3, Side.BOTH)])
    'This person markedly raises the cheeks and lip corners on both sides.'
    """
    wording = note_wording()
    subject = default_wording().subjects[gender]
    # A degree holds until the next one, so those without a degree come first.
    ordered = sorted(active_states(states), key=lambda state: (-(state.intensity or 6), _place(state.au_id)))
    if not ordered:
        return f"{subject} {wording.trace if any(state.trace for state in states) else wording.idle}."
    for count in range(len(ordered), 0, -1):
        text = _note(subject, ordered[:count], len(ordered) - count, wording)
        if len(text.split()) <= wording.limit:
            break
    return text


@cache
def note_wording() -> NoteWording:
    """Return the package's wording of notes, read once.

    Raises:
        DescriptionError: The file is damaged, or an AU of the catalogue is missing.
    """
    table = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    try:
        movements = {int(au_id): _movement(entry) for au_id, entry in table.pop("au").items()}
        wording = NoteWording(
            **table | {"counts": tuple(table["counts"]), "movements": MappingProxyType(dict(sorted(movements.items())))}
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DescriptionError(f"{_FILE}: a key is missing or unknown ({error}); correct it") from None
    if tuple(wording.movements) != all_au_ids():
        raise DescriptionError(f"{_FILE}: expected the AUs {all_au_ids()}, found {tuple(wording.movements)}")
    return wording


def _movement(entry: Mapping[str, Any]) -> Movement:
    phrase = Phrase(entry["verb"], entry.get("end", ""))
    beside = entry.get("beside", {"verb": phrase.verb, "end": phrase.end})
    one, many = (_CHOICE.sub(half, entry["what"]) for half in (r"\1", r"\2"))
    other = Phrase(beside["verb"], beside.get("end", ""))
    return Movement(phrase, one, many, frozenset(beside.get("aus", ())), other)


def _place(au_id: int) -> int:
    """Return the rank of the part of the face that an AU moves, from the top."""
    return _REGIONS.index(action_unit(au_id).region)


def _note(subject: str, states: Sequence[AUState], left_out: int, wording: NoteWording) -> str:
    """Return the note of active states, strongest first, and of a number of others that it only counts."""
    au_ids = frozenset(state.au_id for state in states)
    follow_up = default_wording().follow_ups[0]
    sentences = list[str]()
    for part in _sentences(states, wording.per_sentence):
        sentences.append(f"{follow_up if sentences else subject} {_sentence(part, au_ids)}.")
    if left_out:
        sentences.append(f"{follow_up} {wording.left_out(left_out)}.")
    return " ".join(sentences)


def _sentences(states: Sequence[AUState], most: int) -> Iterator[Sequence[AUState]]:
    """Yield the states of each sentence, about `most` at most; where it is near, a new degree begins a new sentence."""
    start = 0
    for size in even_sizes(len(states), most)[:-1]:
        cuts = [start + size + shift for shift in (0, 1, -1)]
        inside = [cut for cut in cuts if start < cut < len(states)]
        new_degree = [cut for cut in inside if states[cut - 1].intensity != states[cut].intensity]
        end = next(iter([*new_degree, *inside]), len(states))
        yield states[start:end]
        start = end
    if start < len(states):
        yield states[start:]


def _sentence(states: Sequence[AUState], au_ids: frozenset[int]) -> str:
    """Return what follows the subject."""
    words = default_wording()
    levels = [list(level) for _, level in groupby(states, key=lambda state: state.intensity)]
    sided = [{state.side for state in level if action_unit(state.au_id).sided} for level in levels]
    shared = set[Side | None]().union(*sided) == {Side.BOTH} and sum(map(bool, sided)) > 1
    throughout = "all " if all(action_unit(state.au_id).sided for state in states) else ""
    parts = []
    for level in levels:
        degree = level[0].intensity
        text = _listed(_clauses(level, au_ids, names_sides=not shared))
        parts.append(text if degree is None else f"{words.degrees[degree - 1]} {text}")
    return _listed(parts) + (f", {throughout}{words.sides[Side.BOTH]}" if shared else "")


def _clauses(level: Sequence[AUState], au_ids: frozenset[int], *, names_sides: bool) -> list[str]:
    """Return the verb phrases of the states of one degree; those of both sides come first, and it is said once."""
    sides = default_wording().sides
    movements = note_wording().movements
    clauses: list[str] = []
    before: tuple[Phrase | None, list[str]] = (None, [])
    for side in _SIDE_ORDER:
        members = [state for state in level if state.side is side]
        merged: dict[Phrase, list[str]] = {}
        for state in members:
            movement = movements[state.au_id]
            merged.setdefault(movement.phrase_among(au_ids), []).append(movement.object_on(side))
        for phrase, objects in merged.items():
            if phrase == before[0] and not phrase.end:
                clauses[-1] += f" and {_objects(objects)}"  # The verb is not repeated.
                before = phrase, [*before[1], *objects]
            else:
                clauses.append(f"{phrase.verb} {_named(objects, before[1])} {phrase.end}".rstrip())
                before = phrase, objects
        if members and side is Side.BOTH and names_sides:
            clauses[-1] += f" {sides[side]}"
    return clauses


def _named(objects: list[str], before: list[str]) -> str:
    """Return the objects of a verb, or a pronoun if they are those of the verb before."""
    if objects != before:
        return _objects(objects)
    return "it" if len(objects) == 1 and not objects[0].endswith("s") else "them"


def _objects(objects: Sequence[str]) -> str:
    """Return objects as one list: "the inner and outer brows, the upper lids and the cheeks"."""
    by_noun: dict[tuple[str, str], list[str]] = {}
    for words in objects:
        side = next((side.value for side in ONE_SIDED if words.startswith(f"{side.value} ")), "")
        qualifier, _, noun = words.removeprefix(f"{side} ").rpartition(" ")
        by_noun.setdefault((side, noun), []).append(qualifier)
    names = [
        " ".join(filter(None, (side, " and ".join(qualifiers), noun))) for (side, noun), qualifiers in by_noun.items()
    ]
    nested = len(names) > 1 and any(" and " in name for name in names)
    return " and ".join(_parts([f"the {name}" for name in names])) if nested else f"the {_listed(names)}"


def _listed(items: Sequence[str]) -> str:
    """Join items with commas and "and"; a comma stands before the last if an item holds an "and" itself."""
    if len(items) < 2:
        return "".join(items)
    comma = "," if any(" and " in item for item in items) else ""
    return f"{comma} and ".join(_parts(items))


def _parts(items: Sequence[str]) -> tuple[str, str]:
    """Return all items but the last, with commas, and the last."""
    return ", ".join(items[:-1]), items[-1]
