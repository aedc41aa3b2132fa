import math

import numpy as np
import pytest

from tests.tables.made_up import a_face, a_model
from vlfau.errors import ConfigError
from vlfau.faces import FaceGeometry, Gaze
from vlfau.inference.results import PictureResult
from vlfau.tables.columns import GROUPS, LAYOUTS, recognise
from vlfau.tables.read import read_results
from vlfau.tables.table import Table
from vlfau.tables.write import open_sink

POINTS = np.column_stack([np.arange(468), 1000 + np.arange(468)]).astype(np.float32)
GEOMETRY = FaceGeometry(
    landmarks_z=-np.arange(468, dtype=np.float32), head_xyz_mm=(-12.3, 4.56, 612.0), gaze=Gaze(10.0, 20.0)
)
FACE = a_face(face_id=1, landmarks_xy=POINTS, geometry=GEOMETRY)
RESULT = PictureResult("a.mp4", (FACE,), frame=65, time_s=65.4)


def row(layout, *groups, result=RESULT):
    (cells,) = Table(layout, a_model(), groups=groups).rows(result)
    return cells


def test_gaze_and_head_are_columns_on_request():
    cells = row("native", "gaze", "head")
    assert list(cells)[-5:] == ["gaze_yaw", "eyes_yaw", "head_x", "head_y", "head_z"]
    assert list(cells.values())[-5:] == [10.0, 20.0, -12.0, 5.0, 612.0]
    assert "gaze_yaw" not in row("native")


def test_the_68_points_are_those_of_the_mesh_on_jaw_nose_and_mouth():
    cells = row("native", "landmarks")
    assert len([name for name in cells if name.startswith(("x_", "y_"))]) == 136
    assert [cells[name] for name in ("x_8", "x_30", "x_36", "x_45", "x_48", "x_54")] == [152, 4, 33, 263, 61, 291]
    assert cells["y_8"] == 1152


def test_the_mesh_has_three_axes():
    cells = row("native", "mesh")
    assert (cells["mesh_x_467"], cells["mesh_y_467"], cells["mesh_z_467"]) == (467, 1467, -467)


def test_openface_names_gaze_position_and_landmarks_as_it_does():
    cells = row("openface", "gaze", "head", "landmarks")
    assert cells["gaze_angle_x"] == pytest.approx(math.radians(10), abs=1e-3)
    assert cells["gaze_angle_y"] is None
    assert (cells["pose_Tx"], cells["pose_Tz"], cells["x_8"]) == (-12.3, 612.0, 152)


def test_py_feat_2_has_radians_a_clock_and_gaze():
    cells = row("pyfeat2", "gaze", "head")
    old = row("pyfeat")
    assert cells["Yaw"] == pytest.approx(math.radians(old["Yaw"]), abs=1e-3)
    assert cells["approx_time"] == "01:05"
    assert cells["AU12"] == old["AU12"]
    assert cells["gaze_yaw"] == pytest.approx(-math.radians(10), abs=1e-4)
    assert cells["gaze_pitch"] is cells["gaze_angle"] is None
    assert cells["Z"] == 612.0


def test_a_frame_without_a_face_or_geometry_has_empty_cells():
    empty = row("native", *GROUPS, result=PictureResult("a.mp4", (), frame=1, time_s=0.1))
    assert empty["gaze_yaw"] is empty["x_0"] is empty["mesh_z_0"] is None
    assert row("native", "gaze", "head", result=PictureResult("a.jpg", (a_face(),)))["head_z"] is None


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_table_with_further_columns_is_known_again(layout, tmp_path):
    groups = [group for group in LAYOUTS[layout].groups if group != "mesh"]  # which takes a while
    names = [column.name for column in Table(layout, a_model(), groups=groups).columns]
    found, columns = recognise(names)
    assert (found.name, [column.name for column in columns]) == (layout, names)
    for suffix in ("csv", "jsonl"):
        with open_sink(tmp_path / f"a.{suffix}", model=a_model(), format=layout, groups=groups) as sink:
            sink.write(RESULT)
    frames = [read_results(tmp_path / f"a.{suffix}") for suffix in ("csv", "jsonl")]
    for frame in frames:
        assert list(frame.columns) == names
        assert frame["x_8"].tolist() == [152.0]


def test_a_format_without_a_group_says_so():
    with pytest.raises(ConfigError, match="format pyfeat has no columns for gaze; choose another format"):
        Table("pyfeat", a_model(), groups=["gaze"])
