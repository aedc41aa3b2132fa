"""The words that all descriptions share: degrees, sides, subjects. They are data (`wording.toml`)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from vlfau.errors import DescriptionError
from vlfau.facs import INTENSITY_LETTERS, Side
from vlfau.language.gender import Gender
from vlfau.language.tokens import tokenize

__all__ = ["Wording", "read_wording"]

_WORDS: Final = re.compile(r"[a-z]+( [a-z]+)*")
_GLOBAL_KEYS: Final = {"woman", "man", "unknown", "follow_up", "no_action"}


@dataclass(frozen=True)
class Wording:
    """The wording of everything that is no text of one AU.

    Attributes:
        degrees: The adverbs of the intensities A to E.
        sides: The phrase of each side.
        subjects: How a global description begins; None is the key of an unknown gender.
        follow_up: How each later sentence of a global description begins.
        no_action: What follows the subject where no AU acts.
        decisive: Words that can turn the meaning of a sentence round.
    """

    degrees: tuple[str, ...]
    sides: Mapping[Side, str]
    subjects: Mapping[Gender | None, str]
    follow_up: str
    no_action: tuple[str, ...]
    decisive: frozenset[str]

    @cached_property
    def side_markers(self) -> Mapping[str, Side]:
        """The words that only one side's phrase has, such as `left`."""
        phrases = {side: set(tokenize(phrase)) for side, phrase in self.sides.items()}
        return {
            word: side
            for side, words in phrases.items()
            for word in words
            if not any(word in phrases[other] for other in Side if other is not side)
        }

    @cached_property
    def claim_words(self) -> frozenset[str]:
        """The words that claim a degree or a side and so stand in slots alone."""
        return frozenset(self.degrees) | frozenset(self.side_markers)


def read_wording(table: Mapping[str, Any], path: Path) -> Wording:
    """Check the content of `wording.toml` and return it.

    Args:
        table: The parsed file.
        path: The file, for messages.

    Raises:
        DescriptionError: A key is missing, unknown or of the wrong kind.
    """
    _check_keys(table, {"degrees", "sides", "global", "reading"}, path)
    degrees = _phrases(table["degrees"], set(INTENSITY_LETTERS), "degrees", path)
    sides = _phrases(table["sides"], {side.value for side in Side}, "sides", path)
    _check_keys(table["global"], _GLOBAL_KEYS, path)
    starts = {key: text for key, text in table["global"].items() if key != "no_action"}
    starts = _phrases(starts, _GLOBAL_KEYS - {"no_action"}, "global", path)
    _check_keys(table["reading"], {"decisive"}, path)
    for name, texts in (
        ("no_action", table["global"]["no_action"]),
        ("decisive", table["reading"]["decisive"]),
    ):
        if not isinstance(texts, list) or not texts or not all(_WORDS.fullmatch(str(text)) for text in texts):
            raise DescriptionError(f"{path}: '{name}' is a list of plain lower-case words; correct {texts!r}")
    wording = Wording(
        degrees=tuple(degrees[letter] for letter in INTENSITY_LETTERS),
        sides=MappingProxyType({side: sides[side.value] for side in Side}),
        subjects=MappingProxyType({gender: starts[gender or "unknown"] for gender in (*Gender, None)}),
        follow_up=starts["follow_up"],
        no_action=tuple(table["global"]["no_action"]),
        decisive=frozenset(table["reading"]["decisive"]),
    )
    if any(len(degree.split()) != 1 for degree in wording.degrees):
        raise DescriptionError(f"{path}: each degree is a single adverb; shorten {list(wording.degrees)}")
    if set(wording.side_markers.values()) != set(Side):
        raise DescriptionError(f"{path}: each side needs a word that the other sides lack; add one")
    return wording


def _check_keys(table: object, expected: set[str], path: Path) -> None:
    if not isinstance(table, Mapping):
        raise DescriptionError(f"{path}: expected a table with the keys {sorted(expected)}; write one")
    if table.keys() != expected:
        raise DescriptionError(
            f"{path}: expected the keys {sorted(expected)}, found {sorted(table)}; add or remove the others"
        )


def _phrases(table: Mapping[str, Any], expected: set[str], name: str, path: Path) -> dict[str, str]:
    _check_keys(table, expected, path)
    if not all(isinstance(text, str) and text.strip() for text in table.values()):
        raise DescriptionError(f"{path}: every entry of [{name}] is a text that is not empty; fill them in")
    if len(set(table.values())) != len(table):
        raise DescriptionError(f"{path}: two entries of [{name}] are alike; give each its own text")
    return dict(table)
