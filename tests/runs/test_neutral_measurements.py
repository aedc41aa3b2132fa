from types import SimpleNamespace

import pytest

import vlfau
from tests.measures.made_up import mean_mesh, measured
from tests.tables.made_up import a_face, a_model
from vlfau import RunObserver
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


class Faces(RunObserver):
    def picture_done(self, file, faces):
        self.faces = faces


def test_the_texts_of_a_picture_say_how_this_person_rests_and_its_scores_stay(astronaut):
    plain, compared = Faces(), Faces()
    vlfau.run([astronaut], describe="never", observer=plain)
    vlfau.run([astronaut], describe="never", baseline=[astronaut], observer=compared)
    before, after = (each.faces[0][12] for each in (plain, compared))
    assert after.prob == before.prob
    assert "at rest" not in before.measured_text
    own = f"{before.measurements[0].value:.2f}"
    assert after.measured_text == f"{before.measured_text}, this person at rest {own}"
