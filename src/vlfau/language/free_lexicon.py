"""The words of free English that speak of action units (`free_english.toml`), and text as tagged words."""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from vlfau.errors import DescriptionError
from vlfau.facs import INTENSITY_LETTERS, Side, all_au_ids

__all__ = ["CodedAU", "Lexicon", "Word", "lexicon", "split_codes", "split_sentences", "tagged"]

_FILE: Final = Path(__file__).with_name("free_english.toml")
_PREFIX: Final = r"(?i:\baus?|\baction units?|\bfacs(?: codes?)?)"
_SCORED: Final = (
    r"(?:intensity\s+)?(?:(?:is|was|were|are)\s+)?(?:(?:scored|coded|rated|active|present)\s+)?"
    r"(?:(?:as|at|with)\s+)?(?:an?\s+)?(?:(?:level|intensity)\s+)?"
)
_LEVEL: Final = r"\s*(?:[:=]\s*[0-5](?:\s*/\s*5)?|\(\s*[0-5](?:\s*/\s*5)?\s*\))(?!\.?\d|%)"
_CODE: Final = (
    rf"[LRlr]?\s?\d{{1,2}}(?:[A-Ea-e]\b|\s*\([A-E]\)|\s+{_SCORED}[A-E]\b(?!')"
    rf"|\s*:\s*(?:present|active|yes)\s*\(?[A-E]\b|{_LEVEL}|\b)"
)
_NEXT: Final = rf"\s*(?:[+/&]|,(?!\s*{_PREFIX})|,?\s*and\b)\s*(?:{_PREFIX})?\s*(?=[LRlr]?\d)"
_BARE: Final = r"[LR]?\d{1,2}[A-E]?"
_CODES: Final = re.compile(
    rf"{_PREFIX}[\s:#]*(?P<codes>{_CODE}(?:{_NEXT}{_CODE})*)"
    # Coders leave the prefix out where it is clear: 1+2+5, 12C, R14B.
    rf"|(?<![\w.+])(?P<bare>{_BARE}(?:\s?\+\s?{_BARE})+|[LR]?(?:[1-9]|[1-4]\d)[A-E])(?![\w+]|\.\d)"
)
_ONE_CODE: Final = re.compile(
    rf"([LRlr]?)\s?(\d{{1,2}})(?:([a-e])\b|[\s(:]*{_SCORED}(?:yes\s+)?\(?([A-E])\b(?!')|\s*[:=(]\s*([0-5])(\s*/\s*5)?(?!\.?\d|%))?"
)
_MARK: Final = "\ue000"
"""Stands for codes while a text is split; texts of people hold no private characters, and those that do lose them."""
_STATUS: Final = r":(?=\s*(?:not|absent|inactive|active|present|none|off|missing|(?:yes|no)(?=\s*(?:[.,;]|$)))\b)"
_HEADING: Final = r"\b(?:absent|inactive|not (?:active|activated|present|detected|observed|visible))\s*:"
_WORDS: Final = re.compile(rf"{_MARK}\d+{_MARK}|[^\W_]+(?:'[^\W_]+)?|[,;]")
_APOSTROPHES: Final = str.maketrans({"’": "'", "‘": "'", "–": ",", "—": ",", "(": " ", ")": " ", "-": " ", "_": " "})  # noqa: RUF001
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+|\n+")
_CONTRACTION: Final = re.compile(r"\b(ca|wo|\w+)n't\b")
_COORDINATED: Final = re.compile(
    r"\b(inner|outer|upper|lower) (and|or) (inner|outer|upper|lower) (\w+(?: rais(?:er|ers|e)\b)?)"
)
_END_OF_BROW: Final = re.compile(
    r"\b(inner|medial|outer|lateral) (?:third|half|part|end|portion|corner|tip|edge|aspect)s? of "
    r"((?:(?:the|his|her|their|its|one|each|both|left|right) )*)(?:eye)?brows?\b"
)


@dataclass(frozen=True, slots=True)
class CodedAU:
    """An AU named by its number; the catalogue may lack it. Intensity 0 says that it is inactive."""

    au_id: int
    intensity: int | None
    side: Side | None


@dataclass(frozen=True, slots=True)
class Word:
    """A word or phrase with what it may be.

    Attributes:
        text: As written, in lower case.
        part: The part of the face that it names.
        action: What it says that a part does.
        names: The AUs that it means by itself.
        kind: Its place in the sentence: a key of `[words]`, "comma" or empty.
        coded: AUs named by number.
    """

    text: str
    part: str = ""
    action: str = ""
    names: tuple[int, ...] = ()
    kind: str = ""
    coded: tuple[CodedAU, ...] = ()

    @property
    def intensity(self) -> int | None:
        """The degree that it names."""
        return INTENSITY_LETTERS.index(self.kind) + 1 if self.kind and self.kind in INTENSITY_LETTERS else None

    @property
    def side(self) -> Side | None:
        """The side that it names."""
        return Side(self.kind) if self.kind in set(Side) else None


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The content of `free_english.toml`.

    Attributes:
        phrases: Known words by their tokens.
        longest: Tokens of the longest.
        claimed: The AUs of each part and action.
        denied: The AUs that a part and an action deny.
        replaced: Phrases to read as others.
    """

    phrases: Mapping[tuple[str, ...], Word]
    longest: int
    claimed: Mapping[tuple[str, str], tuple[int, ...]]
    denied: Mapping[tuple[str, str], tuple[int, ...]]
    replaced: Mapping[str, str]


@cache
def lexicon() -> Lexicon:
    """Return the package's lexicon, read once.

    Raises:
        DescriptionError: The file is damaged, or names an AU or a part that does not exist.
    """
    table = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    try:
        return _lexicon(table)
    except (KeyError, TypeError, ValueError) as error:
        raise DescriptionError(f"{_FILE}: {error!r} is missing, unknown or of the wrong form; correct it") from None


def _lexicon(table: Mapping[str, Any]) -> Lexicon:
    phrases: dict[tuple[str, ...], Word] = {}

    def add(groups: Sequence[str], **meaning: Any) -> None:
        for form in (form for group in groups for form in group.split("/")):
            tokens = tuple(form.replace("-", " ").replace("_", " ").split())
            known = phrases.get(tokens, Word(" ".join(tokens)))
            if "names" in meaning:
                meaning = {"names": tuple(dict.fromkeys((*known.names, *meaning["names"])))}
            phrases[tokens] = replace(known, **meaning)

    for part, forms in table["objects"].items():
        plural = [f"{form}s" for group in forms for form in group.split("/") if "_of_" not in form]
        add([*forms, *plural], part=part)
    for action, forms in table["actions"].items():
        add(forms, action=action)
    for kind, forms in table["words"].items():
        add(forms, kind=kind)
    claimed: dict[tuple[str, str], tuple[int, ...]] = {}
    known_pairs = {(part, action) for part in table["objects"] for action in table["actions"]}
    for au_id, entry in table["au"].items():
        number = all_au_ids()[all_au_ids().index(int(au_id))]
        for name in (form for group in entry["names"] for form in group.split("/")):
            add([name], names=(number,))
            if "_" in name:
                add([f"{name}s"], names=(number,))
        for pair in map(_pair, entry["pairs"]):
            claimed[pair] = (*claimed.get(pair, ()), number)
    denied = {_pair(pair): tuple(au_ids) for pair, au_ids in table["denied"].items()}
    if unknown := (claimed.keys() | denied.keys()) - known_pairs:
        raise ValueError(min(unknown))
    return Lexicon(phrases, max(map(len, phrases)), claimed, denied, table["replace"])


def _pair(text: str) -> tuple[str, str]:
    part, action = text.split(" > ")
    return part, action


def split_sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text; control characters count as spaces."""
    clean = "".join(
        " " if unicodedata.category(char).startswith("C") and char != "\n" else char
        for char in unicodedata.normalize("NFKC", text)
    )
    yield from (sentence.strip() for sentence in _SENTENCE_END.split(clean) if sentence.strip())


def split_codes(text: str) -> tuple[str, frozenset[int]]:
    """Return a text without its AU numbers, and these.

    >>> split_codes("AU 12 and AU 6B act from 0:02 on")
    (' act from 0:02 on', frozenset({12, 6}))
    """
    found = frozenset(
        int(code[2]) for codes in _CODES.finditer(text) for code in _ONE_CODE.finditer(codes["codes"] or codes["bare"])
    )
    return _CODES.sub("", text), found


def tagged(sentence: str) -> list[Word]:
    """Split a sentence into known words and phrases, the longest first."""
    codes: list[tuple[CodedAU, ...]] = []

    def mark(match: re.Match[str]) -> str:
        codes.append(tuple(map(_coded, _codes(match))))
        return f" {_MARK}{len(codes) - 1}{_MARK} "

    text = _CODES.sub(mark, sentence).translate(_APOSTROPHES).lower()
    text = _CONTRACTION.sub(lambda match: f"{ {'ca': 'can', 'wo': 'will'}.get(match[1], match[1]) } not", text)
    text = re.sub(_HEADING, r"no ", text)
    text = re.sub(_STATUS, " ", text).replace(":", ",")
    text = _END_OF_BROW.sub(r"\2\1 brow", text)
    for phrase, other in lexicon().replaced.items():
        text = re.sub(rf"\b{phrase}\b", other, text)
    text = _COORDINATED.sub(r"\1 \4 \2 \3 \4", text)
    tokens = _WORDS.findall(text)
    words: list[Word] = []
    position = 0
    while position < len(tokens):
        token = tokens[position]
        if token.startswith(_MARK):
            words.append(Word(token, coded=codes[int(token.strip(_MARK))]))
        elif token in {",", ";"}:
            words.append(Word(token, kind="comma" if token == "," else "break"))
        else:
            word, count = _longest(tokens, position)
            words.append(word)
            position += count - 1
        position += 1
    return words


def _longest(tokens: Sequence[str], position: int) -> tuple[Word, int]:
    for count in range(min(lexicon().longest, len(tokens) - position), 0, -1):
        word = lexicon().phrases.get(tuple(tokens[position : position + count]))
        if word is not None:
            return word, count
    return Word(tokens[position]), 1


def _codes(match: re.Match[str]) -> Iterator[re.Match[str]]:
    """Yield the single codes of a match of `_CODES`."""
    return _ONE_CODE.finditer(match["codes"] or match["bare"])


def _coded(match: re.Match[str]) -> CodedAU:
    letter, level, of_five = match[3] or match[4], match[5], match[6]
    side = {"l": Side.LEFT, "r": Side.RIGHT}.get(match[1].lower())
    intensity = INTENSITY_LETTERS.index(letter.upper()) + 1 if letter else None
    if level and (level != "1" or of_five):  # A 1 alone may mean active.
        intensity = int(level)
    return CodedAU(int(match[2]), intensity, side)
