"""The states that a row of a table gives: AU12_state, AU12_intensity, AU12_side."""

import re
from collections.abc import Mapping
from typing import Any, Final

from vlfau.facs import AUState, Side, all_au_ids, predicted_state

__all__ = ["stated_aus"]

_FIELD: Final = re.compile(r"AU(\d{1,3})_(state|intensity|side)")


def stated_aus(record: Mapping[str, Any]) -> dict[int, AUState]:
    """Return the states that a record of a JSON table gives, by AU.

    Args:
        record: Its fields; those of AUs that the catalogue lacks are ignored.

    Raises:
        ValueError: A state, an intensity or a side has another form; the message names it.

    >>> stated_aus({"AU12_state": True, "AU12_intensity": 2.6, "file": "a.jpg"})[12].intensity
    3
    """
    fields: dict[int, dict[str, Any]] = {}
    for name, value in record.items():
        match = _FIELD.fullmatch(name)
        if match and value is not None and int(match[1]) in all_au_ids():
            fields.setdefault(int(match[1]), {})[match[2]] = value
    return {au_id: _stated(au_id, values) for au_id, values in fields.items() if "state" in values}


def _stated(au_id: int, values: Mapping[str, Any]) -> AUState:
    active, level, side = values["state"], values.get("intensity"), values.get("side")
    is_number = isinstance(level, int | float) and not isinstance(level, bool) and 0 <= level <= 5
    if active not in (True, False) or not (level is None or is_number) or side not in {None, *Side}:
        raise ValueError(
            f"AU{au_id} has the state {active!r}, the intensity {level!r} and the side {side!r}; expected true or "
            "false, a number from 0 to 5, and left, right or both"
        )
    return predicted_state(au_id, bool(active), level, None if side is None else Side(side))
