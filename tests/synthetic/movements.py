"""How each AU moves FaceMesh's landmarks: the sign that FACS leads one to expect."""

from dataclasses import dataclass

import numpy as np

from vlfau.synthetic import Expression, Framing, Pose, Scene
from vlfau.synthetic.framing import project
from vlfau.synthetic.subject import pose_subject

EYES = (33, 263)


@dataclass(frozen=True)
class Movement:
    """A distance that an AU changes.

    Attributes:
        pairs: Pairs of landmarks, (right, left) or one in the middle.
        axis: 0 across, 1 down.
        sign: 1 if the distance from the first to the second grows, -1 if it shrinks.
    """

    pairs: tuple[tuple[int, int], ...]
    axis: int
    sign: int

    def measure(self, landmarks_xy):
        """Return the distance in distances between the eyes."""
        eyes = np.linalg.norm(landmarks_xy[EYES[1]] - landmarks_xy[EYES[0]])
        gaps = [landmarks_xy[second][self.axis] - landmarks_xy[first][self.axis] for first, second in self.pairs]
        return float(np.mean(gaps)) / eyes


INNER_BROWS = ((107, 133), (336, 362))
UPPER_LIDS = ((133, 159), (362, 386))
"""From the inner corners of the eyes."""
LOWER_LIDS = ((145, 1), (374, 1))
"""To the tip of the nose."""
CORNERS = ((33, 61), (263, 291))

MOVEMENTS = {
    1: Movement(INNER_BROWS, 1, 1),
    2: Movement(((105, 168), (334, 168)), 1, 1),
    4: Movement(INNER_BROWS, 1, -1),
    5: Movement(UPPER_LIDS, 1, -1),
    6: Movement(LOWER_LIDS, 1, 1),
    7: Movement(LOWER_LIDS, 1, 1),
    9: Movement(((107, 129), (336, 358)), 1, -1),
    10: Movement(((2, 0),), 1, -1),
    12: Movement(CORNERS, 1, -1),
    14: Movement(((61, 291),), 0, 1),
    15: Movement(CORNERS, 1, 1),
    16: Movement(((2, 17),), 1, 1),
    17: Movement(((61, 0), (291, 0)), 1, -1),
    18: Movement(((61, 291),), 0, -1),
    20: Movement(((61, 291),), 0, 1),
    22: Movement(((61, 291),), 0, -1),
    23: Movement(((0, 17),), 1, -1),
    24: Movement(((0, 17),), 1, -1),
    25: Movement(((13, 14),), 1, 1),
    26: Movement(((2, 152),), 1, 1),
    27: Movement(((2, 152),), 1, 1),
    28: Movement(((0, 17),), 1, -1),
    43: Movement(UPPER_LIDS, 1, 1),
    45: Movement(UPPER_LIDS, 1, 1),
}


def own_landmarks(subject, expression):
    """Return where the head's own landmarks are in a picture, by FaceMesh number."""
    points = pose_subject(subject, Expression.of(expression), Pose())
    return project(points, Framing(aligned=True), 256).landmarks_xy


def facemesh_landmarks(renderer, finder, subject, expression):
    """Return where FaceMesh sees the landmarks, or None where it finds no face."""
    scene = Scene(Expression.of(expression), framing=Framing(aligned=True))
    faces = finder.find(renderer.draw(subject, scene).image)
    return faces[0].landmarks_xy if faces else None


def moves_right(look, intensity, au_ids):
    """Return by AU whether the landmarks that `look` finds for an expression move as expected; None if it is blind."""
    rest = look({})
    seen = {}
    for au_id in au_ids:
        movement = MOVEMENTS[au_id]
        face = look({au_id: intensity, 25: intensity} if au_id == 26 else {au_id: intensity})
        known = rest is not None and face is not None
        seen[au_id] = bool((movement.measure(face) - movement.measure(rest)) * movement.sign > 0) if known else None
    return seen
