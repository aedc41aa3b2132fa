"""The whole way from files to results, with real faces."""

import csv

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.inference.tiny_bundle import CROP_SIZE, prob
from vlfau.drawing.faces import draw_faces
from vlfau.inference.predictor import Predictor
from vlfau.media.images import read_image
from vlfau.tables.write import open_sink


@pytest.fixture(scope="module")
def predictor(tiny_bundle):
    return Predictor(tiny_bundle)


@pytest.fixture(scope="module")
def face(predictor, astronaut):
    (result,) = predictor.predict(astronaut)
    return result


def test_a_photo_gives_one_face_in_numbers_and_words(face):
    means = face.crop.reshape(-1, 3).mean(0)
    assert face.crop.shape == (CROP_SIZE, CROP_SIZE, 3)
    np.testing.assert_allclose([au.prob for au in face.aus], prob(means), atol=1e-5)
    assert face.global_caption.startswith("This person raises the ")
    assert all((au.local_caption is not None) == au.state for au in face.aus)


def test_the_box_is_around_the_astronauts_face(face):
    left, top, right, bottom = face.face_box_xyxy
    assert left < 210 < 250 < right
    assert top < 95 < 150 < bottom
    assert right - left < 160
    assert face.landmarks_xy.shape == (468, 2)


def test_pixels_give_the_same_as_the_file(predictor, astronaut, face):
    (result,) = predictor.predict(read_image(astronaut))
    assert result == face


def test_a_pil_picture_a_tensor_and_a_list_give_the_same_as_the_file(predictor, astronaut, face):
    torch = pytest.importorskip("torch")
    pixels = read_image(astronaut)
    tensor = torch.from_numpy(pixels).permute(2, 0, 1)
    with Image.open(astronaut) as image:
        for picture in (image, tensor, tensor / 255):
            assert list(predictor.predict(picture)) == [face]
        results = predictor.predict([astronaut, image, tensor, pixels])
    assert [list(result) for result in results] == [[face]] * 4
    assert [result.file for result in results] == [str(astronaut), str(astronaut), "", ""]
    assert [list(result) for result in predictor.predict(torch.stack([tensor, tensor]))] == [[face]] * 2


def test_a_picture_without_a_face_gives_no_results(predictor):
    result = predictor.predict(np.full((300, 400, 3), 127, np.uint8))
    assert list(result) == []
    assert not result
    assert result.au_ids == (1, 6, 12)


def test_a_result_goes_into_a_table_and_a_drawing_as_it_is(predictor, astronaut, tmp_path):
    result = predictor.predict(astronaut)
    with open_sink(tmp_path / "a.csv", model=predictor.bundle.info) as sink:
        sink.write(result)
    with (tmp_path / "a.csv").open(newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["file"], row["face"], row["AU12_prob"]) == (str(astronaut), "1", f"{result[0][12].prob:.4f}")
    drawing = draw_faces(read_image(astronaut), result, note=predictor.bundle.info.warning)
    np.testing.assert_array_equal(np.asarray(result.plot()), drawing)


def test_the_largest_faces_are_kept(tiny_bundle, astronaut):
    photo = read_image(astronaut)
    small = cv2.resize(photo, (256, 256), interpolation=cv2.INTER_AREA)
    both = np.full((512, 800, 3), 127, np.uint8)
    both[:256, :256], both[:, 288:] = small, photo
    (kept,) = Predictor(tiny_bundle, max_faces=1).predict(both)
    assert kept.face_box_xyxy[0] > 400
    assert len(Predictor(tiny_bundle).predict(both)) == 2


def test_a_very_large_picture_is_answered_in_its_own_pixels(predictor, astronaut, face, tmp_path):
    with Image.open(astronaut) as image:
        enlarged = image.convert("RGB").resize((2048, 2048))
    wide = Image.new("RGB", (20_000, 2048), (127, 127, 127))
    wide.paste(enlarged, (9000, 0))
    wide.save(tmp_path / "wide.jpg")
    (result,) = predictor.predict(tmp_path / "wide.jpg")
    expected = 4 * np.array(face.face_box_xyxy) + [9000, 0, 9000, 0]
    np.testing.assert_allclose(result.face_box_xyxy, expected, atol=40)


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_an_exif_rotated_photo_is_answered_upright(predictor, astronaut, face, tmp_path, orientation):
    turns = {3: 180, 6: 90, 8: -90}
    exif = Image.Exif()
    exif[0x0112] = orientation
    with Image.open(astronaut) as image:
        image.convert("RGB").rotate(turns[orientation], expand=True).save(tmp_path / "a.png", exif=exif)
    (result,) = predictor.predict(tmp_path / "a.png")
    np.testing.assert_allclose(result.face_box_xyxy, face.face_box_xyxy, atol=1)
