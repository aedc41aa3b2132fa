"""Counterfactual pairs: the same face, scene and camera, with one AU switched on or off."""

from dataclasses import dataclass, replace

import numpy as np

from vlfau.facs import action_unit
from vlfau.synthetic.expression import JAW_DROP, LIP_SUCK, LIPS_PART, PARTING, Expression, sealed
from vlfau.synthetic.presets import Preset, correlations
from vlfau.synthetic.renderer import Scene

__all__ = ["Switch", "at_intensity", "can_switch", "switch_one"]

MIN_SEEN = 0.3
"""An AU above this intensity is visible, so it can only be switched off."""
PARTED_ENOUGH = 3
"""Lips that are parted at least this far do not change when another AU parts them."""


@dataclass(frozen=True)
class Switch:
    """A changed scene.

    Attributes:
        scene: The scene with one AU switched.
        au_id: The AU.
        turned_on: Whether the AU is active in the changed scene.
        intensity: Intensity of the AU in the scene in which it is active.
    """

    scene: Scene
    au_id: int
    turned_on: bool
    intensity: float


def switch_one(scene: Scene, preset: Preset, rng: np.random.Generator) -> Switch:
    """Switch one of the preset's AUs on or off that can change without any other AU."""
    expression = scene.expression
    possible = [au_id for au_id in preset.au_ids if can_switch(au_id, expression)]
    au_id = int(rng.choice(possible))
    if expression.intensity(au_id) >= MIN_SEEN:
        changed = replace(scene, expression=expression.without(au_id))
        return Switch(changed, au_id, False, expression.intensity(au_id))
    intensity = float(rng.uniform(preset.occurs_at, 5))
    return Switch(at_intensity(scene, au_id, intensity), au_id, True, intensity)


def at_intensity(scene: Scene, au_id: int, intensity: float) -> Scene:
    """Return a scene with one AU at another intensity on both sides; 0 takes it away."""
    expression = scene.expression
    if not intensity:
        return replace(scene, expression=expression.without(au_id))
    values: dict[int, float | tuple[float, float]] = {
        other: (expression.left.get(other, 0.0), expression.right.get(other, 0.0))
        for other in {*expression.left, *expression.right}
    }
    return replace(scene, expression=Expression.of(values | {au_id: intensity}))


def can_switch(au_id: int, expression: Expression) -> bool:
    """Return whether an AU can change alone, without violating parted lips or exclusive AUs."""
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
