"""Finds files and folders whose names vary between copies of a data set, in letter case or zero padding."""

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from vlfau.errors import InputError, ManifestError

__all__ = [
    "find_first_path",
    "find_path",
    "format_names",
    "list_folder",
    "matching_folders",
    "numbered_pictures",
    "read_genders",
    "read_lines",
]

NUMBER = re.compile(r"(\d+)", re.ASCII)
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp"})


def list_folder(folder: Path) -> list[Path]:
    """Return the files and folders in a folder, sorted by name, without hidden ones.

    Raises:
        InputError: It is not a folder, or cannot be read.
    """
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise InputError(f"folder {folder} can't be read ({error.strerror}); check the path") from None


def find_path(folder: Path, *names: str) -> Path | None:
    """Return the path of nested names below a folder, ignoring letter case; None if it does not exist."""
    for name in names:
        if not folder.is_dir():
            return None
        exact = folder / name
        found = exact if _exists(exact) else _ignoring_case(folder, name)
        if found is None:
            return None
        folder = found
    return folder


def find_first_path(folder: Path, candidates: Sequence[Sequence[str]]) -> Path | None:
    """Return the first of several paths below a folder that exists, ignoring letter case."""
    found = (find_path(folder, *names) for names in candidates)
    return next((path for path in found if path is not None), None)


def matching_folders(folder: Path, pattern: re.Pattern[str]) -> list[Path]:
    """Return the subfolders whose names match a pattern, sorted by name."""
    return [path for path in list_folder(folder) if pattern.fullmatch(path.name) and path.is_dir()]


def numbered_pictures(folder: Path | None, pattern: re.Pattern[str] = NUMBER) -> dict[int, Path]:
    """Return the pictures of a folder by the number in their names (`0732.jpg` is 732).

    Args:
        folder: The folder; if it is None or does not exist, the result is empty.
        pattern: Pattern of the name without suffix; its first group is the number.

    Raises:
        ManifestError: Two pictures have the same number.
    """
    found: dict[int, Path] = {}
    for path in list_folder(folder) if folder is not None and folder.is_dir() else ():
        match = pattern.fullmatch(path.stem)
        if path.suffix.lower() not in PICTURE_SUFFIXES or match is None:
            continue
        number = int(match[1])
        other = found.setdefault(number, path)
        if other != path:
            raise ManifestError(f"{path} and {other.name} are both frame {number}; remove one of them")
    return found


def format_names(names: Iterable[str], limit: int = 5) -> str:
    """Return the number of names and the first few of them.

    >>> format_names(["a", "b", "c"], limit=2)
    '3 (a, b and 1 more)'
    """
    all_names = list(names)
    shown = ", ".join(all_names[:limit])
    more = f" and {len(all_names) - limit:,} more" if len(all_names) > limit else ""
    return f"{len(all_names):,} ({shown}{more})"


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file, without line ends and without empty lines at the end.

    Raises:
        ManifestError: The file cannot be read as UTF-8 text.
    """
    try:
        return path.read_text(encoding="utf-8-sig").rstrip().splitlines()
    except OSError as error:
        raise ManifestError(f"{path} can't be read ({error.strerror}); copy it again") from None
    except UnicodeDecodeError:
        raise ManifestError(f"{path} is not a UTF-8 text file; copy it again") from None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # A name that is too long is not the name of a file.
        return False


def _ignoring_case(folder: Path, name: str) -> Path | None:
    return next((path for path in list_folder(folder) if path.name.lower() == name.lower()), None)


def read_genders(folder: Path) -> dict[str, str]:
    """Read `subjects.csv` (columns `subject_id` and `gender`: F, M or empty); empty if the folder has no such file.

    Raises:
        ManifestError: The table lacks a column, or has another gender.
    """
    path = find_path(folder, "subjects.csv")
    if path is None:
        return {}
    reader = csv.DictReader(read_lines(path))
    if not {"subject_id", "gender"} <= set(reader.fieldnames or ()):
        raise ManifestError(f"{path} must have the columns subject_id and gender; add them to its first line")
    genders = {}
    for row in reader:
        gender = (row["gender"] or "").strip().upper()
        if gender not in {"F", "M", ""}:
            raise ManifestError(
                f"{path}, line {reader.line_num}: expected the gender F, M or empty, found '{gender}'; correct it"
            )
        genders[(row["subject_id"] or "").strip().upper()] = gender
    return genders
