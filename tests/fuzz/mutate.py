"""Damage: to bytes, to lines of text, and to the values of a document. Equal generators do equal damage."""

import copy
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Rng = np.random.Generator

NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)
"""What counts and sizes overflow at."""
WORDS = (
    *("", " ", "0", "-1", "1e999", "nan", "inf", "-0", "1_0", "9" * 30, "9" * 5000, "0x10", "1.5", "٣", "²"),
    *("null", "true", "~", "[]", "{}", "''", '""', '"', "'", ",", ":", "- ", "=", "[", "]", "{", "}", "#", "%", "|"),
    *("\0", "\r", "\n", "\t", "\ufeff", "\ud800", "🙂", "é", "A" * 70_000),
    *("..", "/", "../../../etc/passwd", "/dev/zero", "2001-99-99", "2001-01-01"),
    *("!!python/object/apply:os.getcwd []", "&a [*a, *a]", "<<: *a", "? [a]", "!!binary x"),
    *("AU0", "AU999", "AU12", "AU" + "1" * 5000, "left", "both", "F", "__class__", "format"),
)
"""Words that some reader somewhere stumbled over."""
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 7, 2**31, 2**63, 10**30, 1.5, -0.0, 1e308, float("nan"), float("inf")),
    *("", "x", "9" * 30, "é🙂", "\0", "../..", [], {}, [[]], [None], {"": ""}, {"a": {"b": [1]}}, [1, 1], [0] * 1000),
)


def pick(rng: Rng, options: Any) -> Any:
    return options[int(rng.integers(len(options)))]


def times(rng: Rng, most: int) -> int:
    """Return how often to do damage: mostly once, for what is slightly damaged is read furthest."""
    return min(int(rng.geometric(0.6)), most)


def place(rng: Rng, length: int) -> int:
    """Return a place in so many bytes; every second one lies near the start, where headers are."""
    share = rng.random() ** (1 if rng.random() < 0.5 else 4)
    return min(int(share * length), max(length - 1, 0))


def damaged_bytes(content: bytes, rng: Rng, most: int = 5) -> bytes:
    """Do one to `most` things to a file."""
    data = bytearray(content)
    for _ in range(times(rng, most)):
        pick(rng, _BYTES)(data, rng)
    return bytes(data)


def _flip(data: bytearray, rng: Rng) -> None:
    for _ in range(int(rng.integers(1, 9))):
        if data:
            data[place(rng, len(data))] ^= 1 << int(rng.integers(8))


def _number(data: bytearray, rng: Rng) -> None:
    width, order = pick(rng, (1, 2, 4, 8)), pick(rng, ("big", "little"))
    start = place(rng, len(data))
    data[start : start + width] = (pick(rng, NUMBERS) % 256**width).to_bytes(width, order)


def _cut(data: bytearray, rng: Rng) -> None:
    del data[place(rng, len(data)) :]


def _span(data: bytearray, rng: Rng) -> slice:
    start = place(rng, len(data))
    return slice(start, start + int(rng.integers(1, 2 + len(data) // 8)))


def _drop(data: bytearray, rng: Rng) -> None:
    del data[_span(data, rng)]


def _repeat(data: bytearray, rng: Rng) -> None:
    span = _span(data, rng)
    data[span.start : span.start] = data[span]


def _noise(data: bytearray, rng: Rng) -> None:
    span = _span(data, rng)
    data[span] = rng.bytes(len(data[span]))


def _blank(data: bytearray, rng: Rng) -> None:
    span = _span(data, rng)
    data[span] = bytes([pick(rng, (0, 255))]) * len(data[span])


def _swap(data: bytearray, rng: Rng) -> None:
    one, other = sorted((_span(data, rng), _span(data, rng)), key=lambda span: span.start)
    if one.stop <= other.start:
        first, second = data[one], data[other]
        data[other], data[one] = first, second


def _append(data: bytearray, rng: Rng) -> None:
    data += rng.bytes(int(rng.integers(1, 200)))


_BYTES: tuple[Callable[[bytearray, Rng], None], ...] = (
    *(_flip, _flip, _number, _number, _cut, _drop, _repeat, _noise, _blank, _swap, _append),
)


def damaged_text(text: str, rng: Rng, separators: str = ",:=[]{}\" '\n", most: int = 4) -> bytes:
    """Change words and lines of a text; sometimes its bytes, too."""
    for _ in range(times(rng, most)):
        text = pick(rng, (_other_word, _other_word, _other_word, _inserted, _lines, _deep))(text, rng, separators)
    content = text.encode("utf-8", "surrogatepass")
    return damaged_bytes(content, rng, 2) if rng.random() < 0.2 else content


def _words(text: str, separators: str) -> list[str]:
    groups = itertools.groupby(text, key=lambda sign: sign in separators)
    return ["".join(group) for _, group in groups]


def _other_word(text: str, rng: Rng, separators: str) -> str:
    words = _words(text, separators)
    if words:
        words[int(rng.integers(len(words)))] = pick(rng, WORDS) if rng.random() < 0.7 else pick(rng, words)
    return "".join(words)


def _inserted(text: str, rng: Rng, separators: str) -> str:
    where = place(rng, len(text))
    return text[:where] + pick(rng, WORDS) + text[where:]


def _lines(text: str, rng: Rng, separators: str) -> str:
    lines = text.split("\n")
    one, other = (int(rng.integers(len(lines))) for _ in range(2))
    match int(rng.integers(3)):
        case 0:
            del lines[one]
        case 1:
            lines.insert(other, lines[one])
        case _:
            lines[one], lines[other] = lines[other], lines[one]
    return "\n".join(lines)


def _deep(text: str, rng: Rng, separators: str) -> str:
    """Nest so deep that a parser which calls itself ends."""
    if rng.random() < 0.8:
        return text
    opening, closing = pick(rng, ("[]", "{}", ("[{", "}]"), ('{"a":', "}"), ("- ", "")))
    where, depth = place(rng, len(text)), pick(rng, (200, 2_000, 20_000))
    return text[:where] + opening * depth + closing * depth + text[where:]


def damaged_values(document: Any, rng: Rng, most: int = 3) -> Any:
    """Replace, remove, rename or add values anywhere in a document of lists and dicts."""
    document = copy.deepcopy(document)
    for _ in range(times(rng, most)):
        holders = [holder for holder in _holders(document) if holder]
        if not holders:
            return pick(rng, VALUES)
        # Those near the root as often as the many in long lists.
        holder = holders[min(int(rng.random() ** 2 * len(holders)), len(holders) - 1)]
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        key = pick(rng, keys)
        match int(rng.integers(6)):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[pick(rng, ("", "format", "x", str(key).upper(), "__class__"))] = holder.pop(key)
            case 2 if isinstance(holder, list):
                holder.insert(key, copy.deepcopy(holder[key]))
            case 3 if isinstance(holder[key], int | float):
                holder[key] = pick(rng, (-1, 0, 1, 2, 3, 8, 1000, -(10**9), 0.5, *NUMBERS))
            case _:
                holder[key] = copy.deepcopy(pick(rng, VALUES))
    return document


def _holders(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _holders(inner)
