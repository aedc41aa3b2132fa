"""Constrained decoding: captions whose text must state given AU states, as a trie of allowed tokens."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

from vlfau.errors import DescriptionError
from vlfau.facs import AUState, Side, action_unit
from vlfau.language.descriptions import Descriptions, default_descriptions
from vlfau.language.grammar import active_states, global_phrases, global_slots, local_descriptions
from vlfau.language.vocabulary import Vocabulary
from vlfau.language.wording import Gender

__all__ = ["CaptionConstraint", "StateConstraints", "allowed_global_slots", "allowed_local_descriptions"]

_Position = tuple[int, dict[int, Any]]
"""Index of a slot, and the node that its trie has reached."""

_END: Final = -1
"""Key of a trie node, in place of a token, where a filling may end."""


class CaptionConstraint:
    """Allows only the texts that fill a sequence of slots, one filling per slot.

    Args:
        slots: The fillings of every slot, as token ids; the last slot holds the end token.
    """

    def __init__(self, slots: Sequence[Sequence[Sequence[int]]]) -> None:
        self._tries = [_trie(fillings) for fillings in slots]
        self.max_length = sum(max(map(len, fillings)) for fillings in slots)
        """Number of tokens of the longest allowed text, with its end."""
        self._positions: dict[tuple[int, ...], list[_Position]] = {(): list(self._expanded(0, self._tries[0]))}

    def allowed_tokens(self, prefix: tuple[int, ...]) -> set[int]:
        """Return the tokens that may follow a prefix; none if no allowed text begins with it."""
        return {token_id for _, node in self._positions_after(prefix) for token_id in node} - {_END}

    def _positions_after(self, prefix: tuple[int, ...]) -> list[_Position]:
        """Return the positions that a prefix leads to, and cache them if there are any."""
        if prefix in self._positions:
            return self._positions[prefix]
        last = prefix[-1]
        positions = [
            position
            for slot, node in self._positions_after(prefix[:-1])
            if last in node
            for position in self._expanded(slot, node[last])
        ]
        if positions:
            self._positions[prefix] = positions
        return positions

    def _expanded(self, slot: int, node: dict[int, Any]) -> Iterator[_Position]:
        """Yield a position and, where a filling ends there, the beginning of the next slot."""
        yield slot, node
        if _END in node and slot + 1 < len(self._tries):
            yield from self._expanded(slot + 1, self._tries[slot + 1])


def _trie(fillings: Sequence[Sequence[int]]) -> dict[int, Any]:
    root: dict[int, Any] = {}
    for filling in fillings:
        node = root
        for token_id in filling:
            node = node.setdefault(token_id, {})
        node[_END] = {}
    return root


def allowed_local_descriptions(au_id: int, active: bool, descriptions: Descriptions | None = None) -> tuple[str, ...]:
    """Return every local description that states an AU as active or inactive.

    Active texts have any intensity and side; inactive ones come with and without trace.

    Args:
        au_id: FACS number.
        active: The state that the texts must have.
        descriptions: The texts; None means the package's own.

    >>> all("corner" in text for text in allowed_local_descriptions(12, False))
    True
    """
    return _allowed_local_descriptions(au_id, active, descriptions or default_descriptions())


def allowed_global_slots(
    au_ids: Iterable[int], genders: Iterable[Gender | None], descriptions: Descriptions | None = None
) -> list[Sequence[str]]:
    """Return the slots of the global descriptions in which exactly these AUs are active; see `global_slots`.

    >>> [texts[0] for texts in allowed_global_slots([25, 12], [None])]
    ['This person', 'minimally pulls the lip corner up on the left side', 'and', 'minimally parts the lips', '.']
    """
    descriptions = descriptions or default_descriptions()
    active = active_states([AUState(au_id, active=True) for au_id in au_ids])
    return global_slots(genders, [_allowed_phrases(state.au_id, descriptions) for state in active], descriptions)


@lru_cache(maxsize=1 << 10)
def _allowed_local_descriptions(au_id: int, active: bool, descriptions: Descriptions) -> tuple[str, ...]:
    if not active:
        absent, trace = (
            local_descriptions(AUState(au_id, False, trace=trace), descriptions) for trace in (False, True)
        )
        return tuple(dict.fromkeys((*absent, *trace)))
    return tuple(text for state in _active_states(au_id) for text in local_descriptions(state, descriptions))


@lru_cache(maxsize=1 << 10)
def _allowed_phrases(au_id: int, descriptions: Descriptions) -> tuple[str, ...]:
    return tuple(text for state in _active_states(au_id) for text in global_phrases(state, descriptions))


def _active_states(au_id: int) -> list[AUState]:
    """Return the active states of an AU, of every intensity and side."""
    sides = tuple(Side) if action_unit(au_id).sided else (None,)
    return [AUState(au_id, active=True, intensity=intensity, side=side) for intensity in range(1, 6) for side in sides]


class StateConstraints:
    """Makes the constraints of captions that must state given AU states.

    Args:
        vocabulary: That of the decoder. Texts with words that it lacks are left out.
        descriptions: The texts that the decoder learned; None means the package's own.
    """

    def __init__(self, vocabulary: Vocabulary, descriptions: Descriptions | None = None) -> None:
        self._vocabulary, self._descriptions = vocabulary, descriptions
        self._end = [[vocabulary.eos_id]]
        self._by_au: dict[tuple[int, bool], CaptionConstraint] = {}
        self._cache: dict[tuple[str, ...], list[list[int]]] = {}

    def for_au(self, au_id: int, active: bool) -> CaptionConstraint:
        """Return the constraint of a local caption: the AU is active, with any degree and side, or inactive.

        Raises:
            DescriptionError: The vocabulary lacks words of every such text.
        """
        if (au_id, active) not in self._by_au:
            texts = self._encode(allowed_local_descriptions(au_id, active, self._descriptions))
            self._by_au[au_id, active] = CaptionConstraint([texts, self._end])
        return self._by_au[au_id, active]

    def for_face(self, au_ids: Iterable[int], genders: Sequence[Gender | None]) -> CaptionConstraint:
        """Return the constraint of a global caption: exactly these AUs are active.

        Args:
            au_ids: The active AUs.
            genders: Those in which the caption may speak of the subject.

        Raises:
            DescriptionError: The vocabulary lacks words of every such text.
        """
        slots = allowed_global_slots(au_ids, genders, self._descriptions)
        return CaptionConstraint([*map(self._encode, slots), self._end])

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of the texts whose words the vocabulary has."""
        texts = tuple(texts)
        if texts not in self._cache:
            known, unknown = [], None
            for text in texts:
                try:
                    known.append(self._vocabulary.encode_words(text))
                except DescriptionError as error:
                    unknown = error
            if not known and unknown:
                raise unknown
            self._cache[texts] = known
        return self._cache[texts]
