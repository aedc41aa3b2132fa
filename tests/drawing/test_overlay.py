import numpy as np
import pytest
from PIL import ImageColor

from tests.video.stage import AU_IDS, face
from vlfau.drawing.overlay import Overlay
from vlfau.drawing.theme import face_colour


def mask(pixels, colour):
    return (pixels == np.array(ImageColor.getrgb(colour), np.uint8)).all(-1)


def overlay(size=(1280, 720), **values):
    return Overlay(*size, au_ids=AU_IDS, **values)


@pytest.mark.parametrize("size", [(1, 1), (161, 121), (641, 359), (1080, 1920), (3840, 2160), (2000, 30)])
@pytest.mark.parametrize("columns", [1, 3])
def test_every_drawing_of_a_video_has_the_same_even_size(size, columns):
    drawn = overlay(size, columns=columns)
    pixels = np.full((size[1], size[0], 3), 90, np.uint8)
    everyone = [face(face_id=number) for number in (1, 2, 3, 4)]
    shapes = {drawn.draw(pixels, everyone[:count], count / 10).shape for count in range(5)}
    assert shapes == {(drawn.size[1], drawn.size[0], 3)}
    assert (drawn.size[0] % 2, drawn.size[1] % 2) == (0, 0)


def test_the_bar_of_an_active_au_is_as_long_as_its_probability():
    def length(prob):
        panel = overlay().draw(np.zeros((720, 1280, 3), np.uint8), [face(prob, state=True)], 0.0)[:, 1280:]
        return mask(panel, face_colour(1))[44:, 210:278].sum(1).max()

    assert length(1.0) == pytest.approx(68, abs=2)  # The ends are round.
    assert length(0.5) == pytest.approx(34, abs=2)


def test_nothing_of_one_frame_is_left_in_the_next():
    drawn = overlay(columns=2)
    empty = drawn.draw(np.full((720, 1280, 3), 90, np.uint8), [], 0.0).copy()
    drawn.draw(np.zeros((720, 1280, 3), np.uint8), [face(face_id=1), face(face_id=2)], 0.1)
    assert np.array_equal(drawn.draw(np.full((720, 1280, 3), 90, np.uint8), [], 0.0), empty)


def test_the_box_lies_on_the_face_in_the_colour_of_its_number():
    pixels = np.zeros((720, 1280, 3), np.uint8)
    drawing = overlay().draw(pixels, [face(face_id=2, box=(400, 200, 600, 500))], 0.0)
    columns = np.flatnonzero(mask(drawing[:, :1280], face_colour(2)).sum(0) > 200)
    rows = np.flatnonzero(mask(drawing[:, :1280], face_colour(2)).sum(1) > 150)
    np.testing.assert_allclose([columns[0], rows[0], columns[-1], rows[-1]], [400, 200, 600, 500], atol=2)


@pytest.mark.parametrize("box", [(-50, -50, -10, -10), (1270, 710, 4000, 4000), (-99, 300, 1500, 320)])
def test_a_face_at_the_edge_can_be_drawn(box):
    drawing = overlay().draw(np.zeros((720, 1280, 3), np.uint8), [face(box=box)], 0.0)
    assert drawing.shape == (720, 1610, 3)


def test_long_words_stay_in_their_place():
    drawn = overlay(note="Do not rely on this.")
    short = drawn.draw(np.zeros((720, 1280, 3), np.uint8), [face(words="Up.")], 0.0).copy()
    long = drawn.draw(np.zeros((720, 1280, 3), np.uint8), [face(words="The lip corners rise. " * 99)], 0.0)
    changed = np.argwhere((short != long).any(-1))
    assert changed[:, 1].min() > 1280
    assert changed[:, 0].min() > 44 + 3 * 22
    assert changed[:, 0].max() < 720 - 26 - 20


def test_a_caption_that_is_too_long_ends_after_a_word():
    from vlfau.drawing.overlay import _cut

    lines = [("AU1", "AU1 The inner brows rise"), ("", "and the forehead wrinkles."), ("", "")]
    assert _cut(lines, 14, 400)[-1][1] == "and the forehead wrinkles …"
    (_, (_, cut)) = _cut(lines, 14, 110)
    assert cut.endswith(" …")
    assert "and the forehead wrinkles".startswith(cut.removesuffix(" …"))
    assert cut.removesuffix(" …").split(" ")[-1] in {"and", "the", "forehead"}
