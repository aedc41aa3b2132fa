import dataclasses

import numpy as np
import pytest
from PIL import Image, ImageColor

from tests.inference.made_up import a_face
from vlfau.drawing.faces import CARD_WIDTH, draw_card, draw_faces, write_picture
from vlfau.drawing.pixels import font, wrapped
from vlfau.drawing.theme import face_colour
from vlfau.media.images import Picture


def faces_at(*boxes):
    return [dataclasses.replace(a_face(), face_box_xyxy=box) for box in boxes]


def colour_share(pixels, colour):
    """The share of pixels of exactly this colour."""
    return (pixels == np.array(ImageColor.getrgb(colour), np.uint8)).all(-1).mean()


@pytest.mark.parametrize("size", [(1, 1), (40, 30), (512, 512), (6000, 40), (40, 6000), (4000, 3000)])
def test_a_drawing_holds_photo_and_card_at_any_size_of_the_photo(size):
    width, height = size
    photo = np.full((height, width, 3), 90, np.uint8)
    drawing = draw_faces(photo, faces_at((width * 0.2, height * 0.2, width * 0.7, height * 0.7)))
    assert drawing.dtype == np.uint8
    assert CARD_WIDTH < drawing.shape[1] < 5000
    assert drawing.shape[0] < 5000
    assert colour_share(drawing, face_colour(1)) > 0.001


@pytest.mark.parametrize("count", [0, 1, 2, 5, 20])
def test_every_face_gets_its_card(count):
    photo = np.full((480, 640, 3), 90, np.uint8)
    drawing = draw_faces(photo, faces_at(*[(10 * index, 50, 10 * index + 90, 150) for index in range(count)]))
    card_pixels = colour_share(drawing, "#ffffff") * drawing.shape[0] * drawing.shape[1]
    assert card_pixels >= count * CARD_WIDTH * 50
    for number in range(1, min(count, 8) + 1):
        assert colour_share(drawing, face_colour(number)) > 0


def test_the_box_of_a_reduced_picture_lies_where_it_should():
    picture = Picture(np.zeros((500, 800, 3), np.uint8), reduction=10.0)
    drawing = draw_faces(picture, faces_at((2000, 1000, 6000, 4000)))
    rows, columns = np.nonzero((drawing == 0).all(-1))  # the photo
    left, top = columns.min(), rows.min()
    width, height = columns.max() + 1 - left, rows.max() + 1 - top
    photo = drawing[top : top + height, left : left + width]
    edge = (photo == np.array(ImageColor.getrgb(face_colour(1)), np.uint8)).all(-1)
    edge_columns, edge_rows = np.flatnonzero(edge.mean(0) > 0.3), np.flatnonzero(edge.mean(1) > 0.3)
    np.testing.assert_allclose(edge_columns[[0, -1]] / width, [0.25, 0.75], atol=0.01)
    np.testing.assert_allclose(edge_rows[[0, -1]] / height, [0.2, 0.8], atol=0.01)


def test_a_card_has_a_bar_as_long_as_the_probability():
    def bar_length(prob):
        pixels = np.asarray(draw_card(a_face(prob), 1))
        mask = (pixels == np.array(ImageColor.getrgb(face_colour(1)), np.uint8)).all(-1)
        return mask[:, 260:520].sum(1).max()

    assert bar_length(1.0) == pytest.approx(2 * bar_length(0.5), abs=4)


def test_lines_are_no_wider_than_asked_and_lose_no_word():
    text = "The corrugator draws the brows down and inward until they meet."
    lines = wrapped(text, 16, 150)
    assert " ".join(lines) == text
    assert all(font(16).getlength(line) <= 150 for line in lines)
    assert wrapped("unbreakable", 16, 5) == ["unbreakable"]


def test_a_drawing_is_written_as_jpeg(tmp_path):
    write_picture(tmp_path / "a.vlfau.jpg", draw_faces(np.zeros((64, 64, 3), np.uint8), []))
    with Image.open(tmp_path / "a.vlfau.jpg") as image:
        assert image.format == "JPEG"
