"""The shape of a head at rest, with the variation given in identity.toml."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from vlfau.errors import ConfigError
from vlfau.files.entries import read_entries
from vlfau.synthetic.head import ETHNICITIES, load_head

__all__ = ["Identity", "IdentityTable", "head_shape", "read_identity"]

ANTONYMS: Final = (
    ("decr", "incr"),
    ("down", "up"),
    ("in", "out"),
    ("concave", "convex"),
    ("backward", "forward"),
    ("uncompress", "compress"),
)


@dataclass(frozen=True)
class Identity:
    """The main traits of a subject.

    Attributes:
        gender: "F" or "M".
        femininity: Share of the female head, 0 to 1.
        age: Age from 0 (young) to 1 (old).
        ethnicity: Shares of `ETHNICITIES`, which sum to 1. They are poles of a mixture, not groups of people.
        muscle: Muscularity, -1 to 1.
        weight: Body weight, -1 to 1.
    """

    gender: str
    femininity: float
    age: float
    ethnicity: tuple[float, float, float]
    muscle: float
    weight: float

    @classmethod
    def sample(cls, gender: str, rng: np.random.Generator) -> "Identity":
        """Sample the traits of a woman ("F") or a man ("M")."""
        own = rng.uniform(0.82, 1.0)
        pole = rng.integers(3)
        shares = rng.dirichlet([0.35 + 2.2 * (pole == index) for index in range(3)])
        return cls(
            gender=gender,
            femininity=float(own if gender == "F" else 1 - own),
            age=float(rng.beta(1.2, 2.6)),
            ethnicity=(float(shares[0]), float(shares[1]), float(shares[2])),
            muscle=float(np.clip(rng.normal(0.1, 0.25), -0.5, 0.5)),
            weight=float(np.clip(rng.normal(0, 0.33), -0.7, 0.7)),
        )


@dataclass(frozen=True)
class IdentityTable:
    """The content of identity.toml.

    Attributes:
        most: Largest weight of a local shape.
        sigmas: Standard deviation of the weights, by region.
        axes: (region, shape for negative weights, shape for positive weights); the first shape may be None.
    """

    most: float
    sigmas: Mapping[str, float]
    axes: tuple[tuple[str, str | None, str | None], ...]


def read_identity(path: Path | None = None) -> IdentityTable:
    """Read the variation of local shapes.

    Raises:
        ConfigError: The file breaks its schema.
    """
    file = read_entries("identity.toml", path)
    file.only(["most", "left_out", "sigmas"])
    left_out = file.content.get("left_out", [])
    if not isinstance(left_out, list) or not all(isinstance(word, str) for word in left_out):
        raise file.error("left_out", "a list of strings")
    sigmas = file.table("sigmas").numbers(0, 1)
    known = {name.split("/")[1] for name in load_head().shapes if name.startswith("local/")}
    unknown = sorted(set(sigmas) - known)
    if unknown:
        raise ConfigError(
            f"{file.file}: the head has no region '{unknown[0]}'; choose among {', '.join(sorted(known))}"
        )
    axes = [axis for axis in _axes() if axis[0] in sigmas and not any(word in str(axis) for word in left_out)]
    return IdentityTable(file.number("most", 0, 1), MappingProxyType(sigmas), tuple(axes))


def _axes() -> list[tuple[str, str | None, str | None]]:
    """Pair local shapes with their opposites."""
    names = [name for name in load_head().shapes if name.startswith("local/")]
    axes: list[tuple[str, str | None, str | None]] = []
    for name in names:
        region = name.split("/")[1]
        stem, _, ending = name.rpartition("-")
        pair = next((pair for pair in ANTONYMS if ending in pair), None)
        opposite = f"{stem}-{pair[1 - pair.index(ending)]}" if pair else None
        if pair is None or opposite not in names:
            axes.append((region, None, name))
        elif ending == pair[0]:
            axes.append((region, name, opposite))
    return axes


@cache
def _table() -> IdentityTable:
    return read_identity()


def head_shape(identity: Identity, rng: np.random.Generator) -> dict[str, float]:
    """Sample the weights of the head's identity shapes."""
    weights: dict[str, float] = {}
    genders = {"female": identity.femininity, "male": 1 - identity.femininity}
    ages = {"young": 1 - identity.age, "old": identity.age}
    muscles = _three_steps("muscle", identity.muscle)
    builds = _three_steps("weight", identity.weight)
    for gender, gender_share in genders.items():
        for age, age_share in ages.items():
            for origin, share in zip(ETHNICITIES, identity.ethnicity, strict=True):
                weights[f"macro/{origin}-{gender}-{age}"] = share * gender_share * age_share
            for muscle, muscle_share in muscles.items():
                for build, build_share in builds.items():
                    name = f"body/{gender}-{age}-{muscle}-{build}"
                    weights[name] = gender_share * age_share * muscle_share * build_share
    table = _table()
    for region, less, more in table.axes:
        amount = float(np.clip(rng.normal(0, table.sigmas[region]), -table.most, table.most))
        local = more if amount > 0 else less
        if local is not None:
            weights[local] = abs(amount) if less is not None else amount / 2
    return weights


def _three_steps(trait: str, amount: float) -> dict[str, float]:
    shares = {"min": max(0.0, -amount), "average": 1 - abs(amount), "max": max(0.0, amount)}
    return {f"{step}{trait}": share for step, share in shares.items()}
