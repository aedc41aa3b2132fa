"""The texts that state a decision: what may be said where only activity is decided, not intensity and side."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from vlfau.facs import AUState, Side, action_unit
from vlfau.language.descriptions import Descriptions, default_descriptions
from vlfau.language.gender import Gender
from vlfau.language.grammar import active_states, global_phrases, global_slots, local_descriptions

__all__ = ["decided_descriptions", "decided_slots"]


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
