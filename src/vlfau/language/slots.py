"""Texts that are made of slots, each filled with one of several word sequences, as a search meets them word by word."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

__all__ = ["SlotText"]

_FILLED: Final = -1
"""Stands in a trie, in place of a word, where a filling may end."""


class SlotText:
    """All texts that a sequence of slots allows.

    Args:
        slots: For every slot its fillings, as token ids; the last one holds the end.
    """

    def __init__(self, slots: Iterable[Iterable[Sequence[int]]]) -> None:
        self._tries = [_trie(fillings) for fillings in slots]

    def following(self, token_ids: Iterable[int]) -> set[int]:
        """Return the words that may follow the beginning of a text; none follows what no text begins with."""
        places = list(self._reached(0, self._tries[0]))
        for token_id in token_ids:
            places = [
                place for slot, node in places if token_id in node for place in self._reached(slot, node[token_id])
            ]
        return {token_id for _, node in places for token_id in node} - {_FILLED}

    def _reached(self, slot: int, node: dict[int, Any]) -> Iterator[tuple[int, dict[int, Any]]]:
        """Yield a place in a slot and, where a filling ends there, the beginning of the next slot."""
        yield slot, node
        if _FILLED in node and slot + 1 < len(self._tries):
            yield from self._reached(slot + 1, self._tries[slot + 1])


def _trie(fillings: Iterable[Sequence[int]]) -> dict[int, Any]:
    root: dict[int, Any] = {}
    for filling in fillings:
        node = root
        for token_id in filling:
            node = node.setdefault(token_id, {})
        node[_FILLED] = {}
    return root
