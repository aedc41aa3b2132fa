"""The optional table of genders, for a data set whose names do not tell them."""

import csv
from pathlib import Path

from vlfau.errors import ManifestError
from vlfau.prepare.folders import find_below, read_lines

__all__ = ["read_genders"]


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
