"""Whole runs of `vlfau predict`: a bad input among good ones costs none of their rows."""

import csv
import shutil
from pathlib import Path

from tests.fuzz import pictures, videos
from tests.fuzz.mutate import pick
from tests.inference.tiny_bundle import write_tiny_bundle
from vlfau.cli import main
from vlfau.runs.output_folder import RECORD_FILE

FACE = Path(__file__).parents[2] / "examples" / "astronaut.png"
BAD = (
    pictures.Jpeg,
    pictures.Png,
    pictures.Webp,
    pictures.Bmp,
    videos.Mp4,
    videos.Mkv,
    videos.Avi,
    videos.Changing,
)
DRAWINGS = ("--annotate", "--report", "--timeline", "--heatmap", "active")


class Predict:
    """A photograph, a damaged picture or video, the photograph again, with every kind of drawing."""

    max_taken = 1000 << 20

    def __init__(self, seeds, touched):
        self.seeds = seeds
        self._bad = [kind(seeds / f"{kind.__module__}.{kind.__name__}", touched) for kind in BAD]

    def prepare(self):
        write_tiny_bundle(self.seeds / "model")
        for kind in self._bad:
            kind.seeds.mkdir()
            kind.prepare()

    def write(self, folder, rng):
        inputs = folder / "inputs"
        inputs.mkdir()
        shutil.copy(FACE, inputs / "a.png")
        shutil.copy(FACE, inputs / "z.png")
        if rng is not None:
            bad = pick(rng, self._bad).write(folder, rng)
            bad.rename(inputs / f"bad{bad.suffix}")
        return inputs

    def read(self, path):
        out = path.parent / "out"
        options = ["--model", str(self.seeds / "model"), "--out", str(out), "--describe", "every", *DRAWINGS]
        code = main(["predict", str(path), *options, "--quiet"])
        assert code in {0, 2}, f"exit code {code}"
        with (out / "results.csv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        first, last = ([row for row in rows if row["file"] == str(path / name)] for name in ("a.png", "z.png"))
        assert len(first) == len(last) == 1
        assert {**first[0], "file": ""} == {**last[0], "file": ""}
        for name in ("a.png", "z.png"):
            assert (out / "inputs" / f"{name}.vlfau.jpg").stat().st_size > 1000
            assert (out / "inputs" / f"{name}.heat.jpg").stat().st_size > 1000
        left = sorted(file.name for file in out.iterdir() if file.name.startswith(".") or file.suffix == ".partial")
        assert left == [RECORD_FILE]
