"""Faithfulness: does an AU's probability depend on what its attention map shows?

What a map marks is covered, and the probability should fall; what it marks is uncovered first, and the probability
should return. After deletion and insertion of RISE (Petsiuk et al., BMVC 2018). A flat map, or one that points
elsewhere, fails, since the same patch moved to another place of the face is the comparison.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vlfau.drawing.heatmap import enlarged

__all__ = ["Faithfulness", "faithfulness"]

SHARE: Final = 0.1
"""Of the crop, covered at once."""
PLACES: Final = 8
"""Other places to which the patch is moved."""
STEPS: Final = 10
BLUR: Final = 0.1
"""Width of the blur that covers, as a share of the crop's side."""

Score = Callable[[NDArray[np.uint8]], NDArray[np.float64]]
"""From B crops (B, S, S, 3) to the probability of one AU, (B,)."""


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """How the probability of one AU follows its map, in one face.

    Attributes:
        drop: By how much it falls when the brightest tenth of the map is covered.
        drop_elsewhere: By how much it falls on average when the same patch is covered at other places of the face.
        deletion: Area under the probability while the crop is covered, brightest parts first; lower is better.
        insertion: Area under the probability while the crop is uncovered, brightest parts first; higher is better.
    """

    drop: float
    drop_elsewhere: float
    deletion: float
    insertion: float


def faithfulness(
    score: Score, crop: NDArray[np.uint8], attention_map: NDArray[np.floating], rng: np.random.Generator
) -> Faithfulness:
    """Cover and uncover a face along an attention map.

    Args:
        score: The AU's probability for crops.
        crop: (S, S, 3), an aligned face.
        attention_map: (H, W), not negative; it covers the crop.
        rng: Chooses the other places.
    """
    size = len(crop)
    heat = enlarged(attention_map, size)
    # Equal values, such as those of a flat map, are ordered at random.
    order = np.argsort(-heat.ravel() + 1e-6 * rng.random(heat.size), kind="stable")
    rank = np.empty(order.size, np.int64)
    rank[order] = np.arange(order.size)
    ranks = rank.reshape(size, size)
    blurred = cv2.GaussianBlur(crop, (0, 0), BLUR * size)

    def covered(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
        return np.where(mask[..., None], blurred, crop).astype(np.uint8)

    patch = ranks < SHARE * order.size
    moved = [_moved(patch, rng) for _ in range(PLACES)]
    steps = [covered(ranks < step / STEPS * order.size) for step in range(STEPS + 1)]
    uncovered = [covered(ranks >= step / STEPS * order.size) for step in range(STEPS + 1)]
    found = score(np.stack([crop, covered(patch), *map(covered, moved), *steps, *uncovered]))
    whole, first, elsewhere = found[0], found[1], found[2 : 2 + PLACES]
    deletion, insertion = found[2 + PLACES :].reshape(2, STEPS + 1)
    return Faithfulness(
        drop=float(whole - first),
        drop_elsewhere=float(whole - elsewhere.mean()),
        deletion=float(np.trapezoid(deletion, dx=1 / STEPS)),
        insertion=float(np.trapezoid(insertion, dx=1 / STEPS)),
    )


def _moved(patch: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Move a patch within the crop, round its edges, to where it covers at most half of what it covered."""
    size = len(patch)
    for _ in range(50):
        moved = np.roll(patch, rng.integers(0, size, 2), axis=(0, 1))
        if (moved & patch).sum() <= patch.sum() / 2:
            break
    return moved
