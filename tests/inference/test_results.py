from tests.inference.made_up import a_face


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
