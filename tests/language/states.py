"""States of every kind, for exhaustive tests and for hypothesis."""

from hypothesis import strategies as st

from vlfau.facs import AUState, Side, action_unit, all_au_ids


def sides_of(au_id: int) -> tuple[Side | None, ...]:
    return (None, *Side) if action_unit(au_id).sided else (None,)


def states_of(au_id: int) -> list[AUState]:
    """Every state an AU can have: inactive, with a trace or not, and active with each intensity and side or without."""
    active = [
        AUState(au_id, active=True, intensity=intensity, side=side)
        for intensity in (None, 1, 2, 3, 4, 5)
        for side in sides_of(au_id)
    ]
    return [AUState(au_id, active=False), AUState(au_id, active=False, trace=True), *active]


ALL_STATES = [state for au_id in all_au_ids() for state in states_of(au_id)]

any_state = st.sampled_from(ALL_STATES)
any_face = st.lists(any_state, unique_by=lambda state: state.au_id, max_size=len(all_au_ids()))
