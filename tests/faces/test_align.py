import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faces.conftest import rotated
from vlfau.errors import ConfigError
from vlfau.faces import CropGeometry, align_face, alignment_matrix
from vlfau.faces.pose import MEAN_FACE
from vlfau.faces.warp import apply_affine, fit_similarity, invert_affine, warp

GEOMETRY = CropGeometry(aligned_size=128, crop_size=112)
RIGHT_EYE, LEFT_EYE, BROW, CHIN = 33, 263, 105, 152


def difference(one, other):
    return np.abs(one.astype(float) - other).mean()


def test_a_similarity_is_found_as_worked_out_by_hand():
    source = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    # A quarter turn (x to y, y to -x), twice the size, moved by (5, 7).
    target = np.array([[5.0, 7.0], [5.0, 11.0], [3.0, 7.0]])
    np.testing.assert_allclose(fit_similarity(source, target), [[0, -2, 5], [2, 0, 7]], atol=1e-12)


def test_a_mirror_image_is_never_taken_for_a_rotation():
    source = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    assert np.linalg.det(fit_similarity(source, source * [-1, 1])[:, :2]) > 0


@given(st.floats(-3.14, 3.14), st.floats(0.05, 20), st.floats(-5000, 5000), st.floats(-5000, 5000))
def test_alignment_undoes_any_similarity_to_a_hundredth_of_a_pixel(angle, scale, x, y):
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = MEAN_FACE[:, :2] * 100
    moved = points @ linear.T + [x, y]
    there = alignment_matrix(moved, GEOMETRY)
    np.testing.assert_allclose(
        apply_affine(there, moved), apply_affine(alignment_matrix(points, GEOMETRY), points), atol=0.01
    )
    np.testing.assert_allclose(apply_affine(invert_affine(there), apply_affine(there, moved)), moved, atol=0.01)


def test_the_mean_face_lies_where_the_module_says():
    aligned = apply_affine(alignment_matrix(MEAN_FACE[:, :2], CropGeometry(1000, 1000)), MEAN_FACE[:, :2])
    assert aligned[10, 1] == pytest.approx(100, abs=1)
    assert aligned[CHIN, 1] == pytest.approx(800, abs=1)
    assert aligned[RIGHT_EYE, 1] == pytest.approx(aligned[LEFT_EYE, 1], abs=1)
    assert aligned[[RIGHT_EYE, LEFT_EYE], 0].mean() == pytest.approx(500, abs=3)


def test_the_crop_is_the_middle_of_the_aligned_square(astronaut, face):
    square = align_face(astronaut, face.landmarks_xy, CropGeometry(128, 128))
    crop = align_face(astronaut, face.landmarks_xy, GEOMETRY)
    assert crop.shape == (112, 112, 3)
    assert difference(square[8:120, 8:120], crop) < 0.5


def test_brows_and_chin_are_inside_the_crop_and_the_eyes_level(astronaut, face):
    landmarks = apply_affine(alignment_matrix(face.landmarks_xy, GEOMETRY), face.landmarks_xy)
    assert landmarks[BROW, 1] > 10
    assert landmarks[CHIN, 1] < 100
    assert landmarks[RIGHT_EYE, 1] == pytest.approx(landmarks[LEFT_EYE, 1], abs=2)


@pytest.mark.parametrize("degrees", [-60, 30, 90, 180])
def test_a_turned_picture_gives_nearly_the_same_crop(finder, astronaut, face, degrees):
    turned, _ = rotated(astronaut, degrees)
    crop = align_face(turned, finder.find(turned)[0].landmarks_xy, GEOMETRY)
    assert difference(crop, align_face(astronaut, face.landmarks_xy, GEOMETRY)) < 15


@pytest.mark.parametrize("factor", [2, 3.7, 8])
def test_a_larger_picture_gives_the_same_crop(astronaut, face, factor):
    larger = cv2.resize(astronaut, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    landmarks = (face.landmarks_xy + 0.5) * factor - 0.5
    crop = align_face(larger, landmarks, GEOMETRY)
    assert difference(crop, align_face(astronaut, face.landmarks_xy, GEOMETRY)) < 3


def test_shrinking_averages_instead_of_picking_pixels():
    board = np.indices((800, 800)).sum(0) % 2 * 255
    image = np.repeat(board[..., None], 3, 2).astype(np.uint8)
    small = warp(image, np.array([[0.1, 0, 0], [0, 0.1, 0]]), 80)
    assert np.abs(small[2:-2, 2:-2].astype(int) - 128).max() <= 2


def test_outside_the_picture_is_black():
    white = np.full((50, 50, 3), 255, np.uint8)
    drawn = warp(white, np.array([[1.0, 0, 25], [0, 1.0, 0]]), 50)
    assert drawn[:, :24].max() == 0
    assert drawn[:, 26:].min() == 255


@pytest.mark.parametrize("sizes", [(100, 101), (0, 0), (10, 0)])
def test_impossible_squares_are_refused(sizes):
    with pytest.raises(ConfigError, match="crop_size"):
        CropGeometry(*sizes)
