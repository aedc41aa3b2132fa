import re

import numpy as np
import pytest

from tests.measures.made_up import SIDE, mean_mesh
from vlfau.errors import ConfigError
from vlfau.facs import all_au_ids
from vlfau.measures.definitions import definitions_of_au
from vlfau.measures.geometry import frontal, size
from vlfau.measures.warping import FaceWarper, au_movements, read_movements


@pytest.mark.parametrize("au_id", all_au_ids())
def test_an_au_moves_a_measurement_as_the_measurements_say(au_id):
    mesh = mean_mesh()
    points = frontal(mesh.landmarks_xy, mesh.landmarks_z)
    moved = points + 3 * au_movements()[au_id]
    agree = [
        (size(each, moved) - size(each, points)) * each.aus[au_id].sign > 0
        for each in definitions_of_au(au_id)
        if not each.form.is_fold
    ]
    assert any(agree)
    assert sum(agree) >= len(agree) / 2


def spotted(place):
    crop = np.full((SIDE, SIDE, 3), 150, np.uint8)
    x, y = np.round(place).astype(int)
    crop[y - 1 : y + 2, x - 1 : x + 2] = 0
    return crop


def dark_middle(picture):
    rows, columns = np.nonzero(picture.mean(2) < 100)
    return np.array([columns.mean(), rows.mean()])


def test_a_spot_on_the_brow_moves_with_the_brow():
    mesh = mean_mesh()
    crop = spotted(mesh.landmarks_xy[105])
    warper = FaceWarper(crop, mesh.landmarks_xy, mesh.landmarks_z)
    still, raised = warper.moved(2, [0.0, 3.0])
    assert np.array_equal(still, crop)
    expected = 3 * 60 * au_movements()[2][105]
    assert expected[1] < -2  # up, in pixels
    assert dark_middle(raised) - dark_middle(crop) == pytest.approx(expected, abs=1.0)


def test_an_opened_mouth_is_dark():
    mesh = mean_mesh()
    crop = np.full((SIDE, SIDE, 3), 150, np.uint8)
    still, opened = FaceWarper(crop, mesh.landmarks_xy, mesh.landmarks_z).moved(27, [0.0, 4.0])
    assert still.min() == 150
    assert opened.min() < 60


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("au,landmark,x,y\n", "has not the columns au, landmark, right, down"),
        ("au,landmark,right,down\n1,2,x,0\n", "found ['1', '2', 'x', '0']"),
        ("au,landmark,right,down\n1,468,0,0\n", "found ['1', '468', '0', '0']"),
        ("au,landmark,right,down\n3,2,0,0\n", "found ['3', '2', '0', '0']"),
        ("au,landmark,right,down\n1,2,nan,0\n", "found ['1', '2', 'nan', '0']"),
        ("au,landmark,right,down\n1,2,0.1,0\n", "lacks AU 2"),
    ],
)
def test_a_wrong_file_of_movements_is_named(tmp_path, text, problem):
    path = tmp_path / "movements.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=re.escape(problem)):
        read_movements(path)
