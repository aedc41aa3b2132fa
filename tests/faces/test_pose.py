import numpy as np
import pytest

from tests.faces.conftest import rotated
from vlfau.faces.pose import MEAN_FACE, estimate_pose


def turned(*, yaw=0.0, pitch=0.0, roll=0.0):
    """The mean face after a turn to its own left, then up, then to its own left shoulder, in degrees."""
    yaw, pitch, roll = np.radians([yaw, pitch, roll])
    in_plane = [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
    up = [[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]]
    left = [[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]]
    points = 120 * MEAN_FACE @ (np.array(left) @ up @ in_plane).T + [300, 200, 0]
    return estimate_pose(points[:, :2], points[:, 2])


@pytest.mark.parametrize("angles", [(0, 0, 0), (30, 0, 0), (0, 20, 0), (0, 0, 40), (-25, 15, -10), (50, -30, 100)])
def test_a_turned_mean_face_gives_its_angles_back(angles):
    pose = turned(yaw=angles[0], pitch=angles[1], roll=angles[2])
    assert (pose.yaw, pose.pitch, pose.roll) == pytest.approx(angles, abs=1e-6)


def test_the_nose_points_where_the_signs_say():
    nose = MEAN_FACE[1]
    assert nose[2] < MEAN_FACE[:, 2].mean()  # nearer to the camera than the head
    yaw = np.radians(30)
    # To the subject's left is to the right of an unmirrored picture.
    assert nose[0] * np.cos(yaw) - nose[2] * np.sin(yaw) > 0.1
    assert turned(yaw=30).yaw > 0


def test_the_photograph_is_nearly_frontal(face):
    assert abs(face.pose.yaw) < 10
    assert abs(face.pose.pitch) < 12
    assert abs(face.pose.roll) < 10


def test_turning_the_picture_clockwise_tilts_the_head_to_its_own_left(finder, astronaut, face):
    clockwise, _ = rotated(astronaut, -25)
    assert finder.find(clockwise)[0].pose.roll - face.pose.roll == pytest.approx(25, abs=5)


def test_mirroring_the_picture_turns_yaw_and_roll_round(finder, astronaut):
    narrowed = astronaut.copy()
    tilted, _ = rotated(narrowed, -15)
    plain = finder.find(tilted)[0].pose
    mirrored = finder.find(np.ascontiguousarray(tilted[:, ::-1]))[0].pose
    assert mirrored.roll == pytest.approx(-plain.roll, abs=4)
    assert mirrored.yaw == pytest.approx(-plain.yaw, abs=4)
