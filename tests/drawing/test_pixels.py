import dataclasses

import numpy as np
import pytest

from tests.inference.made_up import a_face
from vlfau.drawing.pixels import AURows, badge, draw_badge, draw_box, font, rgb, shrunk
from vlfau.drawing.theme import CARD_ROW, LIGHT, VIDEO_ROW, face_colour
from vlfau.facs import action_unit, all_au_ids


def mask(pixels, colour):
    return (pixels == np.array(rgb(colour), np.uint8)).all(-1)


def row(layout, **values):
    """The row of AU12, on white."""
    canvas = np.full((layout.height, layout.width, 3), 255, np.uint8)
    au = dataclasses.replace(a_face().aus[2], **values)
    AURows(layout).draw(canvas, 0, 0, au, face_colour(1))
    return canvas


@pytest.mark.parametrize("layout", [CARD_ROW, VIDEO_ROW, VIDEO_ROW.scaled(1.37), VIDEO_ROW.scaled(2)])
def test_no_text_of_a_row_reaches_the_next(layout):
    text = font(layout.text_size)
    for unit in map(action_unit, all_au_ids()):
        assert text.getlength(unit.label) < layout.name_x
        assert layout.name_x + text.getlength(unit.name) < layout.bar_x
    assert layout.bar_end + text.getlength("0.00") < layout.width


@pytest.mark.parametrize("layout", [CARD_ROW, VIDEO_ROW], ids=["card", "video"])
@pytest.mark.parametrize("state", [True, False])
def test_a_bar_is_as_long_as_the_probability(layout, state):
    def length(prob):
        bars = row(layout, prob=prob, state=state)[:, layout.bar_x : layout.bar_end]
        return mask(bars, face_colour(1) if state else LIGHT.rest).sum(1).max()

    full = layout.bar_end - layout.bar_x
    assert [length(0.0), length(0.25), length(1.0)] == pytest.approx([0, full / 4, full], abs=2)


def test_an_inactive_au_has_nothing_in_the_colour_of_its_face():
    assert mask(row(CARD_ROW, state=True), face_colour(1)).sum() > 1000
    assert mask(row(CARD_ROW, state=False), face_colour(1)).sum() == 0


@pytest.mark.parametrize("number", [1, 12, 123, 4567])
def test_a_badge_is_wide_enough_for_its_number(number):
    assert badge(number, 14).width >= font(17).getlength(str(number))
    assert badge(number, 14).height == 2 * (14 + 2)


@pytest.mark.parametrize("centre", [(-900, -900), (900, 900), (50, 40)])
def test_a_badge_stays_inside_of_the_picture(centre):
    canvas = np.zeros((80, 100, 3), np.uint8)
    draw_badge(canvas, 1, centre, 10)
    assert mask(canvas, face_colour(1)).sum() > 150


def test_a_badge_in_a_picture_smaller_than_itself_is_cut_off():
    canvas = np.zeros((5, 7, 3), np.uint8)
    draw_badge(canvas, 1, (3, 2), 10)
    assert canvas.any()


@pytest.mark.parametrize("box", [(10, 10, 10, 10), (-1e5, -1e5, 1e5, 1e5), (30, 30, 20, 20), (10, 10, 90, 70)])
def test_a_box_of_any_size_can_be_drawn(box):
    canvas = np.zeros((80, 100, 3), np.uint8)
    draw_box(canvas, box, 2)
    assert canvas.shape == (80, 100, 3)


def test_only_large_pictures_shrink_and_the_scale_is_told():
    pixels = np.zeros((100, 300, 3), np.uint8)
    small, scale = shrunk(pixels, 150)
    assert (small.shape, scale) == ((50, 150, 3), 0.5)
    same, scale = shrunk(pixels, 300)
    assert (same.shape, scale) == ((100, 300, 3), 1.0)
    assert not np.shares_memory(same, pixels)


def test_a_bar_has_a_tick_at_the_threshold():
    from dataclasses import replace

    from vlfau.drawing.pixels import AURows
    from vlfau.drawing.theme import CARD_ROW
    from vlfau.inference.results import AUResult

    au = AUResult(12, "Lip Corner Puller", 0.5, True)
    drawn = []
    for each in (au, replace(au, threshold=0.25), replace(au, threshold=0.75)):
        canvas = np.full((CARD_ROW.height, CARD_ROW.width, 3), 255, np.uint8)
        AURows(CARD_ROW).draw(canvas, 0, 0, each, "#0060c0")
        drawn.append(canvas)
    for canvas, threshold in zip(drawn[1:], (0.25, 0.75), strict=True):
        columns = np.flatnonzero((canvas != drawn[0]).any((0, 2)))
        share = (columns.mean() - CARD_ROW.bar_x) / (CARD_ROW.bar_end - CARD_ROW.bar_x)
        assert abs(share - threshold) < 0.03
        assert np.ptp(columns) < 6
