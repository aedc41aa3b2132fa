"""What goes into `predict` and comes out of it, with a face finder whose answers a person knows."""

import gc
import weakref
from collections import deque
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.inference.tiny_bundle import prob
from vlfau.errors import BundleError, ConfigError, ImageError
from vlfau.inference.predictor import Predictor
from vlfau.media.images import Picture, read_image, read_picture


class PaintedFinder:
    """Finds as many faces as the first pixel's blue says, all alike."""

    def __init__(self, face):
        self.face, self.asked = face, 0

    def find(self, pixels):
        self.asked += 1
        return [self.face] * int(pixels[0, 0, 2])


class CountingBackend:
    """Remembers how many faces came at once."""

    def __init__(self, backend):
        self._backend, self.batches = backend, []

    def __getattr__(self, name):
        return getattr(self._backend, name)

    def encode(self, crops):
        self.batches.append(len(crops))
        return self._backend.encode(crops)


@pytest.fixture(scope="module")
def face(finder, astronaut):
    (face,) = finder.find(read_image(astronaut))
    return face


@pytest.fixture
def predictor(tiny_bundle, face):
    predictor = Predictor(tiny_bundle, describe="never")
    predictor.backend = CountingBackend(predictor.backend)
    predictor.finder = PaintedFinder(face)
    return predictor


def painted(red, faces):
    """A picture with so many faces, whose AU1 has the probability of this red."""
    return np.full((512, 512, 3), (red, 0, faces), np.uint8)


def test_faces_of_several_pictures_go_through_the_network_together_and_come_back_in_order(predictor):
    counts = [0, 5, 0, 12, 3, 20, 1]
    reds = [0, 40, 80, 120, 160, 200, 240]
    results = predictor.predict([painted(red, faces) for red, faces in zip(reds, counts, strict=True)])
    assert [len(result) for result in results] == counts
    for red, result in zip(reds, results, strict=True):
        assert [face[1].prob for face in result] == pytest.approx([float(prob(red))] * len(result), abs=1e-6)
    assert predictor.backend.batches == [16, 1, 16, 7, 1]


def test_no_pictures_give_no_results(predictor):
    assert predictor.predict([]) == []
    assert predictor.backend.batches == []


@pytest.mark.parametrize("kind", [list, tuple, deque])
def test_a_sequence_is_several_pictures_and_an_array_is_one(predictor, kind):
    assert len(predictor.predict(kind([painted(0, 1), painted(0, 1)]))) == 2
    assert len(predictor.predict(painted(0, 3))) == 3


def test_any_number_of_pictures_is_predicted_one_after_the_other(predictor):
    results = predictor.predict_many(painted(0, 2) for _ in range(100))
    assert len(next(results)) == 2
    assert predictor.finder.asked == 8  # Faces for one batch of 16, and no more.
    assert sum(len(result) for result in results) == 198


def test_pictures_without_faces_are_not_gathered_for_ever(predictor):
    results = predictor.predict_many(painted(0, 0) for _ in range(100))
    assert not next(results)
    assert predictor.finder.asked == 16


def test_of_files_no_pixels_stay_in_memory(predictor, tmp_path):
    Image.fromarray(painted(9, 1)).save(tmp_path / "a.png")
    results = predictor.predict([tmp_path / "a.png"] * 3)
    assert [result.source for result in results] == [tmp_path / "a.png"] * 3
    np.testing.assert_array_equal(results[0].plot(), results[2].plot(read_picture(tmp_path / "a.png")))


def test_given_pixels_stay_until_they_are_dropped(predictor):
    pixels = painted(9, 1)
    given = weakref.ref(pixels)
    result = predictor.predict(pixels)
    assert result.source.pixels is pixels
    light = result.without_arrays()
    del pixels, result
    gc.collect()
    assert given() is None
    assert light[0][1].prob == pytest.approx(float(prob(9)), abs=1e-6)


def test_a_result_is_called_as_its_file_or_as_the_caller_says(predictor, tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(painted(9, 1)).save(path)
    assert predictor.predict(path).file == predictor.predict(str(path)).file == str(path)
    assert predictor.predict(path, names="anna").file == "anna"
    assert predictor.predict(painted(9, 1)).file == ""
    assert predictor.predict(painted(9, 1), names="anna").file == "anna"
    assert [result.file for result in predictor.predict([path, painted(9, 1)], names=["a", "b"])] == ["a", "b"]
    with Image.open(path) as image:
        assert predictor.predict(image).file == str(path)


@pytest.mark.parametrize(
    ("several", "names", "message"),
    [
        (True, ["a"], r"names is \['a'\] for 2 pictures; give a list with one name for each"),
        (True, "ab", "names is 'ab' for 2 pictures"),
        (True, [1, 2], r"names is \[1, 2\] for 2 pictures; give a list with one name for each, as text"),
        (True, 5, "names is 5 for 2 pictures"),
        (False, ["a"], r"names is \['a'\] for one picture; give one name"),
    ],
)
def test_names_that_do_not_fit_are_refused(predictor, several, names, message):
    images = [painted(0, 1)] * 2 if several else painted(0, 1)
    with pytest.raises(ConfigError, match=message):
        predictor.predict(images, names=names)


def test_names_may_come_from_an_iterator(predictor):
    results = predictor.predict([painted(0, 1)] * 2, names=map(str, range(2)))
    assert [result.file for result in results] == ["0", "1"]


@pytest.mark.parametrize("faces", [0, 1])
def test_a_choice_of_aus_that_there_is_not_is_refused(predictor, faces):
    for predict in (
        predictor.predict,
        lambda image, describe: list(predictor.predict_many([image], describe=describe)),
    ):
        with pytest.raises(ConfigError, match="describe is 'all'; give one of active, every, never"):
            predict(painted(0, faces), describe="all")


def test_a_bad_file_among_several_is_named(predictor, tmp_path):
    Image.fromarray(painted(9, 1)).save(tmp_path / "a.png")
    with pytest.raises(ImageError, match=r"^picture .*b\.png does not exist; check the path$"):
        predictor.predict([tmp_path / "a.png", tmp_path / "b.png"])


def test_a_bad_array_among_several_is_numbered(predictor):
    with pytest.raises(ImageError, match=r"^images\[1\]: expected a picture as \(H, W, 3\) uint8 RGB"):
        predictor.predict([painted(9, 1), painted(9, 1) / 255])


def test_the_results_before_a_bad_picture_come_first(predictor, tmp_path):
    results = predictor.predict_many([painted(9, 1), painted(9, 2), tmp_path / "none.png", painted(9, 1)])
    assert [len(next(results)), len(next(results))] == [1, 2]
    with pytest.raises(ImageError, match=r"none\.png does not exist"):
        next(results)


def test_an_iterator_is_refused_with_what_takes_it(predictor, tmp_path):
    for iterator in (iter([painted(9, 1)]), (each for each in [painted(9, 1)])):
        with pytest.raises(ImageError, match="make a list of it, or use predict_many"):
            predictor.predict(iterator)


@pytest.mark.parametrize(
    "one",
    [
        *("photo.jpg", b"photo", painted(0, 1), Path("photo.jpg"), Image.fromarray(painted(0, 1)), None),
        Picture(painted(0, 1)),
    ],
)
def test_one_picture_is_not_taken_apart_as_if_it_were_many(predictor, one):
    with pytest.raises(ImageError, match=f"expected several pictures, such as a list, got one {type(one).__name__}"):
        predictor.predict_many(one)


def test_a_folder_is_not_a_picture(predictor, tmp_path):
    with pytest.raises(ImageError, match="is a folder, not a picture"):
        predictor.predict(tmp_path)


@pytest.mark.parametrize("address", ["http://example.org/me.jpg", "https://example.org/me.jpg", "s3://bucket/me.jpg"])
def test_a_web_address_is_refused_and_nothing_is_fetched(predictor, address):
    with pytest.raises(ImageError, match=f"^{address} is a web address, and vlfau downloads nothing; download the pic"):
        predictor.predict(address)
    with pytest.raises(BundleError, match=f"^{address} is a web address, and vlfau downloads nothing; download the mo"):
        Predictor.from_pretrained(address)
    with pytest.raises(BundleError, match=f"^{address} is a web address"):
        Predictor(address)


def test_a_model_is_opened_by_its_folder_or_its_name(tiny_bundle, monkeypatch):
    by_folder = Predictor.from_pretrained(tiny_bundle.folder, describe="never", max_faces=1)
    assert by_folder.bundle.info == tiny_bundle.info
    assert by_folder.max_faces == 1
    monkeypatch.setenv("VLFAU_MODELS", str(tiny_bundle.folder.parent))
    assert Predictor.from_pretrained(tiny_bundle.folder.name).bundle.folder == Path(tiny_bundle.folder)


def test_a_name_that_no_model_has_is_refused_with_those_that_there_are():
    with pytest.raises(BundleError, match="laboratory/model .* choose among default"):
        Predictor.from_pretrained("laboratory/model")
