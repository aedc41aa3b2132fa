import dataclasses

import numpy as np

from tests.inference.made_up import a_face
from tests.measures.made_up import mean_mesh, measured
from vlfau.drawing.faces import draw_faces
from vlfau.drawing.rulers import PLAIN_INK, draw_rulers, moves_down, ruled


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


def test_a_large_face_has_numbers_beside_its_rulers():
    small, large = (np.full((640, 640, 3), 90, np.uint8) for _ in range(2))
    draw_rulers(small, a_measured_face((20, 20, 70, 70)), 4.0)
    draw_rulers(large, a_measured_face(), 4.0)
    white = [(picture > 200).all(2).sum() for picture in (small, large)]
    assert white[0] == 0
    assert white[1] > 50


def test_numbers_at_one_place_stand_below_each_other():
    boxes = [(0, 0, 30, 12), (2, 1, 32, 13), (4, 3, 34, 15), (60, 3, 90, 15)]
    moved = [(top + down, bottom + down) for (_, top, _, bottom), down in zip(boxes, moves_down(boxes), strict=True)]
    assert moved == [(0, 12), (12, 24), (24, 36), (3, 15)]


def test_each_measurement_is_shown_once_for_active_aus_only():
    shown = [(au.au_id, each.name) for au, each in ruled(a_measured_face())]
    assert {au_id for au_id, _ in shown} == {12}
    assert len({name for _, name in shown}) == len(shown) == 2


def test_the_cards_list_measurements_only_where_rulers_are_drawn():
    photo = np.full((480, 640, 3), 90, np.uint8)
    face = a_measured_face()
    plain, with_rulers = (draw_faces(photo, [face], rulers=rulers) for rulers in (False, True))
    assert plain.shape != with_rulers.shape or not np.array_equal(plain, with_rulers)
    unmeasured = dataclasses.replace(a_face(), face_box_xyxy=face.face_box_xyxy)
    assert np.array_equal(draw_faces(photo, [unmeasured], rulers=True), draw_faces(photo, [unmeasured]))
