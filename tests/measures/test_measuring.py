import cv2
import numpy as np
import pytest

from tests.measures.made_up import SIDE, by_name, mean_mesh, measured
from vlfau.faces.pose import MEAN_FACE
from vlfau.measures.definitions import Direction, definitions
from vlfau.measures.geometry import eye_distance
from vlfau.measures.measuring import crop_mesh, mean_measurements

OUTER_BROWS = (63, 70, 293, 300)


def turned(degrees, axis):
    angle = np.radians(degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    return {
        "yaw": np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]]),
        "roll": np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]]),
    }[axis]


def test_a_width_is_the_distance_on_the_mesh_over_that_of_the_eyes():
    found = by_name(measured(mean_mesh()))["mouth_width"]
    own = abs(MEAN_FACE[291, 0] - MEAN_FACE[61, 0]) / eye_distance(MEAN_FACE)
    assert found.value == pytest.approx(own, abs=0.01)


def test_raised_outer_brows_are_higher_by_what_they_were_raised():
    at_rest, raised = (
        by_name(measured(mean_mesh(dict.fromkeys(OUTER_BROWS, (0, -up)))))["outer_brow_height"] for up in (0.0, 0.1)
    )
    assert raised.value - at_rest.value == pytest.approx(0.1, abs=1e-3)
    assert (raised.left, raised.right) == pytest.approx((raised.value, raised.value), abs=0.01)


def test_one_raised_brow_is_told_from_the_other():
    found = by_name(measured(mean_mesh(dict.fromkeys(OUTER_BROWS[2:], (0, -0.1)))))["outer_brow_height"]
    assert found.left - found.right == pytest.approx(0.1, abs=0.01)  # 293 and 300 are on the subject's own left.
    assert found.is_uneven
    assert f"(left {found.left:.2f}, right {found.right:.2f})" in found.text


@pytest.mark.parametrize("axis", ["yaw", "roll"])
def test_a_turn_of_the_head_changes_no_length(axis):
    straight, aside = (by_name(measured(mean_mesh(turn=turn))) for turn in (np.eye(3), turned(15, axis)))
    for each in definitions():
        if not each.form.is_fold:
            assert aside[each.name].value == pytest.approx(straight[each.name].value, abs=0.01), each.name


def test_a_head_turned_too_far_is_not_measured():
    assert measured(mean_mesh(turn=turned(40, "yaw"))).measurements == ()


def test_a_text_names_value_and_range_and_the_persons_own_rest():
    up = dict.fromkeys(OUTER_BROWS, (0, -0.3))
    found = by_name(measured(mean_mesh(up), own_rest={"outer_brow_height": 0.271}))["outer_brow_height"]
    low, high = found.resting
    assert found.text == (
        f"outer brows {found.value:.2f} of the eye distance, resting faces {low:.2f} to {high:.2f}, "
        "this person at rest 0.27"
    )
    assert found.differs is Direction.MORE
    assert by_name(measured(mean_mesh()))["outer_brow_height"].differs is None


def test_a_dark_line_across_the_forehead_is_a_fold():
    crop = np.full((SIDE, SIDE, 3), 150, np.uint8)
    mesh = mean_mesh()
    _, height = np.round(mesh.landmarks_xy[151]).astype(int)
    cv2.line(crop, (40, int(height)), (120, int(height)), (90, 90, 90), 2)
    names = ("forehead_folds", "frown_folds")
    plain, folded = (by_name(measured(mesh, crop=each)) for each in (None, crop))
    assert plain["forehead_folds"].value == pytest.approx(0, abs=0.01)
    assert folded["forehead_folds"].value > 5
    assert all(name in folded for name in names)


def test_folds_of_a_small_face_are_not_measured():
    assert "forehead_folds" not in by_name(measured(mean_mesh(), pixels_per_pixel=0.4))  # 24 pixels from eye to eye
    assert "forehead_folds" in by_name(measured(mean_mesh(), pixels_per_pixel=0.6))


def test_an_au_has_its_measurements_the_most_telling_first():
    names = [each.name for each in measured(mean_mesh()).of_au(12)]
    assert names[:2] == ["lip_corner_height", "mouth_width"]


def test_rulers_end_at_what_they_measure():
    mesh = mean_mesh()
    face = measured(mesh, pixels_per_pixel=2.0)
    found = by_name(face)
    (width,) = face.rulers(found["mouth_width"].definition)
    assert width[0] == pytest.approx((2 * mesh.landmarks_xy[61]).tolist(), abs=0.1)
    long = np.hypot(*(np.array(width[1]) - width[0])) / 120
    assert long == pytest.approx(found["mouth_width"].value, abs=0.01)
    right, left = face.rulers(found["outer_brow_height"].definition)
    assert right[0][0] < left[0][0]  # The subject's own right is on the left of the picture.
    assert abs(right[1][1] - right[0][1]) / 120 == pytest.approx(found["outer_brow_height"].right, abs=0.02)


def test_the_rulers_of_both_lip_corners_stand_at_the_corners_and_end_at_the_level_of_the_lips_middle():
    mesh = mean_mesh({61: (0, -0.2)})  # The subject's own right corner is raised.
    face = measured(mesh, pixels_per_pixel=2.0)
    height = by_name(face)["lip_corner_height"]
    right, left = (np.array(line) for line in face.rulers(height.definition))
    assert right[0] == pytest.approx(2 * mesh.landmarks_xy[61], abs=0.1)
    assert left[0] == pytest.approx(2 * mesh.landmarks_xy[291], abs=0.1)
    assert right[1][1] == pytest.approx(left[1][1], abs=0.2)
    assert (right[1][1] - right[0][1]) / 120 == pytest.approx(height.right, abs=0.02)
    assert height.right - height.left == pytest.approx(0.2, abs=0.02)


def test_rulers_can_be_had_in_pixels_of_the_crop():
    face = measured(mean_mesh(), pixels_per_pixel=2.0)
    width = by_name(face)["mouth_width"].definition
    assert np.array(face.rulers(width)) == pytest.approx(2 * np.array(face.rulers(width, in_crop=True)), abs=0.11)


def test_the_mean_over_faces_is_the_mean_of_each_measurement():
    faces = [measured(mean_mesh(dict.fromkeys(OUTER_BROWS, (0, -up)))).measurements for up in (0, 0.2)]
    values = [next(each.value for each in face if each.name == "outer_brow_height") for face in faces]
    assert mean_measurements(faces)["outer_brow_height"] == pytest.approx(sum(values) / 2)


def test_the_finer_mesh_lies_on_the_face_of_a_photograph(finder, astronaut):
    from vlfau.faces import CropGeometry, align_face
    from vlfau.measures.measuring import MeasuredFace
    from vlfau.media.images import read_image

    image, geometry = read_image(astronaut), CropGeometry(aligned_size=192, crop_size=160)
    (face,) = finder.find(image)
    crop = align_face(image, face.landmarks_xy, geometry)
    found = MeasuredFace.of(crop, face.landmarks_xy, geometry, reduction=2.0)
    apart = np.linalg.norm(found.landmarks_xy[:468] / 2 - face.landmarks_xy, axis=1)
    assert np.median(apart) < 0.05 * eye_distance(face.landmarks_xy)
    smile = by_name(found)["mouth_width"]
    assert smile.differs is Direction.MORE
    assert crop_mesh(crop).presence > 0.9
