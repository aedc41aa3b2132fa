"""The Facial Action Coding System as this project uses it.

The catalogue itself is data (`facs.toml`); this module reads it and fixes the conventions that all
of `vlfau` follows:

* **Left and right are the subject's own.** The left brow is on the right of an unmirrored picture.
* **Head pose** is in degrees about the head's own axes: `yaw` is positive when the subject turns to
  their own left, `pitch` is positive when the face turns up, `roll` is positive when the head tilts
  to the subject's own left shoulder. A frontal, upright face has (0, 0, 0).
* **Intensity** runs from 0 to 5: 0 is absent, A = 1 (trace), B = 2 (slight), C = 3 (marked),
  D = 4 (severe), E = 5 (maximum).
* **Occurrence** is 0 or 1. The intensity at which it starts is the data set's choice (BP4D codes
  occurrence at A, DISFA's protocol starts at B).
* **Missing labels** are masked. They are neither present nor absent.
"""

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

from vlfau.errors import ConfigError

__all__ = [
    "AU_SETS",
    "DEFAULT_AU_IDS",
    "INTENSITY_LETTERS",
    "MAX_INTENSITY",
    "AUState",
    "ActionUnit",
    "Side",
    "action_unit",
    "all_au_ids",
    "check_au_ids",
    "intensity_letter",
    "intensity_level",
    "predicted_state",
]

INTENSITY_LETTERS: Final = "ABCDE"
MAX_INTENSITY: Final = float(len(INTENSITY_LETTERS))


class Side(StrEnum):
    """The side of the face on which an AU acts: the subject's own left and right."""

    LEFT = "left"
    RIGHT = "right"
    BOTH = "both"

    def mirrored(self) -> "Side":
        """Return the side that a horizontal flip of the picture makes of this one."""
        return {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}.get(self, self)


@dataclass(frozen=True, slots=True)
class ActionUnit:
    """One entry of the catalogue."""

    number: int
    name: str
    muscles: tuple[str, ...]
    region: str
    sided: bool

    @property
    def label(self) -> str:
        """The usual short form, such as `AU12`."""
        return f"AU{self.number}"

    @property
    def coded_by(self) -> tuple[str, ...]:
        """The data sets that code this AU, named as in `AU_SETS`."""
        return tuple(name for name, au_ids in AU_SETS.items() if self.number in au_ids)


@dataclass(frozen=True, slots=True)
class AUState:
    """What is known of one AU of one face.

    Attributes:
        au_id: FACS number.
        active: Whether the AU occurs.
        intensity: 1 (A) to 5 (E) of an active AU; None where it is unknown or the AU is inactive.
        side: The side of an active AU; None where it is unknown or the AU is inactive.
        trace: Whether an inactive AU may show a trace (A): it was coded, or occurrence starts above it and no
            intensity is known. An inactive AU without it is absent.
    """

    au_id: int
    active: bool
    intensity: int | None = None
    side: Side | None = None
    trace: bool = False

    def __post_init__(self) -> None:
        unit = action_unit(self.au_id)
        if not self.active and (self.intensity is not None or self.side is not None):
            raise ValueError(f"inactive {unit.label} has neither intensity nor side")
        if self.active and self.trace:
            raise ValueError(f"an active {unit.label} is more than at most a trace; give its intensity instead")
        if self.intensity is not None and self.intensity not in range(1, 6):
            raise ValueError(f"intensity of an active {unit.label} is 1 (A) to 5 (E), not {self.intensity}")
        if self.side is not None and not unit.sided:
            raise ValueError(f"{unit.label} has no side")


@cache
def _load() -> dict[str, Any]:
    text = resources.files("vlfau").joinpath("facs.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _catalogue() -> Mapping[int, ActionUnit]:
    units = (
        ActionUnit(entry["number"], entry["name"], tuple(entry["muscles"]), entry["region"], entry["sided"])
        for entry in _load()["au"]
    )
    return MappingProxyType({unit.number: unit for unit in units})


AU_SETS: Final[Mapping[str, tuple[int, ...]]] = MappingProxyType(
    {name: tuple(numbers) for name, numbers in _load()["sets"].items()}
)
DEFAULT_AU_IDS: Final[tuple[int, ...]] = tuple(_load()["models"]["default"])
"""The AUs that most presets of drawn faces show: fewer than the catalogue has."""


def all_au_ids() -> tuple[int, ...]:
    """Return the FACS numbers of the whole catalogue, ascending."""
    return tuple(_catalogue())


def action_unit(au_id: int) -> ActionUnit:
    """Return the catalogue's entry of one AU.

    Args:
        au_id: FACS number.

    Raises:
        ConfigError: The catalogue has no such AU.

    >>> action_unit(12).name
    'Lip Corner Puller'
    """
    try:
        return _catalogue()[au_id]
    except KeyError:
        known = ", ".join(map(str, all_au_ids()))
        raise ConfigError(f"AU {au_id} is not in the catalogue; choose among {known}") from None


def check_au_ids(au_ids: Iterable[int]) -> tuple[int, ...]:
    """Check AUs and return them as a tuple in the given order.

    Raises:
        ConfigError: An AU is unknown or given twice, or none is given.
    """
    checked = tuple(action_unit(au_id).number for au_id in au_ids)
    if not checked:
        raise ConfigError("no AU was given; name at least one")
    if len(set(checked)) != len(checked):
        raise ConfigError(f"an AU is given twice in {list(checked)}; list each once")
    return checked


def intensity_letter(intensity: int) -> str:
    """Return the FACS letter of an intensity from 1 to 5.

    >>> intensity_letter(3)
    'C'
    """
    if not 1 <= intensity <= len(INTENSITY_LETTERS):
        raise ValueError(f"an intensity with a letter is 1 to 5, not {intensity}")
    return INTENSITY_LETTERS[intensity - 1]


def intensity_level(intensity: float) -> int:
    """Return the FACS level, 0 (absent) to 5 (E), of a predicted intensity.

    Results print intensities with two decimals, and the level is that of the printed number.

    >>> [intensity_level(value) for value in (0.49, 0.5, 2.496, 7.0)]
    [0, 1, 3, 5]
    """
    return min(max(math.floor(round(float(intensity), 2) + 0.5), 0), len(INTENSITY_LETTERS))


def predicted_state(au_id: int, active: bool, intensity: float | None = None, side: Side | None = None) -> AUState:
    """Return the state that a model's numbers say, for words about it.

    Args:
        au_id: FACS number.
        active: Whether the AU is predicted active.
        intensity: The predicted intensity, 0 to 5; None if the model predicts none. An active AU is at least an A, and
            an inactive one may show a trace from 0.5 on.
        side: The predicted side; None if unknown. It is left out where it cannot apply.

    >>> predicted_state(12, True, 2.6, Side.LEFT)
    AUState(au_id=12, active=True, intensity=3, side=<Side.LEFT: 'left'>, trace=False)
    """
    level = None if intensity is None else intensity_level(intensity)
    if not active:
        return AUState(au_id, active=False, trace=bool(level))
    return AUState(
        au_id,
        active=True,
        intensity=None if level is None else max(level, 1),
        side=side if action_unit(au_id).sided else None,
    )
