"""Counterfactual pairs: the same face, scene and camera, with one AU switched."""

from dataclasses import dataclass, replace

import numpy as np

from vlfau.facs import action_unit
from vlfau.synthetic.expression import JAW_DROP, LIP_SUCK, LIPS_PART, PARTING, Expression, sealed
from vlfau.synthetic.presets import Preset, correlations
from vlfau.synthetic.renderer import Scene

__all__ = ["Switch", "switch_one"]

MIN_SEEN = 0.3
"""An AU above this intensity counts as there: it can only be switched off."""
PARTED_ENOUGH = 3
"""Lips that are parted as far as this stay as they are when an AU joins that parts them."""


@dataclass(frozen=True)
class Switch:
    """A changed scene.

    Attributes:
        scene: The scene with one AU switched.
        au_id: The AU.
        turned_on: Whether it acts in the changed scene.
        intensity: Its intensity where it acts.
    """

    scene: Scene
    au_id: int
    turned_on: bool
    intensity: float


def switch_one(scene: Scene, preset: Preset, rng: np.random.Generator) -> Switch:
    """Switch one of the preset's AUs on or off, such that no other has to change."""
    expression = scene.expression
    possible = [au_id for au_id in preset.au_ids if _can_switch(au_id, expression)]
    au_id = int(rng.choice(possible))
    if expression.intensity(au_id) >= MIN_SEEN:
        changed = replace(scene, expression=expression.without(au_id))
        return Switch(changed, au_id, False, expression.intensity(au_id))
    intensity = float(rng.uniform(preset.occurs_at, 5))
    values: dict[int, float | tuple[float, float]] = {
        other: (expression.left.get(other, 0.0), expression.right.get(other, 0.0))
        for other in {*expression.left, *expression.right}
    }
    values[au_id] = intensity
    return Switch(replace(scene, expression=Expression.of(values)), au_id, True, intensity)


def _can_switch(au_id: int, expression: Expression) -> bool:
    """Return whether an AU can change alone: lips stay as parted as the others ask, and exclusive AUs stay apart."""
    action_unit(au_id)
    if au_id == LIPS_PART and any(expression.intensity(other) > 0 for other in PARTING):
        return False
    if expression.intensity(au_id) >= MIN_SEEN:
        return au_id != LIP_SUCK or expression.intensity(JAW_DROP) == 0
    closed = au_id == JAW_DROP and sealed(expression.intensity(LIP_SUCK)) == 1
    if au_id in PARTING and not closed and expression.intensity(LIPS_PART) < PARTED_ENOUGH:
        return False
    others = {other for pair in correlations().exclusive if au_id in pair for other in pair} - {au_id}
    return all(expression.intensity(other) < MIN_SEEN for other in others)
