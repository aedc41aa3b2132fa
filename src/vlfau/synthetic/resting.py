"""Faces at rest that look as if they acted: resting.toml says how."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from vlfau.facs import Side
from vlfau.synthetic.head import load_head
from vlfau.synthetic.schema import Entry, read_entries

__all__ = ["Trait", "read_resting", "resting_shape"]

FARTHEST: Final = 2.0
"""How many standard deviations from its mean a trait may stray."""
SIDE_SHARE: Final = 0.15
"""How far a trait differs between the sides, as a share of how far it differs between people."""


@dataclass(frozen=True)
class Trait:
    """One way in which faces at rest differ.

    Attributes:
        name: What it is.
        mean: Its mean; heads without it have 0.
        sigma: Its standard deviation.
        more: The weights of the head's shapes at a value of 1, by side.
        less: Those at a value of -1.
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
    """Draw the weights of the shapes that a face at rest has of its own.

    Args:
        strength: From 0, none, to 1.
        rng: Where chance comes from.
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
