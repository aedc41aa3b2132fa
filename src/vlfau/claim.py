"""Folders of results that long work goes on with, and the settings on which those results depend."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vlfau.atomic import LEFTOVERS, replacing
from vlfau.errors import InputError
from vlfau.json_text import parse_json
from vlfau.same_settings import check_same_settings

__all__ = ["claim_folder"]


def claim_folder(folder: Path, settings: Mapping[str, Any], file: Path | None = None) -> None:
    """Begin a folder of results, or find that it was begun with the same settings.

    Args:
        folder: Is made if it does not exist; a new one must be empty.
        settings: All that the results depend on, as JSON can hold it.
        file: Keeps the settings, in the folder or in a folder of its own there; None takes settings.json.

    Raises:
        InputError: The folder cannot be written, holds other things, or results of other settings.
    """
    file = file or folder / "settings.json"
    try:
        if not file.exists():
            if next(_strangers(folder, file), None) is not None:
                raise InputError(f"{folder} holds other things already; choose a new or empty folder")
            file.parent.mkdir(parents=True, exist_ok=True)
            with replacing(file) as temporary:
                temporary.write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
            return
        before = parse_json(file.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"{folder} cannot be used ({error.strerror}); choose a new or empty folder") from None
    except ValueError:
        raise InputError(f"{file} is damaged; choose a new or empty folder") from None
    if not isinstance(before, dict):
        raise InputError(f"{file} is no file of settings; choose a new or empty folder")
    check_same_settings(before, settings, what=str(folder), ways_out="give the same settings, or choose another folder")


def _strangers(folder: Path, file: Path) -> Iterator[Path]:
    """Give the files that neither this nor an interrupted beginning can have made."""
    for path in folder.rglob("*"):
        is_ours = path.match(LEFTOVERS) or (file.parent != folder and file.parent in path.parents)
        if not path.is_dir() and not is_ours:
            yield path
