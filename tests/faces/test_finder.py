import itertools

import cv2
import numpy as np
import pytest

from tests.faces.conftest import rotated
from vlfau.errors import ImageError
from vlfau.faces import FaceFinder
from vlfau.faces.finder import _levels
from vlfau.faces.warp import apply_affine

CENTRE = (225.0, 120.0)  # of the astronaut's face


def centre(face):
    return (face.face_box_xyxy[:2] + face.face_box_xyxy[2:]) / 2


def test_the_photograph_holds_one_face_where_everybody_sees_it(face, finder, astronaut):
    assert len(finder.find(astronaut)) == 1
    assert centre(face) == pytest.approx(CENTRE, abs=8)
    left, top, right, bottom = face.face_box_xyxy
    assert (right - left, bottom - top) == pytest.approx((96, 109), abs=8)
    assert face.landmarks_xy.shape == (468, 2)
    assert 0.5 < face.score <= 1


def test_the_right_eye_is_the_subjects_own(face):
    right_eye, left_eye, mouth = face.landmarks_xy[33], face.landmarks_xy[263], face.landmarks_xy[13]
    assert right_eye[0] < mouth[0] < left_eye[0]
    assert mouth[1] > max(right_eye[1], left_eye[1])


@pytest.mark.parametrize("degrees", [-135, -90, -45, -20, 20, 45, 90, 135, 180])
def test_a_face_is_found_however_the_picture_is_turned(finder, astronaut, face, degrees):
    turned, matrix = rotated(astronaut, degrees)
    faces = finder.find(turned)
    assert len(faces) == 1
    expected = apply_affine(matrix, face.landmarks_xy)
    # A twentieth of the face, on average over all landmarks.
    assert np.linalg.norm(faces[0].landmarks_xy - expected, axis=1).mean() < 5


def test_all_four_faces_of_a_mosaic_are_found(finder, astronaut):
    mosaic = np.tile(astronaut, (2, 2, 1))
    centres = sorted(tuple(np.round(centre(face) / 512 - 0.25)) for face in finder.find(mosaic))
    assert centres == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_a_quarter_size_photograph_is_found_in_a_4000_pixel_picture(finder, astronaut):
    picture = np.full((3000, 4000, 3), 128, np.uint8)
    picture[1400:1528, 2500:2628] = cv2.resize(astronaut, (128, 128), interpolation=cv2.INTER_AREA)
    faces = finder.find(picture)
    assert len(faces) == 1
    assert centre(faces[0]) == pytest.approx((2500 + CENTRE[0] / 4, 1400 + CENTRE[1] / 4), abs=4)


@pytest.mark.parametrize("shape", [(3000, 4000), (2560, 12500), (40, 30000), (300, 300)])
def test_no_picture_is_looked_at_forever(shape):
    levels = _levels(np.broadcast_to(np.uint8(0), (*shape, 3)))
    assert len(levels[0]) == 1
    assert max(len(looks) for looks in levels) <= 128
    assert levels[-1][0].side <= max(384, max(shape) / 8)


@pytest.mark.parametrize("degrees", [90, 135, 150, 180, 240])
def test_a_small_face_is_read_the_right_way_round_wherever_it_lies(finder, astronaut, face, degrees):
    turned, matrix = rotated(astronaut, degrees)
    picture = np.full((1200, 1600, 3), 128, np.uint8)
    picture[600:856, 1000:1256] = cv2.resize(turned, (256, 256), interpolation=cv2.INTER_AREA)
    faces = finder.find(picture)
    assert len(faces) == 1
    expected = (apply_affine(matrix, face.landmarks_xy) + 0.5) / 2 - 0.5 + [1000, 600]
    assert np.linalg.norm(faces[0].landmarks_xy - expected, axis=1).mean() < 4


@pytest.mark.parametrize("quarter_turns", [0, 2])
def test_a_face_that_its_picture_does_not_hold_entirely_is_found(finder, astronaut, quarter_turns):
    inner_face = np.rot90(astronaut[70:147, 176:246], quarter_turns)
    faces = finder.find(inner_face)
    assert len(faces) == 1
    assert abs(faces[0].pose.roll) == pytest.approx(90 * quarter_turns, abs=15)


def test_a_small_face_beside_a_large_one_is_found(finder, astronaut):
    picture = np.full((1000, 1600, 3), 200, np.uint8)
    picture[:512, :512] = astronaut
    picture[600:856, 1200:1456] = cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA)
    assert len(finder.find(picture)) == 2


def test_a_half_covered_face_is_found(finder, astronaut):
    covered = astronaut.copy()
    covered[130:180, 170:290] = 90  # the mouth
    assert len(finder.find(covered)) == 1


def test_the_largest_face_comes_first_and_the_number_can_be_limited(astronaut):
    picture = np.zeros((512, 1024, 3), np.uint8)
    picture[:256, :256] = cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA)
    picture[:, 512:] = astronaut
    assert [round(centre(face)[0]) > 512 for face in FaceFinder().find(picture)] == [True, False]
    assert len(FaceFinder(max_faces=1).find(picture)) == 1


def test_the_box_stays_inside_the_picture(finder, astronaut):
    cut = np.ascontiguousarray(astronaut[100:, :])
    box = finder.find(cut)[0].face_box_xyxy
    assert box[1] == 0
    assert (box >= 0).all()


def moved(image, right, down):
    return cv2.warpAffine(image, np.array([[1.0, 0, right], [0, 1, down]]), image.shape[1::-1])


def test_a_face_that_moved_is_followed(finder, astronaut, face):
    for right, down in ((0, 0), (6, -4), (35, 10)):
        (followed,) = finder.follow(moved(astronaut, right, down), [face])
        assert np.linalg.norm(followed.landmarks_xy - face.landmarks_xy - [right, down], axis=1).mean() < 2
        assert 0.95 <= followed.score <= 1


def test_a_face_that_is_gone_is_not_followed(finder, astronaut, face):
    assert finder.follow(np.full_like(astronaut, 128), [face]) == [None]
    assert finder.follow(astronaut, []) == []


def test_a_glance_finds_large_faces_but_not_known_ones(finder, astronaut, face):
    assert [centre(found) for found in finder.glance(astronaut)] == [pytest.approx(CENTRE, abs=8)]
    assert finder.glance(astronaut, known=[face]) == []


def test_a_glance_finds_a_small_face_again_where_it_was_lost(finder, astronaut):
    picture = np.full((1500, 2000, 3), 128, np.uint8)
    picture[1000:1256, 200:456] = cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA)
    (small,) = finder.find(picture)
    assert finder.glance(picture) == []
    (again,) = finder.glance(moved(picture, 20, 20), lost=[small])
    assert centre(again) == pytest.approx(centre(small) + 20, abs=3)


def faceless():
    rng = np.random.default_rng(0)
    grid = np.indices((400, 600)).sum(0) // 7 % 2 * 255
    writing = np.full((400, 600, 3), 255, np.uint8)
    for line in range(30, 400, 30):
        cv2.putText(writing, "The quick brown fox jumps over", (10, line), cv2.FONT_HERSHEY_SIMPLEX, 1, (0, 0, 0), 2)
    return {
        "noise": rng.integers(0, 256, (512, 512, 3), dtype=np.uint8),
        "black": np.zeros((300, 200, 3), np.uint8),
        "gradient": np.tile(np.linspace(0, 255, 600).astype(np.uint8)[None, :, None], (400, 1, 3)),
        "grid": np.repeat(grid[..., None], 3, 2).astype(np.uint8),
        "writing": writing,
        "one pixel": np.zeros((1, 1, 3), np.uint8),
        "a thread": np.zeros((2, 3000, 3), np.uint8),
    }


@pytest.mark.parametrize("kind", faceless())
def test_a_picture_without_a_face_gives_none(finder, kind):
    assert finder.find(faceless()[kind]) == []


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3), np.float32),
        np.zeros((0, 10, 3), np.uint8),
    ],
)
def test_arrays_that_are_no_pictures_are_refused(finder, pixels):
    with pytest.raises(ImageError, match=r"expected a picture of shape \(height, width, 3\) and type uint8"):
        finder.find(pixels)


def test_the_looks_cover_every_pixel_and_overlap():
    for looks in _levels(np.zeros((1500, 2300, 3), np.uint8)):
        half = looks[0].side / 2
        for axis, length in ((0, 2300), (1, 1500)):
            places = sorted({float(look.centre_xy[axis]) for look in looks})
            assert places[0] - half <= 0
            assert places[-1] + half >= length - 1
            assert all(b - a <= 0.75 * 2 * half + 1e-6 for a, b in itertools.pairwise(places))
