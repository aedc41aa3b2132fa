"""Beside the tables of an unfinished run: with which options it was begun."""

import json
from collections.abc import Mapping
from pathlib import Path

from vlfau.atomic import replacing
from vlfau.errors import InputError
from vlfau.inference.sources import printable
from vlfau.json_text import parse_json

__all__ = ["RunFile"]

Settings = Mapping[str, str | int | float | bool | list[str] | None]


class RunFile:
    """A hidden file that is there from the beginning of a run until it ends well.

    Args:
        table: The run's first table.
        settings: Everything on which the rows depend, by option.
    """

    def __init__(self, table: Path, settings: Settings) -> None:
        self._table, self._settings = table, dict(settings)
        self._path = table.with_name(f".{table.name}.run")

    def exists(self) -> bool:
        """Say whether an earlier run was interrupted."""
        return self._path.exists()

    def check(self) -> None:
        """Make sure that an interrupted run had the same options: its rows would not fit to ours.

        Raises:
            InputError: It had others.
        """
        try:
            before = parse_json(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return
        before = before if isinstance(before, dict) else {}
        others = [name for name in self._settings if before.get(name) != self._settings[name]]
        if others:
            name = others[0]
            raise InputError(
                f"the run that began {printable(self._table)} had --{name} {_shown(before.get(name))}, this one has "
                f"{_shown(self._settings[name])}; give the same options, or begin anew without --resume"
            )

    def write(self) -> None:
        """Say that a run has begun.

        Raises:
            InputError: The file cannot be written.
        """
        with replacing(self._path) as temporary:
            temporary.write_text(json.dumps(self._settings), "utf-8")

    def remove(self) -> None:
        """Say that it has ended well."""
        self._path.unlink(missing_ok=True)


def _shown(value: object) -> str:
    if value in (None, False, []):
        return "not given"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
