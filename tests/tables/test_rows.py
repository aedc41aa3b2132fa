from math import radians

import numpy as np
import pytest

from tests.tables.made_up import a_face, a_model
from vlfau.errors import ConfigError
from vlfau.faces import HeadPose
from vlfau.facs import DEFAULT_AU_IDS, all_au_ids
from vlfau.inference.results import PictureResult
from vlfau.tables.columns import LAYOUTS, recognise
from vlfau.tables.groups import turns_xyz
from vlfau.tables.table import Table

EMPTY_FRAME = PictureResult("a.mp4", (), frame=7, time_s=0.28)


def one_row(layout, result):
    (row,) = Table(layout, a_model()).rows(result)
    return row


def filled(row):
    return {name: cell for name, cell in row.items() if cell is not None}


def test_a_native_row_keeps_the_names_of_the_first_tables_and_the_models_order():
    row = one_row("native", PictureResult("a.jpg", (a_face(),)))
    assert list(row) == [
        *(
            "file",
            "frame",
            "time_s",
            "since_first_s",
            "face",
            "person",
            "box_x1",
            "box_y1",
            "box_x2",
            "box_y2",
            "face_score",
        ),
        *("yaw", "pitch", "roll"),
        *("AU12_prob", "AU12_state", "AU12_intensity", "AU12_text"),
        *("AU1_prob", "AU1_state", "AU1_intensity", "AU1_text", "global_text", "doubtful_aus"),
    ]
    assert (row["file"], row["face"], row["frame"], row["time_s"]) == ("a.jpg", 1, None, None)
    assert (row["box_x1"], row["face_score"], row["AU12_prob"], row["AU12_state"]) == (10.0, 0.9877, 0.75, True)
    assert (row["AU12_intensity"], row["AU1_intensity"], row["AU1_text"]) == (3.14, None, None)
    assert str(row["yaw"]) == "0.0"


def test_a_face_of_a_video_keeps_its_number():
    row = one_row("native", PictureResult("a.mp4", (a_face(face_id=5),), frame=3, time_s=0.123456))
    assert (row["face"], row["frame"], row["time_s"]) == (5, 3, 0.1235)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_picture_without_a_face_has_no_row(layout):
    assert Table(layout, a_model()).rows(PictureResult("a.jpg", ())) == []


def test_a_frame_without_a_face_has_a_row_so_that_no_time_is_missing():
    assert filled(one_row("native", EMPTY_FRAME)) == {"file": "a.mp4", "frame": 7, "time_s": 0.28}
    assert filled(one_row("pyfeat", EMPTY_FRAME)) == {"input": "a.mp4", "frame": 7}
    assert filled(one_row("openface", EMPTY_FRAME)) == {
        **{"frame": 8, "face_id": 0, "timestamp": 0.28, "confidence": 0.0, "success": 0},
        "file": "a.mp4",
    }


def test_an_openface_row_has_its_names_order_counting_and_units():
    face = a_face(face_id=5, pose=HeadPose(yaw=0.0, pitch=-20.0, roll=0.0))
    table = Table("openface", a_model())
    (row,) = table.rows(PictureResult("a.mp4", (face,), frame=0, time_s=0.0))
    assert {column.name: column.text(row[column.name]) for column in table.columns} == {
        **{"frame": "1", "face_id": "4", "timestamp": "0.000", "confidence": "0.99", "success": "1"},
        **{"pose_Rx": "0.349", "pose_Ry": "0.000", "pose_Rz": "0.000"},
        **{"AU01_r": "", "AU12_r": "3.14", "AU01_c": "0.0", "AU12_c": "1.0"},
        "file": "a.mp4",
    }
    assert [column.name for column in table.columns][8:] == ["AU01_r", "AU12_r", "AU01_c", "AU12_c", "file"]


def test_a_pyfeat_row_has_its_names_order_and_units():
    face = a_face(face_id=5, pose=HeadPose(yaw=0.0, pitch=-20.0, roll=0.0))
    row = one_row("pyfeat", PictureResult("a.mp4", (face,), frame=0, time_s=0.0))
    assert row == {
        **{"FaceRectX": 10.0, "FaceRectY": 20.0, "FaceRectWidth": 20.2, "FaceRectHeight": 40.5, "FaceScore": 0.9877},
        **{"Pitch": -20.0, "Roll": 0.0, "Yaw": 0.0, "AU01": 0.1235, "AU12": 0.75},
        **{"Identity": "Person_5", "input": "a.mp4", "frame": 0},
    }
    assert list(row)[-5:] == ["AU01", "AU12", "Identity", "input", "frame"]


def about(axis, angle):
    cosine, sine = np.cos(angle), np.sin(angle)
    first, second = [index for index in range(3) if index != axis]
    rotation = np.eye(3)
    rotation[[first, second], [first, second]] = cosine
    rotation[first, second], rotation[second, first] = (sine, -sine) if axis == 1 else (-sine, sine)
    return rotation


@pytest.mark.parametrize("pose", [HeadPose(30, -20, 10), HeadPose(-60, 40, -35), HeadPose(5, 5, 170)])
def test_the_turns_of_openface_make_the_same_rotation_as_our_angles(pose):
    ours = about(1, radians(-pose.yaw)) @ about(0, radians(-pose.pitch)) @ about(2, radians(pose.roll))
    x, y, z = turns_xyz(pose)
    np.testing.assert_allclose(about(0, x) @ about(1, y) @ about(2, z), ours, atol=1e-12)


def test_a_turn_to_the_subjects_right_is_positive_for_the_peers():
    _, y, _ = turns_xyz(HeadPose(yaw=-30, pitch=0, roll=0))
    assert y == pytest.approx(radians(30))


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_a_format_is_recognised_by_its_columns(layout):
    columns = layout.columns(all_au_ids())
    assert recognise([column.name for column in columns]) == (layout, columns)
    assert recognise([column.name for column in columns[1:]]) is None


def test_an_eye_closure_is_never_called_a_blink():
    names = {column.name for layout in LAYOUTS.values() for column in layout.columns(DEFAULT_AU_IDS)}
    assert {"AU43_prob", "AU43_c", "AU43"} <= names
    assert not [name for name in names if "45" in name]


def test_a_model_that_knows_blinks_has_columns_for_them_beside_those_of_closed_eyes():
    for layout in LAYOUTS.values():
        meanings = {column.name: column.meaning for column in layout.columns((43, 45))}
        assert all("AU 43 (Eyes Closed)" in meaning for name, meaning in meanings.items() if "43" in name)
        assert all("AU 45 (Blink)" in meaning for name, meaning in meanings.items() if "45" in name)
        assert sum("43" in name for name in meanings) == sum("45" in name for name in meanings) > 0


def test_an_unknown_format_names_the_known_ones():
    with pytest.raises(ConfigError, match="'excel' of tables; choose among native, openface, pyfeat, pyfeat2"):
        Table("excel", a_model())


def test_no_table_holds_nan_or_an_au_of_another_model():
    with pytest.raises(ValueError, match="AU12_prob is nan"):
        Table("native", a_model()).rows(PictureResult("a.jpg", (a_face(prob=float("nan")),)))
    with pytest.raises(ValueError, match="model tiny has no column AU1_intensity"):
        Table("native", a_model(au_ids=(12,), thresholds=(0.5,))).rows(PictureResult("a.jpg", (a_face(),)))
