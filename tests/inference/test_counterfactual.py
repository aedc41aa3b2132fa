from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import vlfau
from tests.tables.made_up import a_model
from vlfau.errors import BundleError, ConfigError, UnknownAUError
from vlfau.inference.counterfactual import explain
from vlfau.measures.measuring import crop_mesh
from vlfau.measures.warping import FaceWarper


@pytest.fixture(scope="module")
def smile(astronaut):
    """The face of the astronaut, who smiles, and the model that found it."""
    predictor = vlfau.Predictor(describe="never")
    return predictor, predictor.predict(astronaut)[0]


class ByLipCorners:
    """A model that finds AU 12 where the lip corners are further apart than some pixels of the crop."""

    au_ids = (12,)

    def __init__(self, least, **training):
        self.least, self.seen = least, 0
        self.bundle = SimpleNamespace(info=a_model(au_ids=(12,), thresholds=(0.5,), training=training))

    def score_crops(self, crops):
        self.seen += len(crops)
        widths = [np.linalg.norm(np.subtract(*crop_mesh(crop).landmarks_xy[[61, 291]])) for crop in crops]
        return SimpleNamespace(au_states=np.array(widths)[:, None] > self.least)


def mouth_width(crop):
    return np.linalg.norm(np.subtract(*crop_mesh(crop).landmarks_xy[[61, 291]]))


def test_the_flip_is_found_where_the_models_limit_lies(smile):
    _, face = smile
    least = mouth_width(face.crop) - 4.0
    model = ByLipCorners(least)
    found = explain(model, face, 12)
    assert found.state
    assert -5 <= found.letters < 0
    assert model.seen <= 13
    mesh = crop_mesh(face.crop)
    warper = FaceWarper(face.crop, mesh.landmarks_xy, mesh.landmarks_z)
    less, enough = warper.moved(12, [found.letters + 0.12, found.letters])
    assert mouth_width(enough) <= least < mouth_width(less) + 0.5


def test_the_answer_names_what_moved_and_where_to(smile):
    _, face = smile
    found = explain(ByLipCorners(mouth_width(face.crop) - 4.0), face, 12)
    assert [change.measurement.name for change in found.changes] == ["lip_corner_height", "mouth_width"]
    assert all(change.value < change.measurement.value for change in found.changes)
    assert found.text.startswith("if the lip corners above the middle of the lips were about ")
    assert " % of the eye distance lower and the mouth width were about " in found.text
    assert found.text.endswith(" % of the eye distance smaller, AU 12 would be inactive")
    assert found.to_dict()["changes"][0]["name"] == "lip_corner_height"


def test_a_model_that_never_changes_its_answer_is_said_to_look_elsewhere(smile):
    _, face = smile
    found = explain(ByLipCorners(0.0), face, 12)
    assert (found.letters, found.changes) == (None, ())
    assert found.text == "no weaker AU 12, up to five letters of intensity, would make it inactive"


def test_a_record_of_responses_gives_the_letters_without_moving_any_skin(smile):
    _, face = smile
    sure = replace(face, aus=tuple(replace(au, prob=0.9 if au.au_id == 12 else au.prob) for au in face.aus))
    model = ByLipCorners(0.0, logits_per_letter={"12": [1.0, 2.0]})
    found = explain(model, sure, 12)
    assert model.seen == 0
    assert found.letters == pytest.approx(-np.log(9) / 2)  # logit(0.5) - logit(0.9), 2 a letter above the threshold
    change = found.changes[0]
    assert change.measurement.name == "lip_corner_height"
    assert 0.01 < change.measurement.value - change.value < 0.1
    weak = replace(sure, aus=tuple(replace(au, prob=0.2, state=False) for au in sure.aus))
    assert explain(model, weak, 12).letters == pytest.approx(np.log(4))
    assert explain(model, weak, 12).text.endswith(", AU 12 would be active")


def test_a_change_of_more_than_five_letters_is_none(smile):
    _, face = smile
    found = explain(ByLipCorners(0.0, logits_per_letter={"12": [0.01, 0.01]}), face, 12)
    assert (found.letters, found.changes) == (None, ())


def test_letters_grow_with_the_score_and_its_root(smile):
    _, face = smile
    sure = replace(face, aus=tuple(replace(au, prob=0.9 if au.au_id == 12 else au.prob) for au in face.aus))
    model = ByLipCorners(0.0, letters_by_score={"12": [9.0, 9.0, 0.5, 1.0]}, logits_per_letter={"12": [9.0, 9.0]})
    distance = np.log(9)
    assert explain(model, sure, 12).letters == pytest.approx(-(0.5 * distance + distance**0.5))


def test_a_face_whose_score_follows_its_skin_slowly_needs_more_letters(smile):
    _, face = smile

    class Following(ByLipCorners):
        """A model whose score follows the width of the mouth."""

        def score_crops(self, crops):
            self.seen += len(crops)
            logits = [self.least * mouth_width(crop) for crop in crops]
            return SimpleNamespace(vision=SimpleNamespace(au_logits=np.array(logits)[:, None]))

    sure = replace(face, aus=tuple(replace(au, prob=0.7 if au.au_id == 12 else au.prob) for au in face.aus))
    letters = [
        explain(Following(gain, letters_by_score={"12": [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]}), sure, 12).letters
        for gain in (0.5, 1.0)
    ]
    assert letters[0] < letters[1] < 0
    assert letters[0] == pytest.approx(letters[1] * 2**0.5)


@pytest.mark.parametrize("wrong", [[1.0], [1.0, 0.0], [1.0, -2.0], "1, 2", [True, 1.0]])
def test_a_wrong_record_of_responses_is_refused(smile, wrong):
    _, face = smile
    with pytest.raises(BundleError, match="expected 2 numbers of 0 or more"):
        explain(ByLipCorners(0.0, logits_per_letter={"12": wrong}), face, 12)
    with pytest.raises(BundleError, match="expected 6 numbers of 0 or more"):
        explain(ByLipCorners(0.0, letters_by_score={"12": [1.0, 1.0, 0.0, 0]}), face, 12)


def test_the_parts_that_decide_are_named_the_heaviest_first(smile):
    _, face = smile
    training = {"logits_per_letter": {"12": [1.0, 1.0]}}
    found = explain(ByLipCorners(0.0, score_parts={"12": [0.23, 0.77, 0.0]}, **training), face, 12)
    assert found.basis == (
        "the score of AU 12 rests to 77 % on the geometry of the face (movements of its mesh) and 23 % on the branch "
        "whose heat map is drawn; its heat map shows less than what decides"
    )
    assert found.to_dict()["basis"] == found.basis
    alone = explain(ByLipCorners(0.0, score_parts={"12": [1.0, 0, 0]}, **training), face, 12)
    assert alone.basis == "the score of AU 12 rests to 100 % on the branch whose heat map is drawn"
    assert explain(ByLipCorners(0.0, **training), face, 12).basis == ""
    with pytest.raises(BundleError, match="expected 3 shares from 0 to 1"):
        explain(ByLipCorners(0.0, score_parts={"12": [2.0, 0, 0]}, **training), face, 12)


def test_the_default_model_changes_its_mind_about_a_weaker_smile(smile):
    predictor, face = smile
    found = vlfau.explain(predictor, face, 12)
    assert found.state
    assert found.letters is not None
    assert found.letters < -0.5


def test_an_unknown_au_and_a_result_without_a_crop_are_refused(smile):
    predictor, face = smile
    with pytest.raises(UnknownAUError, match="no AU 99"):
        explain(predictor, face, 99)
    with pytest.raises(ConfigError, match="has no crop"):
        explain(predictor, face.without_arrays(), 12)


def test_results_carry_measurements_and_their_sentence(smile):
    _, face = smile
    assert face[12].measurements[0].name == "lip_corner_height"
    assert face[12].measured_text == f"AU12: {face[12].measurements[0].text}"
    content = face.to_dict(measurements=True, quality=True)
    assert content["measurements"][0]["rulers"]
    by_id = {au["au_id"]: au for au in content["aus"]}
    assert by_id[12]["measured_text"] == face[12].measured_text
    assert 0 <= content["quality"]["quality"] <= 1
    assert "measurements" not in face.to_dict()
    assert replace(face, measured=None).measurements == ()
    assert face.without_arrays()[12].measurements == ()
