"""A subject that shows an expression and turns the head."""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vlfau.synthetic.expression import Expression, shape_weights
from vlfau.synthetic.geometry import Pose, rotation, turn
from vlfau.synthetic.head import Shape, load_head, move
from vlfau.synthetic.subject import Subject

__all__ = ["pose_subject"]

PIVOT: Final = np.array([0.0, 6.35, 0.35])
"""Where the neck turns, in decimetres on the mean head."""
TONGUE_FOLLOWS: Final = np.array([0.0, -0.30, -0.10], np.float32)
"""How far the tongue goes down with a jaw that opens by one."""
LIDS_FOLLOW: Final = 2.2
"""How strongly the lids follow the eyes, a radian of gaze."""


@cache
def _shape(name: str) -> Shape:
    return load_head().shape(name)


def pose_subject(subject: Subject, expression: Expression, pose: Pose) -> NDArray[np.float32]:
    """Return the subject's points (P, 3) float32 in the camera's frame, in decimetres."""
    points = subject.points.copy()
    weights = shape_weights(expression, subject.gains, subject.shapes)
    gaze = np.radians(pose.gaze_pitch)
    for side in ("Left", "Right"):
        weights[f"unit/eyeLookDown{side}"] = LIDS_FOLLOW * max(0.0, -gaze)
        weights[f"unit/eyeLookUp{side}"] = max(0.0, gaze)
    for name, weight in weights.items():
        if weight:
            shape = _shape(name)
            move(points, shape.points, shape.deltas, weight)
    parts = load_head().parts
    points[parts["tongue"].points] += TONGUE_FOLLOWS * np.float32(weights.get("unit/jawOpen", 0.0))

    eyeballs = rotation(pose.gaze_yaw, pose.gaze_pitch, 0)
    whole = np.ones(len(points), np.float32)
    for name, centre in zip(("l-eye", "r-eye"), subject.eye_centres, strict=True):
        eye = points[parts[name].points]
        turn(eye, whole[: len(eye)], eyeballs, centre.astype(np.float64))
    turn(points, subject.follows, rotation(pose.yaw, pose.pitch, pose.roll), PIVOT)
    return points
