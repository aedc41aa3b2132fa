"""Beside the tables of an unfinished run: with which options it was begun."""

import json
from collections.abc import Mapping
from pathlib import Path

from vlfau.atomic import replacing
from vlfau.errors import InputError
from vlfau.inference.sources import printable
from vlfau.json_text import parse_json
from vlfau.same_settings import check_same_settings

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
            InputError: It had others, or what it had is damaged.
        """
        try:
            before = parse_json(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return
        except (OSError, ValueError):
            before = None
        if not isinstance(before, dict):
            raise InputError(
                f"{printable(self._path)}, which holds the options of the run that began {printable(self._table)}, is "
                "damaged; start over without --resume"
            )
        check_same_settings(
            {f"--{name}": value for name, value in before.items() if name in self._settings},
            {f"--{name}": value for name, value in self._settings.items()},
            what=printable(self._table),
            ways_out="give the same options, or start over without --resume",
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
