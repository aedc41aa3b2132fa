"""A synthetic subject: a head at rest, its skin and hair, and the way it moves."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from vlfau.facs import DEFAULT_AU_IDS, Side, all_au_ids
from vlfau.synthetic.accessories import worn_pieces
from vlfau.synthetic.appearance import Appearance
from vlfau.synthetic.au_shapes import au_shapes
from vlfau.synthetic.components import Components, components
from vlfau.synthetic.expression import Expression, shape_weights
from vlfau.synthetic.geometry import Pose, rotation, turn
from vlfau.synthetic.head import Shape, load_head, move
from vlfau.synthetic.identity import Identity, head_shape
from vlfau.synthetic.resting import resting_shape
from vlfau.synthetic.skin import paint_skin
from vlfau.synthetic.surface import Surface, assemble, neck_weights
from vlfau.synthetic.wrinkles import NUM_VARIANTS

__all__ = ["Subject", "pose_subject"]

SIDE_SIGMA: Final = 0.06
"""Standard deviation of the difference of gains between the sides."""
MAX_GAIN: Final = 25 / 12
"""Largest deviation of a gain from 1, in standard deviations."""
SAME_GAIN: Final = MappingProxyType({27: 26, 45: 43})
"""AUs that share the gain of another AU, since they move the same jaw or lids."""
GAINS: Final = 41
"""A stream of random numbers."""
SMOOTH_SKINS: Final = 0.12
"""Share of subjects whose skin does not fold at all."""
CHIN: Final = np.array([0.0, 6.35, 1.40])
MOUTH_PARTS: Final = {"upper-teeth": (0, -0.035, 0.03), "lower-teeth": (0, -0.005, 0.02), "tongue": (0, -0.03, -0.03)}
"""Displacement of MakeHuman's teeth and tongue to behind the lips, in decimetres."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A synthetic subject; the same seed and components give the same subject.

    Attributes:
        seed: Seed of the subject.
        identity: Gender, age and build.
        appearance: Colours and styles.
        points: (P, 3) float32, the head at rest with hair and accessories, in decimetres.
        surface: The triangles.
        follows: (P,) float32, how much each point follows the rotation of the head, 0 to 1.
        texture: (N, N, 4) float32, linear colour and gloss of the skin.
        gains: Strength of movements, by AU and side.
        shapes: Name of the shape table.
        fold_gain: How readily the skin folds in expressions; 0 for smooth skin.
        fold_variant: Number of the set of wrinkles.
    """

    seed: tuple[int, ...]
    identity: Identity
    appearance: Appearance
    points: NDArray[np.float32]
    surface: Surface
    follows: NDArray[np.float32]
    texture: NDArray[np.float32]
    gains: Mapping[tuple[int, Side], float]
    shapes: str
    fold_gain: float
    fold_variant: int

    @classmethod
    def sample(
        cls,
        *seed: int,
        gender: Literal["F", "M"] | None = None,
        chances: Components | None = None,
    ) -> "Subject":
        """Sample a subject.

        Args:
            seed: One or more whole numbers, 0 or above.
            gender: "F" or "M"; None samples one.
            chances: Probabilities of styles and accessories; None takes those of "everyday".
        """
        rng = np.random.default_rng(seed)
        drawn = "F" if rng.random() < 0.5 else "M"
        chances = chances or components("everyday")
        identity = Identity.sample(gender or drawn, rng)
        appearance = Appearance.sample(identity, chances, rng)
        shape = head_shape(identity, rng)
        if chances.resting:
            [own] = rng.spawn(1)  # does not change the random numbers of components without it
            for name, weight in resting_shape(chances.resting, own).items():
                shape[name] = shape.get(name, 0.0) + weight
        points = _rest(shape, rng)
        pieces = worn_pieces(points, appearance, rng)
        folds = 0.0 if rng.random() < SMOOTH_SKINS else float(rng.uniform(0.3, 0.9) + 0.6 * identity.age)
        return cls(
            seed=seed,
            identity=identity,
            appearance=appearance,
            points=np.concatenate([points, *(piece.points for piece in pieces)]),
            surface=assemble(pieces),
            follows=neck_weights(pieces),
            texture=paint_skin(identity, appearance, rng),
            gains=_gains(chances.gain_sigma, rng, seed),
            shapes=chances.shapes,
            fold_gain=folds,
            fold_variant=int(rng.integers(NUM_VARIANTS)),
        )

    @cached_property
    def eye_centres(self) -> NDArray[np.float32]:
        """The centres of the left and the right eye at rest, (2, 3)."""
        parts = load_head().parts
        return np.stack([self.points[parts[name].points].mean(0) for name in ("l-eye", "r-eye")])


def _rest(weights: Mapping[str, float], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the head at rest, scaled to about the height of the mean head, with its eyes at the same position."""
    head = load_head()
    points = head.mix(weights)
    skin = head.mean[head.parts["skin"].points]
    top, chin = int(skin[:, 1].argmax()), int(np.linalg.norm(skin - CHIN, axis=1).argmin())
    first = head.parts["skin"].points.start
    heights = [float(form[first + top, 1] - form[first + chin, 1]) for form in (head.mean, points)]
    for name, offset in MOUTH_PARTS.items():
        points[head.parts[name].points] += np.array(offset, np.float32)
    eyes = slice(head.parts["l-eye"].points.start, head.parts["r-eye"].points.stop)
    own, mean = points[eyes].mean(0), head.mean[eyes].mean(0)
    size = np.float32(heights[0] / heights[1] * rng.uniform(0.97, 1.03))
    return np.asarray((points - own) * size + mean, np.float32)


def _gains(sigma: float, rng: np.random.Generator, seed: tuple[int, ...]) -> Mapping[tuple[int, Side], float]:
    lean = rng.normal(0, SIDE_SIGMA)
    # Later additions to the catalogue have random numbers of their own, so that subjects stay the same.
    others = {au_id: np.random.default_rng([*seed, GAINS, au_id]) for au_id in set(all_au_ids()) - set(DEFAULT_AU_IDS)}
    gains = {}
    for au_id, side in au_shapes():
        own = others.get(au_id, rng)
        sign = {Side.LEFT: 1, Side.RIGHT: -1}.get(side, 0)
        gains[au_id, side] = own.normal(1, sigma) + sign * (lean + own.normal(0, SIDE_SIGMA / 2))
    for au_id, side in gains:
        gains[au_id, side] = gains[SAME_GAIN.get(au_id, au_id), side]
    most = sigma * MAX_GAIN
    return MappingProxyType({key: float(np.clip(gain, 1 - most, 1 + most)) for key, gain in gains.items()})


PIVOT: Final = np.array([0.0, 6.35, 0.35])
"""Centre of rotation of the neck, in decimetres on the mean head."""
TONGUE_FOLLOWS: Final = np.array([0.0, -0.30, -0.10], np.float32)
"""Displacement of the tongue when the jaw opens with weight 1."""
LIDS_FOLLOW: Final = 2.2
"""Weight of the lid shapes per radian of gaze."""


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
