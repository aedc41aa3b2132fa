"""Probabilities of hair, glasses, lights, backgrounds and camera effects, from components.toml."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from vlfau.errors import ConfigError
from vlfau.files.entries import Entry, read_entries
from vlfau.synthetic.au_shapes import SHAPE_TABLES

__all__ = ["KINDS", "Components", "components", "read_components"]

HAIR: Final = ("long", "bob", "fringe", "tied", "short", "receding", "buzz", "bald", "curtain", "afro")
KINDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "hair_women": HAIR,
        "hair_men": HAIR,
        "beard_men": ("none", "stubble", "moustache", "goatee", "full"),
        "make_up_women": ("none", "light", "strong"),
        "glasses": ("none", "thin", "thick", "sun"),
        "headwear": ("none", "cap", "beanie", "hood"),
        "occluder": ("none", "hand", "object", "microphone"),
        "light": ("studio", "window", "overhead", "side", "sun", "dim", "coloured", "flash", "footlight"),
        "background": ("plain", "gradient", "blurred", "shapes", "stripes"),
    }
)
CAMERA: Final = (
    "low_resolution",
    "defocus",
    "motion_blur",
    "noise",
    "grey",
    "under_exposure",
    "over_exposure",
    "colour_cast",
    "vignette",
    "compression",
    "thumbnail",
)


@dataclass(frozen=True)
class Components:
    """One set of probabilities.

    Attributes:
        kinds: Weights of the kinds of each component.
        camera: Probability of each camera effect.
        yaw_sigma: Standard deviation of the head's yaw, in degrees.
        pitch_sigma: Standard deviation of the head's pitch, in degrees.
        roll_sigma: Standard deviation of the head's roll, in degrees.
        resting: How much neutral faces look as if AUs were active, from 0 (not at all) to 1.
        gain_sigma: Standard deviation of the factor by which subjects differ in the strength of their movements.
        shapes: Name of the shape table.
    """

    kinds: Mapping[str, Mapping[str, float]]
    camera: Mapping[str, float]
    yaw_sigma: float
    pitch_sigma: float
    roll_sigma: float
    resting: float = 0.0
    gain_sigma: float = 0.12
    shapes: str = "standard"

    def choose(self, component: str, rng: np.random.Generator) -> str:
        """Sample one of the kinds of a component."""
        kinds = self.kinds[component]
        weights = np.array(list(kinds.values()))
        return list(kinds)[int(rng.choice(len(weights), p=weights / weights.sum()))]


def read_components(path: Path | None = None) -> Mapping[str, Components]:
    """Read the sets of components.

    Raises:
        ConfigError: The file breaks its schema.
    """
    file = read_entries("components.toml", path)
    return MappingProxyType({name: _components(file.table(name)) for name in file.content})


def _components(entry: Entry) -> Components:
    sigmas = ("yaw_sigma", "pitch_sigma", "roll_sigma")
    entry.only([*KINDS, *sigmas, "camera", "resting", "gain_sigma", "shapes"])
    kinds = {}
    for component, names in KINDS.items():
        table = entry.table(component)
        table.only(names)
        weights = table.numbers(0, 1000)
        if not sum(weights.values()):
            raise entry.error(component, "at least one weight above 0")
        kinds[component] = MappingProxyType(weights)
    camera = entry.table("camera")
    camera.only(CAMERA)
    probabilities = MappingProxyType({name: camera.number(name, 0, 1) for name in CAMERA})
    yaw, pitch, roll = (entry.number(name, 0, 45) for name in sigmas)
    resting = entry.number("resting", 0, 1, Components.resting)
    gain_sigma = entry.number("gain_sigma", 0, 0.5, Components.gain_sigma)
    shapes = entry.text("shapes", SHAPE_TABLES, Components.shapes)
    return Components(MappingProxyType(kinds), probabilities, yaw, pitch, roll, resting, gain_sigma, shapes)


@cache
def _package_components() -> Mapping[str, Components]:
    return read_components()


def components(name: str) -> Components:
    """Return a set of components by name.

    Raises:
        ConfigError: There is no such set.
    """
    sets = _package_components()
    if name not in sets:
        raise ConfigError(f"there is no set of components '{name}'; choose among {', '.join(sets)}")
    return sets[name]
