"""The texts that state a decision: what may be said where only activity is decided, not intensity and side."""

from collections.abc import Iterable
from functools import cache

from vlfau.facs import AUState, Side, action_unit
from vlfau.language.descriptions import default_descriptions
from vlfau.language.gender import Gender
from vlfau.language.grammar import active_states, global_phrases, local_descriptions, sentence_sizes

__all__ = ["decided_descriptions", "decided_slots"]


@cache
def decided_descriptions(au_id: int, active: bool) -> tuple[str, ...]:
    """Return every local description of an AU that is active or not, of any intensity and side.

    >>> all("corner" in text for text in decided_descriptions(12, False))
    True
    """
    if not active:
        return local_descriptions(AUState(au_id, active=False))
    return tuple(text for state in _active_states(au_id) for text in local_descriptions(state))


def decided_slots(au_ids: Iterable[int], genders: Iterable[Gender | None]) -> tuple[tuple[str, ...], ...]:
    """Return what every global description of a face in which just these AUs act is made of, slot by slot.

    Args:
        au_ids: The active AUs.
        genders: The subjects that may be named.

    Returns:
        The texts that each slot may hold. A description holds one of each, in order.

    >>> [texts[0] for texts in decided_slots([25, 12], [None])]
    ['This person', 'minimally pulls the lip corner up on the left side', 'and', 'minimally parts the lips', '.']
    """
    wording = default_descriptions().wording
    subjects = tuple(wording.subjects[gender] for gender in genders)
    active = active_states([AUState(au_id, active=True) for au_id in au_ids])
    if not active:
        return subjects, wording.no_action, (".",)
    slots: list[tuple[str, ...]] = [subjects]
    phrases = iter(active)
    for size in sentence_sizes(len(active)):
        if len(slots) > 1:
            slots.append((wording.follow_up,))
        for place in range(size):
            slots.append(_decided_phrases(next(phrases).au_id))
            slots.append((".",) if place == size - 1 else ("and",) if place == size - 2 else (",",))
    return tuple(slots)


@cache
def _decided_phrases(au_id: int) -> tuple[str, ...]:
    return tuple(text for state in _active_states(au_id) for text in global_phrases(state))


def _active_states(au_id: int) -> list[AUState]:
    """Return the active states of an AU, of every intensity and side."""
    sides = tuple(Side) if action_unit(au_id).sided else (None,)
    return [AUState(au_id, active=True, intensity=intensity, side=side) for intensity in range(1, 6) for side in sides]
