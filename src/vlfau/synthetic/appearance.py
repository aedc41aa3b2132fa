"""Colours and styles of a subject."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from vlfau.synthetic.components import Components
from vlfau.synthetic.identity import Identity

__all__ = ["Appearance", "Colour"]

Colour = tuple[float, float, float]

SKIN_POLES: Final = np.array([[104, 66, 46], [214, 166, 130], [224, 178, 152]]) / 255
"""sRGB skin colours at the poles of `ETHNICITIES`."""
HAIR_COLOURS: Final = np.array(
    [[0.05, 0.04, 0.035], [0.10, 0.06, 0.04], [0.20, 0.12, 0.07], [0.38, 0.26, 0.15], [0.42, 0.20, 0.10]]
)
GREY_HAIR: Final = np.array([0.52, 0.50, 0.48])
HAIR_WEIGHTS: Final = {True: (0.38, 0.26, 0.18, 0.13, 0.05), False: (0.72, 0.22, 0.05, 0.01, 0.0)}
IRIS_COLOURS: Final = np.array(
    [[0.16, 0.09, 0.05], [0.22, 0.13, 0.07], [0.30, 0.22, 0.10], [0.28, 0.38, 0.48], [0.30, 0.40, 0.28]]
)
IRIS_WEIGHTS: Final = {True: (0.35, 0.25, 0.15, 0.15, 0.10), False: (0.70, 0.25, 0.05, 0.0, 0.0)}


@dataclass(frozen=True)
class Appearance:
    """The appearance of a subject, apart from the shape of the head. Colours are sRGB from 0 to 1.

    Attributes:
        skin: Colour of the skin.
        hair: Colour of hair, brows and beard.
        iris: Colour of the eyes.
        cloth: Colour of the clothes.
        fabric: Colour of the headwear.
        frame: Colour of the glasses' frame.
        hair_style: One of the kinds of `hair_women` or `hair_men`.
        beard: One of the kinds of `beard_men`.
        make_up: One of the kinds of `make_up_women`.
        glasses: One of the kinds of `glasses`.
        headwear: One of the kinds of `headwear`.
        gloss: How much the skin shines, 0 to 1.
        lashes: How dark the lashes are, 0 to 1.
        teeth: How bright the teeth are, 0 to 1.
        collar: How deep the collar is cut, 0 to 1.
    """

    skin: Colour
    hair: Colour
    iris: Colour
    cloth: Colour
    fabric: Colour
    frame: Colour
    hair_style: str
    beard: str
    make_up: str
    glasses: str
    headwear: str
    gloss: float
    lashes: float
    teeth: float
    collar: float

    @property
    def darkness(self) -> float:
        """How dark the skin is, from 0 (light) to 1."""
        return float(np.clip((0.72 - np.mean(self.skin)) / 0.45, 0, 1))

    @classmethod
    def sample(cls, identity: Identity, chances: Components, rng: np.random.Generator) -> "Appearance":
        """Sample an appearance that suits an identity."""
        woman = identity.gender == "F"
        fair = identity.ethnicity[2] > 0.5
        skin = np.array(identity.ethnicity) @ SKIN_POLES * rng.uniform(0.82, 1.08) + rng.normal(0, 0.006, 3)
        hair = HAIR_COLOURS[rng.choice(len(HAIR_COLOURS), p=HAIR_WEIGHTS[fair])] * rng.uniform(0.8, 1.25)
        greyness = float(np.clip((identity.age - 0.45) / 0.35 + rng.normal(0, 0.3), 0, 1))
        hair = hair + (GREY_HAIR - hair) * greyness
        iris = IRIS_COLOURS[rng.choice(len(IRIS_COLOURS), p=IRIS_WEIGHTS[fair])] * rng.uniform(0.8, 1.2)
        cloth = rng.uniform(0.05, 0.9) + rng.normal(0, 0.15, 3)
        return cls(
            skin=_colour(skin),
            hair=_colour(hair),
            iris=_colour(iris),
            cloth=_colour(cloth),
            fabric=_colour(rng.uniform(0.05, 0.8) + rng.normal(0, 0.15, 3)),
            frame=_colour(rng.choice([0.04, 0.12, 0.5]) + rng.normal(0, 0.04, 3)),
            hair_style=chances.choose("hair_women" if woman else "hair_men", rng),
            beard="none" if woman else chances.choose("beard_men", rng),
            make_up=chances.choose("make_up_women", rng) if woman else "none",
            glasses=chances.choose("glasses", rng),
            headwear=chances.choose("headwear", rng),
            gloss=float(rng.uniform(0.15, 0.6)),
            lashes=float(rng.uniform(0.45, 0.8) if woman else rng.uniform(0.2, 0.45)),
            teeth=float(rng.uniform(0.6, 1.0)),
            collar=float(rng.uniform(0.2, 1.0)),
        )


def _colour(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Colour:
    red, green, blue = (float(value) for value in np.clip(values, 0.03, 0.95))
    return red, green, blue
