"""Times as a user writes them."""

import re
from dataclasses import dataclass
from typing import Final

from vlfau.errors import ConfigError

__all__ = ["Part", "part", "seconds"]

_TIME: Final = re.compile(
    r"(?:(?:(?P<hours>\d{1,6}):)?(?P<minutes>\d{1,6}):)?(?P<seconds>\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})(?:\s?(?P<unit>ms|s))?"
)


@dataclass(frozen=True, slots=True)
class Part:
    """Which frames of a video are wanted, in seconds: as `VideoReader` takes them."""

    every_s: float | None = None
    start_s: float = 0.0
    end_s: float | None = None


def seconds(text: str, option: str) -> float:
    """Read a time.

    Args:
        text: Such as 0.2, 0.2s, 200ms, 1:23.5 or 1:02:03.
        option: Who asks, for the error.

    Raises:
        ConfigError: It is none.

    >>> seconds("200ms", "--every"), seconds("1:23.5", "--start"), seconds("1:02:03", "--end")
    (0.2, 83.5, 3723.0)
    """
    match = _TIME.fullmatch(text.strip())
    if match is None or (match["minutes"] and match["unit"] == "ms"):
        raise ConfigError(f"{option} takes a time such as 0.2s, 200ms or 1:23.5, not '{text[:40]}'; correct it")
    time_s = float(match["seconds"]) / (1000 if match["unit"] == "ms" else 1)
    return 3600 * int(match["hours"] or 0) + 60 * int(match["minutes"] or 0) + time_s


def part(every: str | None, start: str | None, end: str | None) -> Part:
    """Read which part of a video is wanted.

    Raises:
        ConfigError: A text is no time, or the part would be empty.
    """
    every_s = None if every is None else seconds(every, "--every")
    start_s = 0.0 if start is None else seconds(start, "--start")
    end_s = None if end is None else seconds(end, "--end")
    if every_s is not None and every_s <= 0:
        raise ConfigError(f"--every is {every}; give more than 0 s, or leave it out to judge all frames")
    if end_s is not None and end_s <= start_s:
        raise ConfigError(f"--end is {end}, which is not after the start ({start or 0}); give a later end")
    return Part(every_s, start_s, end_s)
