"""Looks at what a run left."""

import csv

from vlfau.runs.output_folder import RECORD_FILE


def csv_rows(path):
    """The rows of a CSV file; none if there is no file."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def names_in(folder):
    """The names in a folder of results, but for the list of what the run wrote."""
    return sorted(path.name for path in folder.iterdir() if path.name != RECORD_FILE)


def contents_of(folder):
    """Every file of a folder and what it holds."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
