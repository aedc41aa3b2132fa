"""The thresholds of the default model: a few numbers, one row per AU."""

import csv
import importlib.util
import math
from pathlib import Path

import pytest

from vlfau.facs import all_au_ids
from vlfau.inference.bundle import load_bundle

ROOT = Path(__file__).parents[1]
POINTS = ROOT / "configs" / "default-operating-points.csv"


def rows():
    lines = POINTS.read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


PARTS = ("branches", "posed", "everyday", "map")


def test_every_au_has_one_row_with_weights_a_threshold_and_a_slope():
    assert [int(row["au"]) for row in rows()] == list(all_au_ids())
    for row in rows():
        assert set(row) == {"au", *PARTS, "threshold", "slope"}
        assert sum(float(row[part]) for part in PARTS) > 0
        assert all(0 <= float(row[part]) <= 1 for part in PARTS)
        assert math.isfinite(float(row["threshold"]))
        assert 0.5 <= float(row["slope"]) <= 10


def test_the_file_says_where_its_numbers_come_from():
    comment = " ".join(line for line in POINTS.read_text(encoding="utf-8").splitlines() if line.startswith("#"))
    assert "photographs" in comment
    assert "ever taught a weight" in comment


def test_the_default_model_decides_at_one_half():
    assert load_bundle().info.thresholds == pytest.approx([0.5] * len(all_au_ids()))


def test_the_script_reads_the_points_that_are_written_there():
    pytest.importorskip("torch")
    spec = importlib.util.spec_from_file_location("teach_movements", ROOT / "scripts" / "teach_movements.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    points = script.operating_points(POINTS)
    (smile,) = (row for row in rows() if row.pop("au") == "12")
    assert points[12] == {name: float(value) for name, value in smile.items()}
    assert set(points) == set(all_au_ids())
