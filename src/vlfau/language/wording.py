"""The words that all descriptions share: degrees, sides, subjects. They are data (`wording.toml`)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from vlfau.errors import DescriptionError
from vlfau.facs import INTENSITY_LETTERS, Side
from vlfau.language.tokenizer import tokenize

__all__ = ["Gender", "Wording", "read_wording"]

_WORDS: Final = re.compile(r"[a-z]+( [a-z]+)*")
_OPENING: Final = re.compile(r"[A-Z][a-z]*(,? [a-z]+)*")
_GLOBAL_KEYS: Final = {"woman", "man", "unknown", "follow_up", "no_action"}
_GLOBAL_LISTS: Final = {"follow_up", "no_action", "trace"}


class Gender(StrEnum):
    """The gender that a global description names."""

    WOMAN = "woman"
    MAN = "man"


@dataclass(frozen=True)
class Wording:
    """All wording that is not specific to one AU.

    Attributes:
        degrees: The adverbs of the intensities A to E.
        sides: The phrase of each side.
        subjects: How a global description begins; None is the key of an unknown gender.
        follow_ups: How each later sentence of a global description may begin; the first is the canonical one.
        no_action: What follows the subject if no AU is active.
        decisive: Words that can reverse the meaning of a sentence.
        trace: What follows the subject if no AU is active and some may show a trace; empty in earlier versions.
    """

    degrees: tuple[str, ...]
    sides: Mapping[Side, str]
    subjects: Mapping[Gender | None, str]
    follow_ups: tuple[str, ...]
    no_action: tuple[str, ...]
    decisive: frozenset[str]
    trace: tuple[str, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what pickles and copies are made from: Python copies no read-only mapping."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return _read_only, (values | {"sides": dict(self.sides), "subjects": dict(self.subjects)},)

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

    def table(self) -> dict[str, Any]:
        """Return the content of a `wording.toml` with this wording."""
        subjects = {gender or "unknown": text for gender, text in self.subjects.items()}
        lists = {"follow_up": self.follow_ups, "no_action": self.no_action, "trace": self.trace}
        return {
            "degrees": dict(zip(INTENSITY_LETTERS, self.degrees, strict=True)),
            "sides": {side.value: text for side, text in self.sides.items()},
            "global": {**subjects, **{key: list(texts) for key, texts in lists.items() if texts}},
            "reading": {"decisive": sorted(self.decisive)},
        }

    @cached_property
    def modifier_words(self) -> frozenset[str]:
        """The words that name a degree or a side, and so occur only in slots."""
        return frozenset(self.degrees) | frozenset(self.side_markers)


def _read_only(values: dict[str, Any]) -> Wording:
    sides, subjects = MappingProxyType(values["sides"]), MappingProxyType(values["subjects"])
    return Wording(**values | {"sides": sides, "subjects": subjects})


def read_wording(table: Mapping[str, Any], source: str | Path) -> Wording:
    """Check the content of `wording.toml` and return it.

    Args:
        table: The parsed file. Its `follow_up` is a list of openings, or one opening as in earlier versions, which
            had no `trace` either.
        source: Name of the source, for messages.

    Raises:
        DescriptionError: A key is missing, unknown or of the wrong kind.
    """
    _check_keys(table, {"degrees", "sides", "global", "reading"}, source)
    degrees = _phrases(table["degrees"], set(INTENSITY_LETTERS), "degrees", source)
    sides = _phrases(table["sides"], {side.value for side in Side}, "sides", source)
    _check_keys(table["global"], _GLOBAL_KEYS, source, optional=frozenset({"trace"}))
    starts = {key: text for key, text in table["global"].items() if key not in _GLOBAL_LISTS}
    starts = _phrases(starts, _GLOBAL_KEYS - _GLOBAL_LISTS, "global", source)
    _check_keys(table["reading"], {"decisive"}, source)
    no_action = _texts(table["global"]["no_action"], _WORDS, "no_action", source)
    trace = _texts(table["global"]["trace"], _WORDS, "trace", source) if "trace" in table["global"] else ()
    if set(trace) & set(no_action):
        raise DescriptionError(f"{source}: 'trace' and 'no_action' of [global] share a text; each needs its own")
    decisive = _texts(table["reading"]["decisive"], _WORDS, "decisive", source)
    follow_up = table["global"]["follow_up"]
    follow_ups = _texts([follow_up] if isinstance(follow_up, str) else follow_up, _OPENING, "follow_up", source)
    if len({*follow_ups, *starts.values()}) < len(follow_ups) + len(starts):
        raise DescriptionError(f"{source}: two openings of [global] are the same; give each its own text")
    wording = Wording(
        degrees=tuple(degrees[letter] for letter in INTENSITY_LETTERS),
        sides=MappingProxyType({side: sides[side.value] for side in Side}),
        subjects=MappingProxyType({gender: starts[gender or "unknown"] for gender in (*Gender, None)}),
        follow_ups=follow_ups,
        no_action=no_action,
        decisive=frozenset(decisive),
        trace=trace,
    )
    if any(len(degree.split()) != 1 for degree in wording.degrees):
        raise DescriptionError(f"{source}: each degree is a single adverb; shorten {list(wording.degrees)}")
    if set(wording.side_markers.values()) != set(Side):
        raise DescriptionError(f"{source}: each side needs a word that the other sides lack; add one")
    return wording


def _check_keys(
    table: object, expected: set[str], source: str | Path, *, optional: frozenset[str] = frozenset()
) -> None:
    if not isinstance(table, Mapping):
        raise DescriptionError(f"{source}: expected a table with the keys {sorted(expected)}; write one")
    if table.keys() - optional != expected:
        raise DescriptionError(
            f"{source}: expected the keys {sorted(expected)}, found {sorted(table)}; add or remove the others"
        )


def _texts(texts: object, form: re.Pattern[str], name: str, source: str | Path) -> tuple[str, ...]:
    if not isinstance(texts, list) or not texts or not all(form.fullmatch(str(text)) for text in texts):
        kind = "plain lower-case words" if form is _WORDS else "plain words that begin with a capital"
        raise DescriptionError(f"{source}: '{name}' is a list of {kind}; correct {texts!r}")
    return tuple(texts)


def _phrases(table: Mapping[str, Any], expected: set[str], name: str, source: str | Path) -> dict[str, str]:
    _check_keys(table, expected, source)
    if not all(isinstance(text, str) and text.strip() for text in table.values()):
        raise DescriptionError(f"{source}: every entry of [{name}] is a text that is not empty; fill them in")
    if len(set(table.values())) != len(table):
        raise DescriptionError(f"{source}: two entries of [{name}] are the same; give each its own text")
    return dict(table)
