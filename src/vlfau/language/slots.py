"""Texts that are made of slots, each filled with one of several word sequences, as a search meets them word by word."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

__all__ = ["SlotText"]

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
