"""The thresholds of the default model: a few numbers, one row per AU."""

import csv
import importlib.util
import math
from pathlib import Path

import pytest

from vlfau.facs import DEFAULT_AU_IDS
from vlfau.inference.bundle import load_bundle

ROOT = Path(__file__).parents[1]
POINTS = ROOT / "configs" / "default-operating-points.csv"


def rows():
    lines = POINTS.read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def test_every_au_has_one_row_of_two_numbers():
    assert [int(row["au"]) for row in rows()] == list(DEFAULT_AU_IDS)
    for row in rows():
        assert set(row) == {"au", "threshold", "slope"}
        assert math.isfinite(float(row["threshold"]))
        assert 0.5 <= float(row["slope"]) <= 10


def test_the_file_says_where_its_numbers_come_from():
    comment = " ".join(line for line in POINTS.read_text(encoding="utf-8").splitlines() if line.startswith("#"))
    assert "photographs" in comment
    assert "ever taught a weight" in comment


def test_the_default_model_decides_at_one_half():
    assert load_bundle().info.thresholds == pytest.approx([0.5] * len(DEFAULT_AU_IDS))


def test_the_script_reads_the_points_that_are_written_there():
    pytest.importorskip("torch")
    spec = importlib.util.spec_from_file_location("teach_movements", ROOT / "scripts" / "teach_movements.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    points = script.operating_points(POINTS)
    assert points[12] == next((float(row["threshold"]), float(row["slope"])) for row in rows() if row["au"] == "12")
    assert set(points) == set(DEFAULT_AU_IDS)
