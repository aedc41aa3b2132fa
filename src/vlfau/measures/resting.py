"""The range of every measurement on resting faces: a data file that `scripts/measure_faces.py` computes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from vlfau.files.entries import read_entries
from vlfau.measures.definitions import definitions

__all__ = ["Resting", "read_resting", "resting"]

_LIMIT: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Resting:
    """A measurement on resting faces.

    Attributes:
        low: Its 5th percentile.
        high: Its 95th percentile.
        uneven: 95th percentile of the difference between the sides; None without sides.
        auc: How well it separates faces with an AU at C or more from those without, by FACS number.
    """

    low: float
    high: float
    uneven: float | None
    auc: Mapping[int, float]


def read_resting(path: Path | None = None) -> Mapping[str, Resting]:
    """Read the ranges of resting faces, by the name of the measurement.

    Args:
        path: The file; None reads the package's own.

    Raises:
        ConfigError: The file cannot be read, or lacks a measurement or an AU; the message names the key.
    """
    file = read_entries("resting.toml", path, room="measures")
    file.table("made_from")
    found = {}
    for each in definitions():
        entry = file.table(each.name)
        entry.only(("low", "high", "uneven", "auc"))
        low = entry.number("low", -_LIMIT, _LIMIT)
        auc = entry.table("auc")
        found[each.name] = Resting(
            low,
            entry.number("high", low, _LIMIT),
            entry.number("uneven", 0, _LIMIT) if each.sided else None,
            MappingProxyType({au_id: auc.number(str(au_id), 0, 1) for au_id in each.aus}),
        )
    return MappingProxyType(found)


@cache
def resting() -> Mapping[str, Resting]:
    """Return the ranges of resting faces, by the name of the measurement."""
    return read_resting()
