from types import SimpleNamespace

import pytest

from tests.measures.made_up import mean_mesh, measured
from tests.tables.made_up import a_face, a_model
from vlfau.inference.results import PictureResult
from vlfau.runs.neutral_faces import Correction, neutral_faces


def test_a_persons_neutral_picture_gives_the_own_rest_of_every_measurement(tmp_path):
    path = tmp_path / "rest.png"
    path.write_bytes(b"not read here")
    face = a_face(prob=0.1).measured_by(measured(mean_mesh()))
    predictor = SimpleNamespace(
        predict=lambda picture: PictureResult(str(picture), (face,)), bundle=SimpleNamespace(info=a_model())
    )
    correction = neutral_faces([str(path)], predictor)
    width = next(each for each in face.measurements if each.name == "mouth_width").value
    assert correction.own_rest["mouth_width"] == pytest.approx(width)


def test_a_corrected_face_says_how_this_person_rests():
    face = a_face(face_id=3).measured_by(measured(mean_mesh()))
    correct = Correction(own_rest={"mouth_width": 0.815})
    (corrected,) = correct(PictureResult("a.mp4", (face,), frame=0, time_s=0.0)).faces
    found = {each.name: each for each in corrected[12].measurements}["mouth_width"]
    assert found.text.endswith(", this person at rest 0.81") or found.text.endswith(", this person at rest 0.82")
    assert face.measurements[0].own_rest is None
