"""Published scores: the rows of the paper's tables."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from vlfau.facs import AU_SETS

__all__ = ["Published", "PublishedMethod", "PublishedScore", "PublishedVariant", "read_published"]

# Cells and averages are printed with one decimal, so each may be off by 0.05.
ROUNDING = 0.1


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PublishedScore(_Entry):
    """One row of a table, in percent.

    Attributes:
        aus: (N,) scores in the order of the AU set.
        mean: The published average.
    """

    aus: tuple[float, ...]
    mean: float

    @property
    def mean_of_cells(self) -> float:
        """The average of the cells."""
        return sum(self.aus) / len(self.aus)

    @property
    def mean_is_off(self) -> bool:
        """Whether the published average differs from that of the cells by more than rounding."""
        return abs(self.mean - self.mean_of_cells) > ROUNDING + 1e-9


class _Scored(_Entry):
    f1: Mapping[str, PublishedScore] = {}
    accuracy: Mapping[str, PublishedScore] = {}

    @model_validator(mode="after")
    def _check(self) -> Self:
        for au_set, score in (*self.f1.items(), *self.accuracy.items()):
            if len(AU_SETS[au_set]) != len(score.aus):
                raise ValueError(f"{len(score.aus)} cells for the AUs of {au_set}")
        return self


class PublishedMethod(_Scored):
    """A method's scores by AU set, such as `f1["bp4d"]`."""

    name: str
    venue: str
    remark: str = ""


class PublishedVariant(_Scored):
    """A row of table 4; `parts` are the parts of the network."""

    number: int
    parts: tuple[str, ...]
    local_top5: float | None = None
    global_top5: float | None = None


class Published(_Entry):
    """All published rows and their source."""

    source: str
    baseline: str
    methods: tuple[PublishedMethod, ...]
    variants: tuple[PublishedVariant, ...]


@cache
def read_published() -> Published:
    """Read and check published.toml."""
    text = resources.files("vlfau.paper").joinpath("published.toml").read_text(encoding="utf-8")
    return Published.model_validate(tomllib.loads(text))
