"""Folders whose names vary from copy to copy of a data set: letter case, zero padding, a level more or less."""

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from vlfau.errors import InputError, ManifestError

__all__ = ["entries", "find_below", "find_first", "listed", "named", "numbered_pictures", "read_genders", "read_lines"]

NUMBER = re.compile(r"(\d+)", re.ASCII)
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp"})


def entries(folder: Path) -> list[Path]:
    """Return what lies in a folder, by name, without hidden files.

    Raises:
        InputError: It is no folder, or cannot be read.
    """
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise InputError(f"folder {folder} can't be read ({error.strerror}); check the path") from None


def find_below(folder: Path, *names: str) -> Path | None:
    """Follow names into a folder, whatever their letter case."""
    for name in names:
        if not folder.is_dir():
            return None
        exact = folder / name
        found = exact if _exists(exact) else _ignoring_case(folder, name)
        if found is None:
            return None
        folder = found
    return folder


def find_first(folder: Path, candidates: Sequence[Sequence[str]]) -> Path | None:
    """Return the first of several paths below a folder that exists, whatever the letter case."""
    found = (find_below(folder, *names) for names in candidates)
    return next((path for path in found if path is not None), None)


def named(folder: Path, pattern: re.Pattern[str]) -> list[Path]:
    """Return the folders in a folder whose whole names fit a pattern, by name."""
    return [path for path in entries(folder) if pattern.fullmatch(path.name) and path.is_dir()]


def numbered_pictures(folder: Path | None, pattern: re.Pattern[str] = NUMBER) -> dict[int, Path]:
    """Return the pictures of a folder by the whole number that their names hold (`0732.jpg` is 732).

    Args:
        folder: Where to look; None, or a folder that does not exist, holds no picture.
        pattern: Of the name without suffix; its first group is the number.

    Raises:
        ManifestError: Two pictures have the same number.
    """
    found: dict[int, Path] = {}
    for path in entries(folder) if folder is not None and folder.is_dir() else ():
        match = pattern.fullmatch(path.stem)
        if path.suffix.lower() not in PICTURE_SUFFIXES or match is None:
            continue
        number = int(match[1])
        other = found.setdefault(number, path)
        if other != path:
            raise ManifestError(f"{path} and {other.name} are both frame {number}; remove one of them")
    return found


def listed(names: Iterable[str], limit: int = 5) -> str:
    """Return how many names there are, and a few of them.

    >>> listed(["a", "b", "c"], limit=2)
    '3 (a, b and 1 more)'
    """
    every = list(names)
    shown = ", ".join(every[:limit])
    more = f" and {len(every) - limit:,} more" if len(every) > limit else ""
    return f"{len(every):,} ({shown}{more})"


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text, without their ends and without empty lines at the end.

    Raises:
        ManifestError: The file cannot be read as UTF-8 text.
    """
    try:
        return path.read_text(encoding="utf-8-sig").rstrip().splitlines()
    except OSError as error:
        raise ManifestError(f"{path} can't be read ({error.strerror}); copy it again") from None
    except UnicodeDecodeError:
        raise ManifestError(f"{path} is no text in UTF-8; copy it again") from None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # No file has a name that is too long.
        return False


def _ignoring_case(folder: Path, name: str) -> Path | None:
    return next((path for path in entries(folder) if path.name.lower() == name.lower()), None)


def read_genders(folder: Path) -> dict[str, str]:
    """Read `subjects.csv` (`subject_id,gender`, F or M or empty) if a folder holds one; nothing is guessed.

    Raises:
        ManifestError: The table lacks a column, or has another gender.
    """
    path = find_below(folder, "subjects.csv")
    if path is None:
        return {}
    reader = csv.DictReader(read_lines(path))
    if not {"subject_id", "gender"} <= set(reader.fieldnames or ()):
        raise ManifestError(f"{path} lacks the columns subject_id and gender; name them in its first line")
    genders = {}
    for row in reader:
        gender = (row["gender"] or "").strip().upper()
        if gender not in {"F", "M", ""}:
            raise ManifestError(
                f"{path}, line {reader.line_num}: expected the gender F, M or nothing, found '{gender}'; correct it"
            )
        genders[(row["subject_id"] or "").strip().upper()] = gender
    return genders
