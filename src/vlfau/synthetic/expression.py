"""Expressions: the intensity of every action unit, left and right."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vlfau.errors import ConfigError
from vlfau.facs import MAX_INTENSITY, Side, action_unit
from vlfau.synthetic.au_shapes import SIDES, au_shapes, au_wrinkles

__all__ = [
    "BLINK",
    "EYES_CLOSED",
    "JAW_DROP",
    "LIPS_PART",
    "LIP_SUCK",
    "MOUTH_STRETCH",
    "PARTING",
    "Expression",
    "Gains",
    "min_lips_part",
    "sealed",
    "shape_weights",
    "wrinkle_depths",
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
"""AUs that part the lips (AU 25): AU 25 has at least this share of their intensity, and their full intensity up to the
second number."""


def _parted_by(au_id: int, intensity: ArrayLike) -> NDArray[np.float64]:
    """Return the smallest intensity of AU 25 that intensities of an AU require, in the same shape.

    >>> _parted_by(26, [1.5, 5.0]).tolist(), _parted_by(16, [1.5, 5.0]).tolist()
    ([1.5, 3.0], [0.8999999999999999, 3.0])
    """
    share, follows = PARTING[au_id]
    value = np.asarray(intensity, np.float64)
    return np.maximum(share * value, np.minimum(value, follows))


def min_lips_part(intensities: Mapping[int, ArrayLike]) -> NDArray[np.float64]:
    """Return the smallest intensity of AU 25 that other AUs require; all arrays have the same shape."""
    needed = [_parted_by(au_id, intensities[au_id]) for au_id in PARTING if au_id in intensities]
    parted = np.max(needed, axis=0) if needed else np.float64(0)
    return np.where(sealed(intensities.get(LIP_SUCK, 0.0)) == 1, 0.0, parted)


def sealed(lip_suck: ArrayLike) -> NDArray[np.float64]:
    """Return how firmly AU 28 keeps the lips closed when the jaw drops, from 0 to 1 (reached at intensity A)."""
    return np.minimum(1.0, np.asarray(lip_suck, np.float64))


MAX_DEPTH: Final = 1.3
EYES_CLOSED, BLINK = 43, 45
JAW_OPEN, LIPS_CLOSE = "unit/jawOpen", "unit/mouthClose"
"""Shapes of the head; equal weights of both lower the jaw behind closed lips."""

Intensity = float | tuple[float, float]
Gains = Mapping[tuple[int, Side], float]


@dataclass(frozen=True)
class Expression:
    """Intensities of the active AUs, from 0 to 5.

    Attributes:
        left: Intensity on the subject's own left, by AU.
        right: Intensity on the subject's own right, by AU; equal to the left for an AU without sides.
        notes: One sentence for each AU that was added or raised.
    """

    left: Mapping[int, float]
    right: Mapping[int, float]
    notes: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def of(cls, au_intensities: Mapping[int, Intensity]) -> "Expression":
        """Check intensities, and add AUs that must go with others.

        Args:
            au_intensities: By AU, one intensity from 0 to 5, or a pair (left, right) for a sided AU.

        Raises:
            ConfigError: An AU is unknown, an intensity is out of range, or an AU without sides has two.

        >>> Expression.of({12: (3, 0)}).right[12]
        0.0
        """
        left: dict[int, float] = {}
        right: dict[int, float] = {}
        for au_id, intensity in au_intensities.items():
            unit = action_unit(au_id)
            pair = intensity if isinstance(intensity, tuple) else (intensity, intensity)
            if not all(0 <= side <= MAX_INTENSITY for side in pair):
                raise ConfigError(f"intensity {intensity} of {unit.label} is out of range; give 0 to 5")
            if not unit.sided and pair[0] != pair[1]:
                raise ConfigError(
                    f"{unit.label} has no sides, but got the two intensities {intensity}; give one number"
                )
            left[au_id], right[au_id] = float(pair[0]), float(pair[1])
        notes = []
        stronger = {au_id: max(left[au_id], right[au_id]) for au_id in left}
        needed = float(min_lips_part(stronger))
        if left.get(LIPS_PART, 0.0) < needed:
            cause = max(PARTING, key=lambda au_id: float(_parted_by(au_id, stronger.get(au_id, 0.0))))
            notes.append(
                f"AU{cause} at {stronger[cause]:g} needs parted lips, so AU25 was raised from "
                f"{left.get(LIPS_PART, 0.0):g} to {needed:g}"
            )
            left[LIPS_PART] = right[LIPS_PART] = needed
        return cls(MappingProxyType(left), MappingProxyType(right), tuple(notes))

    def side(self, au_id: int, side: Side) -> float:
        """Return the intensity of an AU on one side."""
        return (self.left if side == Side.LEFT else self.right).get(au_id, 0.0)

    def intensity(self, au_id: int) -> float:
        """Return the intensity of an AU on its stronger side."""
        return max(self.side(au_id, side) for side in SIDES)

    def acting_side(self, au_id: int) -> Side | None:
        """Return the side on which a sided AU reaches intensity A; None if it does not, and for AUs without sides."""
        acts = [side for side in SIDES if self.side(au_id, side) >= 1]
        if not action_unit(au_id).sided or not acts:
            return None
        return acts[0] if len(acts) == 1 else Side.BOTH

    def without(self, au_id: int) -> "Expression":
        """Return the same expression with one AU switched off."""
        return Expression(
            MappingProxyType({number: value for number, value in self.left.items() if number != au_id}),
            MappingProxyType({number: value for number, value in self.right.items() if number != au_id}),
        )


def shape_weights(expression: Expression, gains: Gains, table: str = "standard") -> dict[str, float]:
    """Return the weights of the head's shapes.

    Args:
        expression: The intensities.
        gains: Movement strength of the subject, by AU and side; 1 by default.
        table: Name of the shape table.
    """
    weights: dict[str, float] = {}
    for (au_id, side), shapes in au_shapes(table).items():
        amount = shapes.share(expression.side(au_id, Side.LEFT if side == Side.BOTH else side))
        amount *= gains.get((au_id, side), 1.0)
        # Closed lids cannot be narrowed any further.
        if au_id not in {EYES_CLOSED, BLINK} and any("Squint" in name or "Blink" in name for name in shapes.weights):
            amount *= 1 - 0.8 * _closure(expression, side) / MAX_INTENSITY
        for name, weight in shapes.weights.items() if amount else ():
            weights[name] = weights.get(name, 0.0) + weight * amount
    seal = float(sealed(expression.intensity(LIP_SUCK)))
    if seal and expression.intensity(JAW_DROP):
        weights[LIPS_CLOSE] = weights.get(LIPS_CLOSE, 0.0) + seal * _dropped(expression, gains)
    return weights


def _closure(expression: Expression, side: Side) -> float:
    """Return how far the lids on one side are closed, as an intensity."""
    return max(expression.side(EYES_CLOSED, side), expression.side(BLINK, side))


def _dropped(expression: Expression, gains: Gains) -> float:
    """Return how far AU 26 opens the jaw, as the weight of its shape."""
    shapes = au_shapes()[JAW_DROP, Side.BOTH]
    share = shapes.share(expression.intensity(JAW_DROP)) * gains.get((JAW_DROP, Side.BOTH), 1.0)
    return share * shapes.weights[JAW_OPEN]


def wrinkle_depths(expression: Expression, age: float, gain: float) -> dict[tuple[str, Side], float]:
    """Return the depth of every wrinkle on each side.

    Args:
        expression: The intensities.
        age: Age from 0 (young) to 1 (old).
        gain: How readily the skin folds; with 0, expressions cause no wrinkles.
    """
    depths: dict[tuple[str, Side], float] = {}
    for wrinkle in au_wrinkles():
        for side in SIDES:
            pressed = sum(depth * expression.side(au_id, side) for au_id, depth in wrinkle.depths.items())
            at_rest = wrinkle.age * max(0.0, age - 0.15)
            depths[wrinkle.name, side] = gain * min(MAX_DEPTH, pressed / MAX_INTENSITY) + at_rest
    return depths
