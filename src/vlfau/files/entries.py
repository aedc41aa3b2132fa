"""Reads data files of the package, with error messages that name the file and the key."""

import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from vlfau.errors import ConfigError
from vlfau.facs import action_unit

__all__ = ["Entry", "read_entries"]


def read_entries(name: str, path: Path | None = None, *, room: str = "synthetic") -> "Entry":
    """Read a TOML file.

    Args:
        name: Name of a file in a room's data folder.
        path: A file to read instead; None reads the package's own.
        room: The room, such as synthetic.

    Raises:
        ConfigError: The file cannot be read, or is not TOML.
    """
    try:
        if path is None:
            text = resources.files(f"vlfau.{room}").joinpath(f"data/{name}").read_text(encoding="utf-8")
        else:
            text = path.read_text(encoding="utf-8")
        return Entry(str(path or name), "", tomllib.loads(text))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path or name} is not a readable TOML file ({error}); correct it") from None


class Entry:
    """A table of a TOML file that checks the values it returns.

    Args:
        file: Name of the file, for error messages.
        path_in_file: Path of the table in the file, for error messages.
        content: The table.
    """

    def __init__(self, file: str, path_in_file: str, content: Mapping[str, Any]) -> None:
        self.file, self.path_in_file, self.content = file, path_in_file, content

    def only(self, keys: Iterable[str]) -> None:
        """Raise an error if the table has other keys than these."""
        unknown = sorted(set(self.content) - set(keys))
        if unknown:
            raise self.error(unknown[0], f"no such key; known are {', '.join(keys)}")

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """Return a number between two bounds."""
        value = self.content.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise self.error(key, f"a number from {low:g} to {high:g}")
        return float(value)

    def count(self, key: str, low: int = 0) -> int:
        """Return a whole number."""
        value = self.content.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise self.error(key, f"a whole number, {low} or more")
        return value

    def text(self, key: str, choices: Iterable[str] | None = None, default: str | None = None) -> str:
        """Return a string; one of the choices, if given."""
        value = self.content.get(key, default)
        if not isinstance(value, str) or not value or (choices is not None and value not in choices):
            raise self.error(key, f"one of {', '.join(choices)}" if choices is not None else "a non-empty string")
        return value

    def texts(self, key: str, choices: Iterable[str]) -> tuple[str, ...]:
        """Return a list of strings, all among the choices."""
        value = self.content.get(key)
        if not isinstance(value, list) or not value or not all(text in choices for text in value):
            raise self.error(key, f"a list with items of {', '.join(sorted(choices))}")
        return tuple(value)

    def au_id(self, key: str = "number") -> int:
        """Return the FACS number of an AU of the catalogue."""
        number = self.count(key, 1)
        try:
            return action_unit(number).number
        except ConfigError:
            raise self.error(key, "the number of an AU of the catalogue") from None

    def au_pair(self, key: str = "aus") -> tuple[int, int]:
        """Return two AUs of the catalogue."""
        value = self.content.get(key)
        if not isinstance(value, list) or len(value) != 2:
            raise self.error(key, "two AUs")
        first, second = (Entry(self.file, f"{self.path_in_file} {key}", {"number": number}).au_id() for number in value)
        return first, second

    def table(self, key: str) -> "Entry":
        """Return a table inside this one."""
        value = self.content.get(key)
        if not isinstance(value, Mapping):
            raise self.error(key, "a table")
        return Entry(self.file, f"{self.path_in_file} {key}".strip(), value)

    def tables(self, key: str) -> list["Entry"]:
        """Return the tables of a list."""
        value = self.content.get(key)
        if not isinstance(value, list) or not value or not all(isinstance(item, Mapping) for item in value):
            raise self.error(key, "a list of tables")
        return [
            Entry(self.file, f"{self.path_in_file} {key} {number}".strip(), item)
            for number, item in enumerate(value, 1)
        ]

    def numbers(self, low: float, high: float) -> dict[str, float]:
        """Return the whole table, whose values must be numbers."""
        if not self.content:
            raise self.error("", "at least one number")
        return {key: self.number(key, low, high) for key in self.content}

    def error(self, key: str, expected: str) -> ConfigError:
        """Return an error that says what was expected at a key."""
        location = f"{self.path_in_file} '{key}'".strip()
        return ConfigError(f"{self.file}, {location}: expected {expected}, found {self.content.get(key)!r}; correct it")
