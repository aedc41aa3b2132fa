"""Interrupts a run, and looks at what it left."""

import csv

from vlfau.inference.predictor import Predictor
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


def interrupted(monkeypatch, send, *, at):
    """Let a signal come while the picture of this number is analysed."""
    real, calls = Predictor.predict, []

    def predict(self, picture, **options):
        calls.append(picture)
        if len(calls) == at:
            send()
        return real(self, picture, **options)

    monkeypatch.setattr(Predictor, "predict", predict)
    return calls
