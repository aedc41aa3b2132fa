from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import vlfau
from vlfau.errors import ConfigError, UnknownAUError
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

    def __init__(self, least):
        self.least, self.seen = least, 0

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
    assert found.text.startswith("if the lip corners above the middle of the lips were ")
    assert " % of the eye distance lower and the mouth width were " in found.text
    assert found.text.endswith(" % of the eye distance smaller, AU 12 would be inactive")
    assert found.to_dict()["changes"][0]["name"] == "lip_corner_height"


def test_a_model_that_never_changes_its_answer_is_said_to_look_elsewhere(smile):
    _, face = smile
    found = explain(ByLipCorners(0.0), face, 12)
    assert (found.letters, found.changes) == (None, ())
    assert found.text.startswith("no weaker AU 12 would make it inactive")


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
