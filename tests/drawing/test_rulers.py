import dataclasses

import cv2
import numpy as np

from tests.inference.made_up import a_face
from tests.measures.made_up import mean_mesh, measured
from vlfau.drawing.faces import draw_faces
from vlfau.drawing.rulers import INK, PLAIN_INK, TICK, draw_ruled_crop, draw_rulers, moves_down, ruled


def a_measured_face(box=(20, 20, 140, 140)):
    face = dataclasses.replace(a_face(), face_box_xyxy=box)
    return face.measured_by(measured(mean_mesh()))


def test_rulers_lie_between_the_lip_corners_of_a_smile():
    pixels = np.full((160, 160, 3), 90, np.uint8)
    draw_rulers(pixels, a_measured_face(), 1.0)
    drawn = np.abs(pixels.astype(int) - PLAIN_INK).max(2) < 60
    rows, columns = np.nonzero(drawn)
    corners = mean_mesh().landmarks_xy[[61, 291]]
    assert abs(columns.min() - corners[0, 0]) <= 2
    assert abs(columns.max() - corners[1, 0]) <= 2
    assert rows.min() > 60  # nothing above the eyes, for no brow is active


def test_a_large_face_has_letters_beside_its_rulers():
    small, large = (np.full((640, 640, 3), 90, np.uint8) for _ in range(2))
    draw_rulers(small, a_measured_face((20, 20, 70, 70)), 4.0)
    draw_rulers(large, a_measured_face(), 4.0)
    white = [(picture > 200).all(2).sum() for picture in (small, large)]
    assert white[0] == 0
    assert white[1] > 50


def test_letters_at_one_place_stand_below_each_other():
    boxes = [(0, 0, 30, 12), (2, 1, 32, 13), (4, 3, 34, 15), (60, 3, 90, 15)]
    moved = [(top + down, bottom + down) for (_, top, _, bottom), down in zip(boxes, moves_down(boxes), strict=True)]
    assert moved == [(0, 12), (12, 24), (24, 36), (3, 15)]


def test_each_measurement_is_shown_once_for_active_aus_only():
    shown = list(ruled(a_measured_face()))
    assert {each.au.au_id for each in shown} == {12}
    assert len({each.measurement.name for each in shown}) == len(shown) == 2
    assert [each.letter for each in shown] == ["a", "b"]
    assert list(ruled(a_measured_face(), au_id=4)) == []


def test_a_doubtful_au_has_no_rulers():
    face = a_measured_face()
    hidden = dataclasses.replace(face, aus=tuple(dataclasses.replace(au, doubtful=True) for au in face.aus))
    assert list(ruled(hidden)) == []


def test_the_rulers_of_one_au_lie_over_the_crop_wherever_the_face_was_in_the_picture():
    crop = np.full((160, 160, 3), 90, np.uint8)
    face = dataclasses.replace(a_face(), crop=crop).measured_by(measured(mean_mesh(), pixels_per_pixel=3.0))
    pixels = draw_ruled_crop(face, 12, 480)
    assert pixels.shape == (480, 480, 3)
    rows, columns = np.nonzero(np.abs(pixels.astype(int) - INK).max(2) < 60)
    corners = 3 * mean_mesh().landmarks_xy[[61, 291]]
    assert abs(columns.min() + TICK - corners[0, 0]) <= 3
    assert rows.min() > 180  # nothing above the eyes
    assert np.array_equal(draw_ruled_crop(face, 4, 160), cv2.resize(crop, (160, 160)))


def test_the_cards_list_measurements_only_where_rulers_are_drawn():
    photo = np.full((480, 640, 3), 90, np.uint8)
    face = a_measured_face()
    plain, with_rulers = (draw_faces(photo, [face], rulers=rulers) for rulers in (False, True))
    assert plain.shape != with_rulers.shape or not np.array_equal(plain, with_rulers)
    unmeasured = dataclasses.replace(a_face(), face_box_xyxy=face.face_box_xyxy)
    assert np.array_equal(draw_faces(photo, [unmeasured], rulers=True), draw_faces(photo, [unmeasured]))


def test_the_cards_name_the_rulers_of_a_large_face_and_say_why_none_are_drawn():
    photo = np.full((480, 640, 3), 90, np.uint8)
    large, small = (
        draw_faces(photo, [a_measured_face(box)], rulers=True) for box in ((20, 20, 460, 460), (20, 20, 60, 60))
    )
    assert large.shape == small.shape
    card = slice(-560, -20)
    assert not np.array_equal(large[:, card], small[:, card])  # Only the letters differ.
    turned = dataclasses.replace(a_face(), face_box_xyxy=(20, 20, 140, 140)).measured_by(
        measured(mean_mesh(turn=cv2.Rodrigues(np.array([0.0, 0.7, 0.0]))[0]))
    )
    assert turned.measurements == ()
    assert not np.array_equal(draw_faces(photo, [turned], rulers=True), draw_faces(photo, [turned]))
