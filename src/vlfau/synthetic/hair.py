"""Haircuts: where the shell of hair around the head ends."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["HairCut", "cut_hair"]

PAINTED_ONLY: Final = ("bald", "buzz", "receding")
"""Styles without a shell, which are only painted on the scalp."""
SIDE_CUT: Final = ("short", "tied")
"""Styles that do not cover the ears."""
VOLUMES: Final = {"short": (0.94, 0.99), "tied": (0.94, 0.99), "afro": (1.12, 1.28)}
LENGTHS: Final = {
    "long": (5.2, 6.3),
    "bob": (6.3, 6.8),
    "fringe": (5.4, 6.9),
    "curtain": (5.4, 6.9),
    "afro": (6.8, 7.1),
}
SQUARENESS: Final = {"fringe": (3.0, 6.0), "curtain": (0.9, 1.3)}
"""Ranges of the parameters of styles that differ from the default."""


@dataclass(frozen=True)
class HairCut:
    """The shape of the shell of hair, in decimetres on the mean head.

    Attributes:
        volume: Size of the shell relative to MakeHuman's long hair.
        length: Height of the lower end.
        ears_free: Whether the hair ends above the ears.
        half_width: Half the width of the opening for the face.
        top: Height of the opening's upper end.
        squareness: 2 for a round opening, more for a squarer one.
        parting: Offset of the opening's top from the middle, towards the subject's left.
    """

    volume: float
    length: float
    ears_free: bool
    half_width: float
    top: float
    squareness: float
    parting: float

    @classmethod
    def sample(cls, style: str, rng: np.random.Generator) -> "HairCut | None":
        """Sample a haircut of a style; None if the style has no shell."""
        if style in PAINTED_ONLY:
            return None
        fringe = style == "fringe"
        return cls(
            volume=float(rng.uniform(*VOLUMES.get(style, (0.98, 1.05)))),
            length=float(rng.uniform(*LENGTHS.get(style, (6.6, 6.9)))),
            ears_free=style in SIDE_CUT or (fringe and rng.random() < 0.4),
            half_width=float(rng.uniform(0.52, 0.64)),
            top=float(rng.uniform(7.58, 7.80) if fringe else rng.uniform(7.86, 8.10)),
            squareness=float(rng.uniform(*SQUARENESS.get(style, (1.8, 3.0)))),
            parting=float((style != "curtain") * rng.choice([0.0, 1.0]) * rng.normal(0, 0.22)),
        )


def cut_hair(cut: HairCut, mean_points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return how far every point of the shell is inside the haircut, and the noise coordinates of its frayed ends.

    Args:
        cut: The haircut.
        mean_points: (K, 3) points of the shell on the mean head.

    Returns:
        (K,) float32, negative outside the hair, and (K, 2) float32, coordinates in the noise that frays the ends.
    """
    x, y, z = mean_points[:, 0], mean_points[:, 1], mean_points[:, 2]
    low = 7.15
    # A parting slants the upper edge: high on one side, low on the other.
    slant = cut.parting * np.clip((y - 7.4) / 0.5, 0, 1)
    across = abs(x - slant) / cut.half_width
    up = np.clip(y - low, 0, None) / (cut.top - low)
    around = (across**cut.squareness + up**cut.squareness) ** (1 / cut.squareness)
    opening = (around - 1) * cut.half_width + 4 * np.clip(0.45 - z, 0, None)
    margin = np.minimum(opening, y - cut.length)
    if cut.ears_free:
        behind = np.clip((0.25 - z) / 0.5, 0, 1)
        burns = np.clip((z - 0.62) / 0.1, 0, 1)
        above_ears = 7.42 - 0.55 * behind - 0.22 * burns
        margin = np.minimum(margin, y - above_ears)
    angle = np.arctan2(x, z - 0.4)
    strands = np.column_stack([angle * 28 + 400, y * 4])
    return margin.astype(np.float32), strands.astype(np.float32)
