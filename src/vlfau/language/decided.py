"""The texts that state a decision: what may be said where only activity is decided, not intensity and side."""

from functools import cache

from vlfau.facs import AUState, Side, action_unit
from vlfau.language.grammar import local_descriptions

__all__ = ["decided_descriptions"]


@cache
def decided_descriptions(au_id: int, active: bool) -> tuple[str, ...]:
    """Return every local description of an AU that is active or not, of any intensity and side.

    >>> all("corner" in text for text in decided_descriptions(12, False))
    True
    """
    if not active:
        return local_descriptions(AUState(au_id, active=False))
    sides = tuple(Side) if action_unit(au_id).sided else (None,)
    states = (
        AUState(au_id, active=True, intensity=intensity, side=side) for intensity in range(1, 6) for side in sides
    )
    return tuple(text for state in states for text in local_descriptions(state))
