import cv2
import numpy as np
import pytest

from vlfau.faces import FaceReader, FaceReading, HeadPose
from vlfau.faces.blendshapes import BLENDSHAPE_NAMES
from vlfau.faces.geometry import LANDMARKS_68, OUTER_EYE_CORNERS_MM, estimate_gaze, head_position
from vlfau.faces.pose import MEAN_FACE, landmark_mirror

SIZE = (480, 640, 3)


def project(x_mm, y_mm, z_mm, size=SIZE):
    """The mean face at a place, seen by the assumed camera: landmarks in pixels, and their depth."""
    pixels_per_unit = 500 / 640 * max(size) * OUTER_EYE_CORNERS_MM / z_mm
    points = (MEAN_FACE - (MEAN_FACE[33] + MEAN_FACE[263]) / 2) * pixels_per_unit
    points[:, :2] += np.array([x_mm, y_mm]) * pixels_per_unit / OUTER_EYE_CORNERS_MM
    points[:, :2] += (np.array([size[1], size[0]]) - 1) / 2
    return points[:, :2], points[:, 2]


@pytest.mark.parametrize("place", [(0, 0, 600), (100, -50, 800), (-30, 20, 300)])
def test_the_position_of_a_head_of_average_size_is_found(place):
    unit = np.linalg.norm(MEAN_FACE[33] - MEAN_FACE[263])
    assert unit == pytest.approx(1.0, abs=0.01)
    assert head_position(*project(*place), SIZE) == pytest.approx(place, abs=0.5)


def reading(shift_right=0.0, **movements):
    """Level irises in the middle of the eyes, shifted."""
    points = np.vstack([MEAN_FACE, np.zeros((10, 3))])
    for outer, inner, iris in ((33, 133, 468), (263, 362, 473)):
        points[iris] = (points[outer] + points[inner]) / 2 + [shift_right, -0.012, 0]
    blendshapes = np.zeros(52, np.float32)
    for name, value in movements.items():
        blendshapes[BLENDSHAPE_NAMES.index(name)] = value
    return FaceReading(points[:, :2], points[:, 2], points, blendshapes, 1.0)


def test_level_eyes_look_where_the_head_looks():
    gaze = estimate_gaze(reading(), HeadPose(yaw=20, pitch=-10, roll=30))
    assert (gaze.yaw, gaze.eyes_yaw) == pytest.approx((20, 0), abs=1e-6)


def test_irises_and_movements_turn_the_gaze_by_the_subjects_own_sides():
    ahead = HeadPose(yaw=0, pitch=0, roll=0)
    assert estimate_gaze(reading(shift_right=0.05), ahead).yaw == pytest.approx(10)
    assert estimate_gaze(reading(eyeLookOutLeft=1.0, eyeLookInRight=1.0), ahead).yaw == pytest.approx(12)


def test_a_rolled_head_turns_the_gaze_with_it():
    gaze = estimate_gaze(reading(shift_right=0.05), HeadPose(yaw=0, pitch=0, roll=90))
    assert abs(gaze.yaw) < 1e-6
    assert gaze.eyes_yaw == pytest.approx(10)


def test_a_mirrored_face_looks_to_the_other_side(finder, astronaut):
    pixels = astronaut
    looks = []
    for picture in (pixels, np.ascontiguousarray(pixels[:, ::-1])):
        faces = finder.find(picture)
        (read,) = FaceReader()(picture, faces)
        looks.append(estimate_gaze(read, faces[0].pose))
    assert looks[0].yaw == pytest.approx(-looks[1].yaw, abs=4)


def test_the_68_points_are_symmetric_and_lie_in_their_order(finder, astronaut):
    assert len(set(LANDMARKS_68)) == 68
    for one, other in ((0, 16), (7, 9), (17, 26), (36, 45), (39, 42), (48, 54)):
        mirrored = MEAN_FACE[landmark_mirror(LANDMARKS_68[one])]
        assert np.linalg.norm(mirrored - MEAN_FACE[LANDMARKS_68[other]]) < 0.05
    (face,) = finder.find(astronaut)
    points = face.landmarks_xy[list(LANDMARKS_68)]
    assert points[8, 1] == pytest.approx(points[:, 1].max(), abs=4)  # the chin
    assert (np.diff(points[27:31, 1]) > 0).all()  # down the nose
    assert cv2.contourArea(points[48:60].astype(np.float32)) > cv2.contourArea(points[60:68].astype(np.float32))
