import pytest

from tests.runs.running import csv_rows
from vlfau.cli import main


@pytest.fixture
def predict(tiny_bundle, tmp_path, capsys):
    """Run `vlfau predict` with an output folder; return the exit code, what was printed, and the rows."""

    def run(*arguments, out=tmp_path / "out"):
        model = ["--model", str(tiny_bundle.folder), "--free-words"]  # An older bundle, whose words are always free.
        code = main(["predict", *map(str, arguments), *model, "--out", str(out)])
        printed = capsys.readouterr()
        return code, printed, csv_rows(out / "results.csv")

    return run
