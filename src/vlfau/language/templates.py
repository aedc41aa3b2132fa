"""Texts with slots: `{degree}`, `{side}` and `{one|many}`.

`{degree}` and `{side}` are left out if the intensity or side is unknown. `{one|many}` is its first half
if the AU acts on one side of the face and its second half otherwise.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from vlfau.facs import Side
from vlfau.language.tokenizer import tokenize
from vlfau.language.wording import Wording

__all__ = ["Template"]

_SLOT: Final = re.compile(r"\{([^{}]*)\}")
_CHOICE: Final = re.compile(r"\{([^{}|]*)\|([^{}|]*)\}")
_SPARE_SPACE: Final = re.compile(r"\s+(?=[.,\s])|^\s+|\s+$")


@dataclass(frozen=True)
class Template:
    """A text with slots, as in a description file."""

    source: str

    @cached_property
    def slots(self) -> tuple[str, ...]:
        """The contents of the braces, in order."""
        return tuple(_SLOT.findall(self.source))

    def fill(self, wording: Wording, intensity: int | None = None, side: Side | None = None) -> str:
        """Return the text for an intensity and a side; None leaves the slot out."""
        degree = "" if intensity is None else wording.degrees[intensity - 1]
        phrase = "" if side is None else wording.sides[side]
        one_side = side in {Side.LEFT, Side.RIGHT}

        def content(match: re.Match[str]) -> str:
            slot = match[1]
            if slot == "degree":
                return degree
            if slot == "side":
                return phrase
            one, many = slot.split("|")
            return one if one_side else many

        return _SPARE_SPACE.sub("", _SLOT.sub(content, self.source))

    def cores(self) -> frozenset[str]:
        """Return the text without degree and side, in the wording for one side and for both."""
        bare = self.source.replace("{degree}", "").replace("{side}", "")
        return frozenset(_SPARE_SPACE.sub("", _CHOICE.sub(half, bare)) for half in (r"\1", r"\2"))

    def words(self) -> frozenset[str]:
        """Return every token that the text can contain, except those of degrees and sides."""
        return frozenset(token for core in self.cores() for token in tokenize(core))

    def max_tokens(self, wording: Wording) -> int:
        """Return the number of tokens of the longest form of the text."""
        degrees = range(1, 6) if "degree" in self.slots else (None,)
        sides = Side if "side" in self.slots else (None,)
        return max(len(tokenize(self.fill(wording, degree, side))) for degree in degrees for side in sides)
