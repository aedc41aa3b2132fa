"""Which runs may be compared: those on the same data."""

import re
from dataclasses import dataclass
from typing import Final

from vlfau.facs import AU_SETS
from vlfau.report.scores import Scores

__all__ = ["DataKey"]

PUBLISHED_SETS: Final = ("bp4d", "disfa")
"""The sets of AUs of the paper's tables; runs on any other data have tables of their own."""


@dataclass(frozen=True)
class DataKey:
    """The data of a run, as far as comparisons go."""

    description: str
    synthetic: bool
    au_ids: tuple[int, ...]

    @classmethod
    def of(cls, scores: Scores) -> "DataKey":
        """Return the data that scores were measured on."""
        return cls(scores.data.description, scores.data.synthetic, scores.au_ids)

    @property
    def published_set(self) -> str | None:
        """The published data set that these are, or None."""
        if self.synthetic:
            return None
        for name in PUBLISHED_SETS:
            # BP4D+ is another data set than BP4D.
            if AU_SETS[name] == self.au_ids and re.search(rf"\b{name}\b(?!\+)", self.description, re.IGNORECASE):
                return name
        return None

    @property
    def title(self) -> str:
        """The data in words."""
        kind = "synthetic faces" if self.synthetic else "real faces"
        if self.synthetic and "synthetic" in self.description.lower():
            return f"{len(self.au_ids)} AUs of {self.description}"
        return f"{len(self.au_ids)} AUs of {kind}" + (f" ({self.description})" if self.description else "")
