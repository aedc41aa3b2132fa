"""The texts that state given decisions, word by word, so that a search can be held to them."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

from vlfau.errors import DescriptionError
from vlfau.facs import AUState, Side, action_unit
from vlfau.language.descriptions import Descriptions, default_descriptions
from vlfau.language.grammar import active_states, global_phrases, global_slots, local_descriptions
from vlfau.language.vocabulary import Vocabulary
from vlfau.language.wording import Gender

__all__ = ["DecidedShapes", "SlotText", "decided_descriptions", "decided_slots"]

_Place = tuple[int, dict[int, Any]]
"""A slot, and how far its filling has come."""

_FILLED: Final = -1
"""Stands in a trie, in place of a word, where a filling may end."""


class SlotText:
    """All texts that a sequence of slots allows.

    Args:
        slots: For every slot its fillings, as token ids; the last one holds the end.
    """

    def __init__(self, slots: Sequence[Sequence[Sequence[int]]]) -> None:
        self._tries = [_trie(fillings) for fillings in slots]
        self.longest = sum(max(map(len, fillings)) for fillings in slots)
        """How many words the longest text has."""
        self._places: dict[tuple[int, ...], list[_Place]] = {(): list(self._reached(0, self._tries[0]))}

    def following(self, beginning: tuple[int, ...]) -> set[int]:
        """Return the words that may follow the beginning of a text; none follows what no text begins with."""
        return {token_id for _, node in self._after(beginning) for token_id in node} - {_FILLED}

    def _after(self, beginning: tuple[int, ...]) -> list[_Place]:
        """Return the places that a beginning leads to, and keep them if there are any."""
        if beginning in self._places:
            return self._places[beginning]
        last = beginning[-1]
        places = [
            place
            for slot, node in self._after(beginning[:-1])
            if last in node
            for place in self._reached(slot, node[last])
        ]
        if places:
            self._places[beginning] = places
        return places

    def _reached(self, slot: int, node: dict[int, Any]) -> Iterator[_Place]:
        """Yield a place in a slot and, where a filling ends there, the beginning of the next slot."""
        yield slot, node
        if _FILLED in node and slot + 1 < len(self._tries):
            yield from self._reached(slot + 1, self._tries[slot + 1])


def _trie(fillings: Sequence[Sequence[int]]) -> dict[int, Any]:
    root: dict[int, Any] = {}
    for filling in fillings:
        node = root
        for token_id in filling:
            node = node.setdefault(token_id, {})
        node[_FILLED] = {}
    return root


def decided_descriptions(au_id: int, active: bool, descriptions: Descriptions | None = None) -> tuple[str, ...]:
    """Return every local description of an AU that is active, of any intensity and side, or not, with or without trace.

    Args:
        au_id: FACS number.
        active: What was decided.
        descriptions: The texts; None means the package's own.

    >>> all("corner" in text for text in decided_descriptions(12, False))
    True
    """
    return _decided_descriptions(au_id, active, descriptions or default_descriptions())


def decided_slots(
    au_ids: Iterable[int], genders: Iterable[Gender | None], descriptions: Descriptions | None = None
) -> list[Sequence[str]]:
    """Return the layout of every global description of a face in which just these AUs act; see `global_slots`.

    >>> [texts[0] for texts in decided_slots([25, 12], [None])]
    ['This person', 'minimally pulls the lip corner up on the left side', 'and', 'minimally parts the lips', '.']
    """
    descriptions = descriptions or default_descriptions()
    active = active_states([AUState(au_id, active=True) for au_id in au_ids])
    return global_slots(genders, [_decided_phrases(state.au_id, descriptions) for state in active], descriptions)


@lru_cache(maxsize=1 << 10)
def _decided_descriptions(au_id: int, active: bool, descriptions: Descriptions) -> tuple[str, ...]:
    if not active:
        absent, trace = (
            local_descriptions(AUState(au_id, False, trace=trace), descriptions) for trace in (False, True)
        )
        return tuple(dict.fromkeys((*absent, *trace)))
    return tuple(text for state in _active_states(au_id) for text in local_descriptions(state, descriptions))


@lru_cache(maxsize=1 << 10)
def _decided_phrases(au_id: int, descriptions: Descriptions) -> tuple[str, ...]:
    return tuple(text for state in _active_states(au_id) for text in global_phrases(state, descriptions))


def _active_states(au_id: int) -> list[AUState]:
    """Return the active states of an AU, of every intensity and side."""
    sides = tuple(Side) if action_unit(au_id).sided else (None,)
    return [AUState(au_id, active=True, intensity=intensity, side=side) for intensity in range(1, 6) for side in sides]


class DecidedShapes:
    """Makes the shapes of captions that must state what was decided.

    Args:
        vocabulary: Of the decoder. Wordings whose words it lacks are left out.
        descriptions: The texts that the decoder learned; None means the package's own.
    """

    def __init__(self, vocabulary: Vocabulary, descriptions: Descriptions | None = None) -> None:
        self._vocabulary, self._descriptions = vocabulary, descriptions
        self._end = [[vocabulary.eos_id]]
        self._of_aus: dict[tuple[int, bool], SlotText] = {}
        self._encoded: dict[tuple[str, ...], list[list[int]]] = {}

    def of_au(self, au_id: int, active: bool) -> SlotText:
        """Return the local texts of an AU that is active, with any degree and side, or inactive.

        Raises:
            DescriptionError: The vocabulary has the words of none.
        """
        if (au_id, active) not in self._of_aus:
            texts = self._known(decided_descriptions(au_id, active, self._descriptions))
            self._of_aus[au_id, active] = SlotText([texts, self._end])
        return self._of_aus[au_id, active]

    def of_face(self, au_ids: Iterable[int], genders: Sequence[Gender | None]) -> SlotText:
        """Return the global texts of a face in which just these AUs act, of a subject that may be called so.

        Raises:
            DescriptionError: The vocabulary has the words of none.
        """
        slots = decided_slots(au_ids, genders, self._descriptions)
        return SlotText([*map(self._known, slots), self._end])

    def _known(self, texts: Sequence[str]) -> list[list[int]]:
        texts = tuple(texts)
        if texts not in self._encoded:
            known, unknown = [], None
            for text in texts:
                try:
                    known.append(self._vocabulary.encode_words(text))
                except DescriptionError as error:
                    unknown = error
            if not known and unknown:
                raise unknown
            self._encoded[texts] = known
        return self._encoded[texts]
