"""Columns, crops and anonymised drawings that are written only when asked for."""

import numpy as np
import pytest

from tests.runs.running import csv_rows, names_in
from vlfau.errors import ConfigError, InputError
from vlfau.media.images import read_image
from vlfau.runs.engine import run


def test_gaze_position_landmarks_and_crops_are_written_on_request(tiny_bundle, astronaut, face_mp4, tmp_path):
    out = tmp_path / "out"
    options = {"gaze": True, "head_position": True, "landmarks": "68", "crops": True, "every": 0.5}
    run([astronaut, face_mp4], model=tiny_bundle.folder, out=out, **options)
    rows = csv_rows(out / "results.csv")
    assert [row["frame"] for row in rows] == ["", "0", "15"]
    for row in rows:
        assert -45 < float(row["gaze_yaw"]) < 45
        assert 100 < float(row["head_z"]) < 5000
        assert float(row["box_x1"]) <= float(row["x_30"]) <= float(row["box_x2"])  # the tip of the nose
    crops = ["astronaut.png.face1.crop.jpg", "face.mp4.crops/face1-frame000000.crop.jpg"]
    assert [read_image(out / name).shape for name in crops] == [(16, 16, 3)] * 2
    assert names_in(out / "face.mp4.crops") == ["face1-frame000000.crop.jpg", "face1-frame000015.crop.jpg"]


def test_an_anonymised_drawing_shows_no_skin(tiny_bundle, astronaut, tmp_path):
    drawn = {}
    for anonymise in (False, True):
        out = tmp_path / str(anonymise)
        run(astronaut, model=tiny_bundle.folder, out=out, heatmap=12, anonymise=anonymise)
        drawn[anonymise] = read_image(out / "astronaut.png.vlfau.jpg").astype(int)
        assert (out / "astronaut.png.heat.jpg").exists()
    changed = np.abs(drawn[True] - drawn[False]).sum(-1) > 60
    assert 0.005 < changed.mean() < 0.2
    assert csv_rows(tmp_path / "True" / "results.csv") == csv_rows(tmp_path / "False" / "results.csv")


def test_crops_are_not_written_beside_anonymised_drawings(tiny_bundle, astronaut, tmp_path):
    with pytest.raises(ConfigError, match="--crops writes pictures of faces"):
        run(astronaut, model=tiny_bundle.folder, out=tmp_path / "out", crops=True, anonymise=True)


def test_a_run_is_resumed_with_the_same_further_columns_only(tiny_bundle, astronaut, tmp_path):
    table = tmp_path / "a.csv"
    run(astronaut, model=tiny_bundle.folder, table=table, landmarks="68")
    with pytest.raises(InputError, match=r"a\.csv"):
        run(astronaut, model=tiny_bundle.folder, table=table, resume=True)
