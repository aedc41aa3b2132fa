"""Neutral faces that look as if AUs were active, with the traits of resting.toml."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from vlfau.facs import Side
from vlfau.files.entries import Entry, read_entries
from vlfau.synthetic.head import load_head

__all__ = ["Trait", "read_resting", "resting_shape"]

FARTHEST: Final = 2.0
"""Largest deviation of a trait from its mean, in standard deviations."""
SIDE_SHARE: Final = 0.15
"""Difference of a trait between the sides, as a share of its difference between subjects."""


@dataclass(frozen=True)
class Trait:
    """One way in which neutral faces differ.

    Attributes:
        name: Name of the trait.
        mean: Mean of the trait; 0 is a head without it.
        sigma: Standard deviation of the trait.
        more: Weights of the head's shapes at a value of 1, by side.
        less: Weights of the head's shapes at a value of -1, by side.
    """

    name: str
    mean: float
    sigma: float
    more: Mapping[Side, Mapping[str, float]]
    less: Mapping[Side, Mapping[str, float]]


def read_resting(path: Path | None = None) -> tuple[Trait, ...]:
    """Read the traits.

    Raises:
        ConfigError: The file breaks its schema, or names a shape that the head lacks.
    """
    file = read_entries("resting.toml", path)
    file.only(["trait"])
    return tuple(_trait(entry) for entry in file.tables("trait"))


def _trait(entry: Entry) -> Trait:
    entry.only(["name", "mean", "sigma", "more", "less"])
    more, less = (_sides(entry.table(key)) for key in ("more", "less"))
    mean, sigma = entry.number("mean", -2, 2, 0.0), entry.number("sigma", 0, 2)
    return Trait(entry.text("name"), mean, sigma, more, less)


def _sides(entry: Entry) -> Mapping[Side, Mapping[str, float]]:
    entry.only([side.value for side in Side])
    sides = {}
    for name in entry.content:
        weights = entry.table(name).numbers(-1, 1)
        for shape in weights:
            load_head().shape(shape)
        sides[Side(name)] = MappingProxyType(weights)
    return MappingProxyType(sides)


@cache
def _traits() -> tuple[Trait, ...]:
    return read_resting()


def resting_shape(strength: float, rng: np.random.Generator) -> dict[str, float]:
    """Sample the weights of the shapes of a neutral face.

    Args:
        strength: Strength from 0 (none) to 1.
        rng: Random generator.
    """
    weights: dict[str, float] = {}
    for trait in _traits():
        value = rng.normal()
        for side in Side:
            own = value if side == Side.BOTH else value + rng.normal(0, SIDE_SHARE)
            amount = strength * (trait.mean + trait.sigma * float(np.clip(own, -FARTHEST, FARTHEST)))
            shapes = (trait.more if amount > 0 else trait.less).get(side, {})
            for name, weight in shapes.items():
                weights[name] = weights.get(name, 0.0) + abs(amount) * weight
    return weights
