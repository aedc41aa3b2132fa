"""What AUs of lips and jaw ask of each other, as the faces are drawn here.

A dropped or stretched jaw and a lower lip that is pulled down or funnelled part the lips, so AU 25 comes with them.
Lips that are sucked in (AU 28) stay together, even before a dropped jaw.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "JAW_DROP",
    "LIPS_PART",
    "LIP_SUCK",
    "MOUTH_STRETCH",
    "PARTING",
    "least_parted",
    "parted_by",
    "sealed",
]

LOWER_LIP_DEPRESSOR, LIP_FUNNELER, LIPS_PART, JAW_DROP, MOUTH_STRETCH, LIP_SUCK = 16, 22, 25, 26, 27, 28
PARTING: Final[Mapping[int, tuple[float, float]]] = MappingProxyType(
    {
        LOWER_LIP_DEPRESSOR: (0.6, 0.0),
        LIP_FUNNELER: (0.6, 0.0),
        JAW_DROP: (0.6, 2.0),
        MOUTH_STRETCH: (0.6, 3.0),
    }
)
"""AU 25 follows these AUs at a share of their intensity, but as far as they go themselves up to a second number."""


def parted_by(au_id: int, intensity: ArrayLike) -> NDArray[np.float64]:
    """Return the least intensity of AU 25 that goes with intensities of an AU, in their shape.

    >>> parted_by(26, [1.5, 5.0]).tolist(), parted_by(16, [1.5, 5.0]).tolist()
    ([1.5, 3.0], [0.8999999999999999, 3.0])
    """
    share, follows = PARTING[au_id]
    value = np.asarray(intensity, np.float64)
    return np.maximum(share * value, np.minimum(value, follows))


def least_parted(intensities: Mapping[int, ArrayLike]) -> NDArray[np.float64]:
    """Return the least intensity of AU 25 that goes with those of other AUs; arrays have one shape."""
    needed = [parted_by(au_id, intensities[au_id]) for au_id in PARTING if au_id in intensities]
    parted = np.max(needed, axis=0) if needed else np.float64(0)
    return np.where(sealed(intensities.get(LIP_SUCK, 0.0)) == 1, 0.0, parted)


def sealed(lip_suck: ArrayLike) -> NDArray[np.float64]:
    """Return how firmly AU 28 keeps the lips together before a dropped jaw, from 0 to 1, which it reaches at A."""
    return np.minimum(1.0, np.asarray(lip_suck, np.float64))
