"""Where on a head an action unit acts."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from vlfau.facs import Side
from vlfau.synthetic.head import load_head, move
from vlfau.synthetic.tables import au_shapes

__all__ = ["au_reach"]


@cache
def au_reach(au_id: int, side: Side = Side.BOTH) -> NDArray[np.float32]:
    """Return how far an AU moves every point of the head, (P,) float32, as a share of the farthest.

    Args:
        au_id: FACS number.
        side: The side on which a sided AU acts.
    """
    head = load_head()
    moved = np.zeros_like(head.base)
    for (number, of_side), shapes in au_shapes().items():
        if number != au_id or (side != Side.BOTH and of_side not in {side, Side.BOTH}):
            continue
        for name, weight in shapes.weights.items():
            shape = head.shape(name)
            move(moved, shape.points, shape.deltas, weight)
    distance = np.linalg.norm(moved, axis=1)
    return np.asarray(distance / distance[head.parts["skin"].points].max(), np.float32)
