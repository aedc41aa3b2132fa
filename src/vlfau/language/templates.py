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

__all__ = ["ONE_SIDE", "Template"]

ONE_SIDE: Final = frozenset({Side.LEFT, Side.RIGHT})
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
        one_side = side in ONE_SIDE

        def content(match: re.Match[str]) -> str:
            slot = match[1]
            if slot == "degree":
                return degree
            if slot == "side":
                return phrase
            one, many = slot.split("|")
            return one if one_side else many

        return _SPARE_SPACE.sub("", _SLOT.sub(content, self.source))

    @cached_property
    def cores(self) -> frozenset[str]:
        """The text without degree and side, in the wording for one side and for both."""
        return frozenset(self._core(one_side=one_side) for one_side in (True, False))

    @cached_property
    def words(self) -> frozenset[str]:
        """Every token that the text can contain, except those of degrees and sides."""
        return frozenset(token for core in self.cores for token in tokenize(core))

    def max_tokens(self, wording: Wording) -> int:
        """Return the number of tokens of the longest form of the text."""
        longest = len(tokenize(self._core(one_side=False)))
        if "side" in self.slots:
            longest = max(
                len(tokenize(self._core(one_side=side in ONE_SIDE))) + len(tokenize(phrase))
                for side, phrase in wording.sides.items()
            )
        if "degree" in self.slots:
            longest += max(len(tokenize(degree)) for degree in wording.degrees)
        return longest

    def _core(self, *, one_side: bool) -> str:
        bare = self.source.replace("{degree}", "").replace("{side}", "")
        return _SPARE_SPACE.sub("", _CHOICE.sub(r"\1" if one_side else r"\2", bare))
