import math
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlfau.data.manifest import read_manifest
from vlfau.errors import ManifestError
from vlfau.facs import AUState, Side
from vlfau.language import Gender


def test_a_row_becomes_a_frame_with_everything_that_is_known(write_manifest):
    path = write_manifest(
        [
            {
                "subject": "F001",
                "fold": 2,
                "gender": "F",
                "AU12": 1,
                "AU12_intensity": 3.4,
                "AU12_side": "left",
                "AU25": 0,
            },
            {
                "subject": "M001",
                "fold": 1,
                "gender": "",
                "AU12": "",
                "AU12_intensity": "",
                "AU12_side": "",
                "AU25": 1,
            },
        ]
    )
    manifest = read_manifest(path)
    assert manifest.au_ids == (12, 25)
    first, second = manifest.frames
    assert (first.image, first.subject_id, first.fold, first.gender) == (
        path.parent / "000.png",
        "F001",
        2,
        Gender.WOMAN,
    )
    assert first.states == (AUState(12, True, 3, Side.LEFT), AUState(25, False))
    assert (second.gender, second.states) == (None, (None, AUState(25, True)))


@pytest.mark.parametrize(
    ("cells", "trace"),
    [
        ({}, False),
        ({"AU12_intensity": 0}, False),
        ({"AU12_intensity": 1}, True),
        ({"AU12_intensity": 1.9}, True),
        ({"AU12_intensity": ""}, False),
        ({"occurrence_from": ""}, False),
        ({"occurrence_from": 1}, False),
        ({"occurrence_from": 2}, True),
        ({"occurrence_from": 2, "AU12_intensity": ""}, True),
        ({"occurrence_from": 2, "AU12_intensity": 0}, False),
        ({"occurrence_from": 2, "AU12_intensity": 1}, True),
        ({"occurrence_from": 1, "AU12_intensity": 1}, True),
    ],
)
def test_an_absent_au_may_show_a_trace_if_one_was_coded_or_none_would_have_been(write_manifest, cells, trace):
    (state,) = read_manifest(write_manifest([{"AU12": 0, **cells}])).frames[0].states
    assert state == AUState(12, active=False, trace=trace)


def test_an_au_that_is_present_is_more_than_a_trace(write_manifest):
    (state,) = read_manifest(write_manifest([{"AU12": 1, "occurrence_from": 2}])).frames[0].states
    assert state == AUState(12, active=True)
    with pytest.raises(ValueError, match="an active AU12 is more than at most a trace"):
        AUState(12, active=True, trace=True)


def test_aus_are_taken_in_the_order_that_is_asked_for(write_manifest):
    path = write_manifest([{"AU1": 1, "AU2": 0, "AU4": 1}])
    assert read_manifest(path, [4, 1]).frames[0].states == (AUState(4, True), AUState(1, True))


def test_landmarks_are_read_in_the_order_of_their_numbers_and_other_columns_ignored(write_manifest):
    places = {"landmark_61_x": 5.25, "landmark_61_y": 6, "landmark_33_x": "", "landmark_33_y": -2, "landmark_x": "a"}
    manifest = read_manifest(write_manifest([{"AU1": 1, **places}]))
    assert manifest.landmark_ids == (33, 61)
    (unknown, above), mouth = manifest.frames[0].landmarks_xy
    assert (math.isnan(unknown), above, mouth) == (True, -2, (5.25, 6))


def test_rates_count_annotated_frames_only(write_manifest):
    path = write_manifest([{"AU1": 1, "AU2": ""}, {"AU1": 0, "AU2": ""}, {"AU1": "", "AU2": ""}, {"AU1": 0, "AU2": ""}])
    first, second = read_manifest(path).rates()
    assert first == pytest.approx(1 / 3)
    assert math.isnan(second)


def test_a_split_keeps_every_subject_on_one_side(write_manifest):
    rows = [{"subject": f"S{index % 6}", "fold": index % 6 % 3 + 1, "AU1": 1} for index in range(18)]
    train, test = read_manifest(write_manifest(rows)).split(2)
    assert {frame.subject_id for frame in test.frames} == {"S1", "S4"}
    assert {frame.subject_id for frame in train.frames} == {"S0", "S2", "S3", "S5"}
    assert (len(train.frames), len(test.frames)) == (12, 6)


def test_a_fold_that_is_not_there_is_named(write_manifest):
    manifest = read_manifest(write_manifest([{"fold": 1, "AU1": 1}]))
    with pytest.raises(ManifestError, match=r"fold 3: 0 frames test and 1 train; its 'fold' column holds \[1\]"):
        manifest.split(3)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"AU1": 9}, "line 2, column 'AU1': expected 1 .* found '9'"),
        ({"AU1": 1, "AU1_intensity": 6}, "column 'AU1_intensity': expected a number from 0 to 5.* found '6'"),
        ({"AU1": 0, "AU1_intensity": 2}, r"column 'AU1_intensity': expected less than 2 \(B\), for the AU is absent"),
        ({"AU1": 0, "occurrence_from": 3}, r"column 'occurrence_from': expected 1 \(A\), 2 \(B\) or nothing"),
        ({"AU1": 1, "occurrence_from": "B"}, r"column 'occurrence_from': expected 1 \(A\)"),
        ({"AU1": 1, "AU1_intensity": "B"}, "column 'AU1_intensity': .* found 'B'"),
        (
            {"AU1": 1, "AU1_side": "up"},
            "column 'AU1_side': expected left, right, both or nothing, found 'up'",
        ),
        ({"AU25": 1, "AU25_side": "left"}, "column 'AU25_side': expected nothing, for this AU has no side"),
        ({"AU1": 1, "fold": 0}, "column 'fold': expected 1, 2, 3"),
        ({"AU1": 1, "gender": "woman"}, "column 'gender': expected F, M or nothing, found 'woman'"),
        ({"AU1": 1, "subject": ""}, "column 'subject': expected the name of a person"),
        ({"AU3": 1}, "a column 'AU3', which names no AU of the catalogue"),
        ({"AU12_sides": 1}, "a column 'AU12_sides', which names no AU"),
        ({"smile": 1}, "lacks the column AU"),
        ({"AU1": 1, "landmark_33_x": 9}, "has one column of landmark 33 and lacks landmark_33_y"),
        ({"AU1": 1, "landmark_468_x": 9}, "has columns of landmark 468; FaceMesh's landmarks are 0 to 467"),
        ({"AU1": 1, "landmark_0_x": "left", "landmark_0_y": 1}, "column 'landmark_0_x': expected a position in pixels"),
        ({"AU1": 1, "landmark_0_x": 1, "landmark_0_y": "inf"}, "column 'landmark_0_y': expected a position in pixels"),
    ],
)
def test_a_wrong_cell_or_column_is_named_with_its_line_and_the_remedy(write_manifest, row, message):
    path = write_manifest([row])
    with pytest.raises(ManifestError, match=message) as caught:
        read_manifest(path)
    assert str(path) in str(caught.value)


def test_a_missing_picture_is_named(write_manifest):
    path = write_manifest([{"AU1": 1}], pictures=False)
    with pytest.raises(ManifestError, match=r"line 2, column 'image': expected the path .* found '000\.png'"):
        read_manifest(path)


def test_a_subject_in_two_folds_is_named(write_manifest):
    path = write_manifest([{"subject": "F001", "fold": 1, "AU1": 1}, {"subject": "F001", "fold": 2, "AU1": 1}])
    with pytest.raises(ManifestError, match="subject 'F001' in the folds 1 and 2"):
        read_manifest(path)


def test_a_picture_in_two_folds_is_named_whoever_it_is_said_to_show(write_manifest):
    rows = [
        {"image": "a.png", "subject": name, "fold": fold, "AU1": 1} for fold, name in enumerate(("F001", "F002"), 1)
    ]
    with pytest.raises(ManifestError, match=r"has picture '.*a\.png' in the folds 1 and 2"):
        read_manifest(write_manifest(rows))


def test_a_missing_au_column_is_named(write_manifest):
    with pytest.raises(ManifestError, match="lacks the column AU2, AU6; it has image, subject, AU1"):
        read_manifest(write_manifest([{"AU1": 1}]), [1, 2, 6])


def test_of_many_columns_a_message_names_the_first(write_manifest):
    path = write_manifest([{"AU1": 1, **{f"landmark_{number}_x": 1 for number in range(99)}}])
    with pytest.raises(ManifestError, match=r"lacks the column AU2; it has image, subject, AU1, .* and 94 more$"):
        read_manifest(path, [2])


def test_code_9_is_an_empty_cell(write_manifest):
    with pytest.raises(ManifestError, match=r"or an empty cell \(unknown, such as code 9\), found '9'"):
        read_manifest(write_manifest([{"AU1": 9}]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "lacks the column image, subject"),
        (b"image,subject,AU1\n", "has a header and no frames"),
        (b"image,subject,AU1\n\xff\xfe,a,1\n", "not a UTF-8 CSV file"),
        (b'image,subject,AU1\n"a,b,1\n', "not a UTF-8 CSV file"),
    ],
)
def test_a_file_that_is_no_manifest_is_named(tmp_path, content, message):
    path = tmp_path / "frames.csv"
    path.write_bytes(content)
    with pytest.raises(ManifestError, match=message):
        read_manifest(path)
    with pytest.raises(ManifestError, match="can't be opened"):
        read_manifest(tmp_path / "absent.csv")


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3)), min_size=2, max_size=12))
@settings(deadline=None, max_examples=60)
def test_folds_share_no_subject_and_cover_every_frame_once(rows):
    """Rows of (subject, fold); a subject in two folds is refused."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "manifest.csv")
        lines = [f"{number}.png,S{subject},{fold},1" for number, (subject, fold) in enumerate(rows)]
        path.write_text("\n".join(["image,subject,fold,AU12", *lines]), "utf-8")
        if len(set(rows)) > len({subject for subject, _ in rows}):
            with pytest.raises(ManifestError, match="fold"):
                read_manifest(path, pictures=False)
            return
        manifest = read_manifest(path, pictures=False)
    folds = {fold for _, fold in rows}
    if len(folds) == 1:
        with pytest.raises(ManifestError, match="can't be split"):
            manifest.split(*folds)
        return
    halves = [manifest.split(fold) for fold in folds]
    for train, test in halves:
        assert not {frame.subject_id for frame in train.frames} & {frame.subject_id for frame in test.frames}
        assert sorted(frame.image for frame in (*train.frames, *test.frames)) == sorted(
            frame.image for frame in manifest.frames
        )
    tested = [frame.image for _, test in halves for frame in test.frames]
    assert sorted(tested) == sorted(frame.image for frame in manifest.frames)
