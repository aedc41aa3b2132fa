import numpy as np
import pytest
from PIL import Image

from tests.inference.made_up import a_face
from tests.tables.made_up import a_model
from vlfau.drawing.faces import draw_faces
from vlfau.errors import ImageError
from vlfau.inference.results import PictureResult
from vlfau.media.images import Picture

PHOTO = np.full((48, 64, 3), 90, np.uint8)


def test_a_result_draws_what_draw_faces_draws():
    result = PictureResult("", (a_face(),), source=Picture(PHOTO))
    drawing = result.plot()
    assert isinstance(drawing, Image.Image)
    np.testing.assert_array_equal(np.asarray(drawing), draw_faces(PHOTO, [a_face()]))


def test_a_notebook_shows_the_drawing():
    drawing = PictureResult("", (a_face(),), source=Picture(PHOTO)).plot()
    assert drawing._repr_png_().startswith(b"\x89PNG")


def test_a_file_is_read_again(tmp_path):
    Image.fromarray(PHOTO).save(tmp_path / "a.png")
    result = PictureResult("a.png", (a_face(),), source=tmp_path / "a.png")
    np.testing.assert_array_equal(np.asarray(result.plot()), draw_faces(PHOTO, [a_face()]))
    (tmp_path / "a.png").unlink()
    with pytest.raises(ImageError, match=r"a\.png does not exist"):
        result.plot()


def test_a_drawing_warns_of_a_model_that_saw_synthetic_faces_only():
    model = a_model()
    assert model.warning
    drawing = PictureResult("", (a_face(),), model=model, source=Picture(PHOTO)).plot()
    np.testing.assert_array_equal(np.asarray(drawing), draw_faces(PHOTO, [a_face()], note=model.warning))


def test_a_picture_without_a_face_is_drawn_alone():
    drawing = np.asarray(PictureResult("", (), source=Picture(PHOTO)).plot())
    assert (drawing == 90).all(-1).mean() > 0.5


def test_a_result_without_pixels_takes_them_from_the_caller_or_asks_for_them():
    result = PictureResult("a.mp4", (a_face(),), frame=3, time_s=0.1)
    with pytest.raises(
        ImageError, match=r"the result of a\.mp4 does not hold its pixels; give them, as in result\.plot"
    ):
        result.plot()
    np.testing.assert_array_equal(np.asarray(result.plot(PHOTO)), draw_faces(PHOTO, result.faces))
