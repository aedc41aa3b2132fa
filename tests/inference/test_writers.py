import csv
import json

import numpy as np
import pytest

from vlfau.faces import HeadPose
from vlfau.inference.results import AUResult, FaceResult, PictureResult
from vlfau.inference.writers import csv_columns, write_csv, write_json


def a_face(prob=0.75):
    return FaceResult(
        aus=(
            AUResult(1, "Inner Brow Raiser", 0.125, False, attention_map=np.ones((2, 2), np.float32)),
            AUResult(6, "Cheek Raiser", 0.25, False),
            AUResult(12, "Lip Corner Puller", prob, True, "The lip corners rise, up.", 3.14159),
        ),
        global_caption='This person "smiles".',
        face_box_xyxy=(10.04, 20.0, 30.0, 40.0),
        landmarks_xy=np.ones((468, 2), np.float32),
        score=0.98765,
        pose=HeadPose(yaw=1.25, pitch=-2.0, roll=0.0),
        crop=np.zeros((4, 4, 3), np.uint8),
    )


PICTURES = [
    PictureResult("größe/a.jpg", (a_face(), a_face(prob=0.5))),
    PictureResult("empty.jpg", ()),
]


def test_the_table_has_one_row_a_face_and_the_documented_columns(tmp_path, tiny_bundle):
    write_csv(tmp_path / "a.csv", PICTURES, model=tiny_bundle.info)
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        rows = list(reader)
    assert reader.fieldnames == [
        *("file", "face", "box_x1", "box_y1", "box_x2", "box_y2", "face_score", "yaw", "pitch", "roll"),
        *("AU1_prob", "AU1_state", "AU1_intensity", "AU1_text"),
        *("AU6_prob", "AU6_state", "AU6_intensity", "AU6_text"),
        *("AU12_prob", "AU12_state", "AU12_intensity", "AU12_text", "global_text"),
    ]
    assert [(row["file"], row["face"], row["AU12_prob"]) for row in rows] == [
        ("größe/a.jpg", "1", "0.7500"),
        ("größe/a.jpg", "2", "0.5000"),
    ]
    row = rows[0]
    assert (row["box_x1"], row["face_score"], row["pitch"]) == ("10.0", "0.9877", "-2.0")
    assert (row["AU1_state"], row["AU1_text"]) == ("0", "")
    assert (row["AU1_intensity"], row["AU12_intensity"]) == ("", "3.14")
    assert (row["AU12_state"], row["AU12_text"]) == ("1", "The lip corners rise, up.")
    assert row["global_text"] == 'This person "smiles".'


def test_columns_follow_the_models_order():
    assert csv_columns([12, 1])[10:18:4] == ["AU12_prob", "AU1_prob"]


def test_the_document_lists_every_picture_and_the_model(tmp_path, tiny_bundle):
    write_json(tmp_path / "a.json", PICTURES, model=tiny_bundle.info)
    document = json.loads((tmp_path / "a.json").read_text("utf-8"))
    assert document["model"] == {"name": "tiny", "version": "1.0", "synthetic": False, "au_ids": [1, 6, 12]}
    assert [(picture["file"], len(picture["faces"])) for picture in document["pictures"]] == [
        ("größe/a.jpg", 2),
        ("empty.jpg", 0),
    ]
    face = document["pictures"][0]["faces"][0]
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


def test_a_result_that_cannot_be_written_leaves_the_old_file(tmp_path, tiny_bundle):
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(path, [PictureResult("a.jpg", (a_face(prob=float("nan")),))], model=tiny_bundle.info)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_result_without_arrays_says_the_same_in_files():
    face = a_face()
    light = face.without_arrays()
    assert light.to_dict() == face.to_dict()
    assert light.crop.size == light.landmarks_xy.size == 0
    assert light.aus[0].attention_map is None
