import copy
import pickle
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.inference.made_up import a_face
from vlfau.errors import InputError, MissingExtraError, UnknownAUError
from vlfau.inference.bundle import load_bundle
from vlfau.inference.results import AUResult, CropResult, PictureResult
from vlfau.media.images import Picture


def test_a_result_without_arrays_says_the_same():
    face = a_face()
    light = face.without_arrays()
    assert light == face
    assert light.to_dict() == face.to_dict()
    assert light.crop.size == light.landmarks_xy.size == 0
    assert light.aus[0].attention_map is None


def test_what_json_holds_is_rounded_and_without_arrays():
    face = a_face().to_dict()
    assert face["face_box_xyxy"] == [10.0, 20.0, 30.0, 40.0]
    assert face["pose"] == {"yaw": 1.2, "pitch": -2.0, "roll": 0.0}
    assert face["aus"][2] == {
        "au_id": 12,
        "name": "Lip Corner Puller",
        "prob": 0.75,
        "state": True,
        "intensity": 3.14,
        "local_caption": "The lip corners rise, up.",
    }


def test_an_au_is_taken_by_its_facs_number():
    face = a_face(prob=0.75)
    assert face[12].prob == 0.75
    assert face[1].name == "Inner Brow Raiser"
    assert 12 in face
    assert 2 not in face


def test_an_au_that_the_model_does_not_know_is_a_key_error_that_names_those_it_knows():
    for kind in (KeyError, UnknownAUError, InputError):
        with pytest.raises(kind) as caught:
            a_face()[45]
        assert str(caught.value) == "this result has no AU 45; the model knows the AUs 1, 6, 12"


def test_a_face_is_not_counted_through_from_zero():
    with pytest.raises(TypeError, match="not iterable"):
        list(a_face())


def test_numbers_of_all_aus_come_as_arrays_in_the_models_order():
    face = a_face(prob=0.75)
    assert face.au_ids == (1, 6, 12)
    assert face.probs.tolist() == [0.125, 0.25, 0.75]
    assert face.states.tolist() == [False, False, True]
    np.testing.assert_array_equal(face.intensities, [np.nan, np.nan, 3.14159])


def test_numbers_of_no_aus_are_empty_arrays():
    crop = CropResult(aus=())
    assert (crop.au_ids, crop.probs.shape, crop.states.dtype, crop.intensities.shape) == ((), (0,), np.bool_, (0,))


def test_a_picture_is_a_sequence_of_its_faces():
    first, second = a_face(0.75), a_face(0.5)
    result = PictureResult("a.jpg", (first, second))
    assert isinstance(result, Sequence)
    assert list(result) == [first, second]
    assert (len(result), result[0], result[-1], result[:1]) == (2, first, second, (first,))
    assert second in result
    with pytest.raises(IndexError):
        result[2]


def test_a_picture_without_a_face_is_false():
    assert not PictureResult("a.jpg", ())
    assert PictureResult("a.jpg", (a_face(),))


def test_where_the_pixels_are_neither_shows_nor_counts():
    plain = PictureResult("a.jpg", (a_face(),))
    with_pixels = PictureResult("a.jpg", (a_face(),), source=Picture(np.zeros((4, 4, 3), np.uint8)))
    assert plain == with_pixels
    assert hash(plain) == hash(with_pixels)
    assert "source" not in repr(with_pixels)


def test_a_picture_without_arrays_drops_its_pixels_and_those_of_its_faces():
    result = PictureResult("a.jpg", (a_face(),), source=Picture(np.zeros((4, 4, 3), np.uint8)))
    light = result.without_arrays()
    assert light == result
    assert light.source is None
    assert light[0].crop.size == 0
    assert light[0].aus[0].attention_map is None


@pytest.mark.parametrize("copied", [lambda result: pickle.loads(pickle.dumps(result)), copy.deepcopy])
def test_a_result_survives_pickling_and_copying_with_its_model(copied):
    result = PictureResult("a.jpg", (a_face(),), model=load_bundle().info, source=Path("a.jpg"))
    twin = copied(result)
    assert (twin, twin.model, twin.source) == (result, result.model, result.source)
    assert twin.model.descriptions.wording == result.model.descriptions.wording
    with pytest.raises(TypeError, match="does not support item assignment"):
        twin.model.descriptions.units[12] = None


def test_the_known_aus_are_those_of_the_faces_where_no_model_is_named():
    assert PictureResult("a.jpg", (a_face(),)).au_ids == (1, 6, 12)
    assert PictureResult("a.jpg", ()).au_ids == ()


def test_a_face_as_a_series_has_the_names_of_a_tables_columns():
    pytest.importorskip("pandas")
    series = a_face(prob=0.75).to_pandas()
    assert list(series.index) == [
        *("box_x1", "box_y1", "box_x2", "box_y2", "face_score", "yaw", "pitch", "roll"),
        *(f"AU{au_id}_{what}" for au_id in (1, 6, 12) for what in ("prob", "state", "intensity", "text")),
        *("global_text", "doubtful_aus"),
    ]
    assert (series["AU12_prob"], series["AU12_state"], series["AU12_intensity"]) == (0.75, True, 3.14)
    assert series["AU12_text"] == "The lip corners rise, up."
    assert series.name is None


def test_frames_without_pandas_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    for result in (a_face(), PictureResult("a.jpg", (a_face(),))):
        with pytest.raises(MissingExtraError, match=r"the extra 'tables', which .* pip install '.*\[tables\]'"):
            result.to_pandas()


def test_an_au_by_itself_has_its_usual_label():
    assert AUResult(4, "Brow Lowerer", 0.25, False).label == "AU4"
