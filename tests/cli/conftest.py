import pytest

from tests.cli.running import csv_rows
from tests.inference.conftest import astronaut, tiny_bundle
from tests.video.conftest import face_mp4
from vlfau.cli import main

__all__ = ["astronaut", "face_mp4", "tiny_bundle"]


@pytest.fixture
def predict(tiny_bundle, tmp_path, capsys):
    """Run `vlfau predict` with an output folder; return the exit code, what was printed, and the rows."""

    def run(*arguments, out=tmp_path / "out"):
        code = main(["predict", *map(str, arguments), "--model", str(tiny_bundle.folder), "--out", str(out)])
        printed = capsys.readouterr()
        return code, printed, csv_rows(out / "results.csv")

    return run
