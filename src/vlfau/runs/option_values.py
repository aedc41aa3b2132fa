"""The values of options: what a Python caller may give for each, and how times are read."""

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_origin

from vlfau.errors import ConfigError
from vlfau.video.regions import EVERYWHERE, Regions

if TYPE_CHECKING:
    from vlfau.media.reader import VideoReader

__all__ = ["VideoPart", "as_declared", "chosen_aus", "seconds"]

_TIME: Final = re.compile(
    r"(?:(?:(?P<hours>\d{1,6}):)?(?P<minutes>\d{1,6}):)?(?P<seconds>\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})(?:\s?(?P<unit>ms|s))?"
)

_SHOWN: Final = 60
"""Characters of a wrong value that an error shows."""


@dataclass(frozen=True, slots=True)
class VideoPart:
    """What of a video is analysed, as `VideoReader` takes it; times in seconds on the clock of the file."""

    every_s: float | None = None
    start_s: float = 0.0
    end_s: float | None = None
    stream_number: int | None = None
    fps: float | None = None
    regions: Regions = EVERYWHERE
    identities: bool = False

    def reader(self, source: str | Path, *, threads: int | None = None) -> "VideoReader":
        """Open this part of a video; see `VideoReader`."""
        from vlfau.media.reader import VideoReader

        return VideoReader(
            source,
            every_s=self.every_s,
            start_s=self.start_s,
            end_s=self.end_s,
            threads=threads,
            stream_number=self.stream_number,
            fps=self.fps,
        )


def seconds(text: str, option: str) -> float:
    """Read a time as a user writes it.

    Args:
        text: Such as 0.2, 0.2s, 200ms, 1:23.5 or 1:02:03.
        option: Who asks, for the error.

    Raises:
        ConfigError: It is not a time.

    >>> seconds("200ms", "--every"), seconds("1:23.5", "--start"), seconds("1:02:03", "--end")
    (0.2, 83.5, 3723.0)
    """
    match = _TIME.fullmatch(text.strip())
    if match is None or (match["minutes"] and match["unit"] == "ms"):
        raise ConfigError(f"{option} takes a time such as 0.2s, 200ms or 1:23.5, not '{text[:40]}'; correct it")
    time_s = float(match["seconds"]) / (1000 if match["unit"] == "ms" else 1)
    return 3600 * int(match["hours"] or 0) + 60 * int(match["minutes"] or 0) + time_s


def as_declared(name: str, value: Any, declared: Any) -> Any:
    """Return what a Python caller gave for an option in the type of that option.

    Args:
        name: The option.
        value: A path may be text, a time a number of seconds, an action unit a number, and one table or baseline need
            not be in a list.
        declared: The type of the option.

    Raises:
        ConfigError: The value cannot stand for one of that type.

    >>> as_declared("every", 0.2, str | None), as_declared("heatmap", [12, 6], str | None)
    ('0.2', '12,6')
    """
    if get_origin(declared) is tuple:
        return _paths(name, value, get_args(declared)[0])
    if value is None and NoneType in get_args(declared):
        return None
    if get_origin(declared) is Literal:
        return _choice(name, value, get_args(declared))
    if name in _READERS_BY_NAME:
        return _READERS_BY_NAME[name](name, value)
    kinds = (declared, *get_args(declared))
    return next(read(name, value) for kind, read in _READERS.items() if kind in kinds)


def _paths(name: str, value: Any, kind: type) -> tuple[Any, ...]:
    if value is None:
        return ()
    given = value if isinstance(value, Iterable) and not isinstance(value, str | bytes) else [value]
    return tuple(kind(_path(name, each)) for each in given)


def _path(name: str, value: Any) -> str:
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(path, str):
        raise ConfigError(f"{name} is {value!r}; give a path, as text or as a Path")
    return path


def _choice(name: str, value: Any, choices: tuple[str, ...]) -> str:
    if isinstance(value, str) and value in choices:
        return value
    raise ConfigError(f"{name} is {value!r}; give one of {', '.join(choices)}")


def _flag(name: str, value: Any) -> bool:
    if isinstance(value, bool) or type(value).__name__ == "bool":  # The latter is NumPy's.
        return bool(value)
    raise ConfigError(f"{name} is {value!r}; give True or False")


def _whole_number(name: str, value: Any) -> int:
    if not isinstance(value, bool) and isinstance(value, Integral):
        return int(value)
    raise ConfigError(f"{name} is {value!r}; give a whole number")


def _number(name: str, value: Any) -> float:
    if not isinstance(value, bool) and isinstance(value, Real):
        return float(value)
    raise ConfigError(f"{name} is {value!r}; give a number")


def _time(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, bool) and isinstance(value, Real):
        text = f"{float(value):.9f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    raise ConfigError(f"{name} is {value!r}; give a number of seconds, or a time such as 200ms or 1:23.5")


def _au_ids(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    given = list(value) if isinstance(value, Iterable) else [value]
    if given and all(not isinstance(au_id, bool) and isinstance(au_id, Integral) for au_id in given):
        return ",".join(map(str, given))
    raise ConfigError(f"{name} is {value!r}; give active, or numbers of action units such as 12 or [6, 12]")


_READERS_BY_NAME: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    "every": _time,
    "start": _time,
    "end": _time,
    "heatmap": _au_ids,
}
_READERS: Final[Mapping[type, Callable[[str, Any], Any]]] = {
    bool: _flag,
    int: _whole_number,
    float: _number,
    Path: lambda name, value: Path(_path(name, value)),
    str: _path,
}


def chosen_aus(text: str, au_ids: Sequence[int], *, option: str) -> tuple[int, ...]:
    """Return the AUs that a user chose: an empty tuple for the active ones.

    Args:
        text: "active", or numbers such as 12 or 6,12.
        au_ids: Those that the model knows.
        option: Who asks, for the error.

    Raises:
        ConfigError: It is not a list of AUs, or the model does not know one.
    """
    if text == "active":
        return ()
    words = [word.strip() for word in text.split(",")]
    wanted = [int(word) for word in words if word.isdecimal() and len(word) < 4]  # FACS has no longer numbers.
    if len(wanted) < len(words) or not set(wanted) <= set(au_ids):
        raise ConfigError(
            f"{option} takes active, or numbers of action units such as 12 or 6,12, not '{text[:_SHOWN]}'; "
            f"this model knows {', '.join(map(str, au_ids))}"
        )
    return tuple(dict.fromkeys(wanted))
