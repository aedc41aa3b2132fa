import re

import pytest

from tests.prepare.conftest import contents, rows_of
from vlfau.cli.prepare import prepare as command
from vlfau.data.manifest import read_manifest
from vlfau.errors import ConfigError, InputError, ManifestError
from vlfau.facs import AU_SETS, Side
from vlfau.prepare import prepare, read_ckplus

PLACE = {au_id: place for place, au_id in enumerate(AU_SETS["ckplus"])}
SIZE = 64


@pytest.fixture
def ckplus(make_ckplus):
    """Four sequences of three people, one of them without codes."""
    return make_ckplus(
        {
            "S005/001": {9: 4, 17: 2},
            "S010/001": {1: 0, 2: 3, 27: 5, 38: 1},
            "S010/002": None,
            "S999/003": {12: 0, 26: 1, 38: 2, 11: 0},
        }
    )


def codes_file(folder, name="S005/001", number=3):
    return folder / "FACS" / name / f"{name.replace('/', '_')}_{number:08}_facs.txt"


def test_the_last_frame_has_the_codes_and_every_other_au_is_absent(ckplus):
    source = read_ckplus(ckplus)
    assert [(clip.subject_id, clip.task) for clip in source.clips] == [
        ("S005", "001"),
        ("S010", "001"),
        ("S999", "003"),
    ]
    (frame,) = source.clips[0].frames
    assert (frame.number, frame.picture.name, frame.coded) == (3, "S005_001_00000003.png", True)
    assert {au_id for au_id, place in PLACE.items() if frame.occurrence[place] == 1} == {9, 17}
    assert (frame.intensity[PLACE[9]], frame.intensity[PLACE[17]], frame.intensity[PLACE[12]]) == (4, 2, 0)
    assert [clip.unlabelled for clip in source.clips] == [2, 2, 2]


def test_intensity_0_is_an_au_whose_intensity_nobody_gave(ckplus):
    (frame,) = read_ckplus(ckplus).clips[1].frames
    assert (frame.occurrence[PLACE[1]], frame.intensity[PLACE[1]]) == (1, None)
    assert (frame.occurrence[PLACE[27]], frame.intensity[PLACE[27]]) == (1, 5)
    assert (frame.occurrence[PLACE[26]], frame.intensity[PLACE[26]]) == (0, 0)


def test_aus_outside_the_catalogue_and_sequences_without_codes_are_counted(ckplus):
    source = read_ckplus(ckplus)
    notes = "\n".join(source.notes)
    assert "ignored (number of sequences in brackets): AU 11 (1), AU 38 (2)." in notes
    assert "Sequences with pictures but no codes, not used: 1 (S010/002). Expected a file such as FACS" in notes
    assert "Codes without an intensity (empty in the intensity column): 3 of 10." in notes
    assert source.unlabelled == 3


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ({"L12": 2}, {12: (Side.LEFT, 2)}),
        ({"R14": 0}, {14: (Side.RIGHT, None)}),
        ({"l12": 2, "R12": 3}, {12: (Side.BOTH, 3)}),
        ({"L17": 2}, {17: ("", 2)}),  # AU 17 has no sides.
    ],
)
def test_a_letter_before_a_code_is_its_side(make_ckplus, codes, expected):
    (frame,) = read_ckplus(make_ckplus({"S005/001": codes, "S010/001": {12: 1}})).clips[0].frames
    for au_id, (side, intensity) in expected.items():
        place = PLACE[au_id]
        assert (frame.occurrence[place], frame.side[place], frame.intensity[place]) == (1, side, intensity)
    assert sum(frame.occurrence) == len(expected)


@pytest.mark.parametrize(
    "layout",
    [
        {"images": "extended-cohn-kanade-images/cohn-kanade-images", "facs": "FACS_labels/FACS"},
        {"images": "Cohn-Kanade-Images", "facs": "facs"},
        {"suffix": ".PNG"},
    ],
    ids=["as unpacked", "case", "suffix"],
)
def test_every_layout_of_the_release_is_read(make_ckplus, layout):
    source = read_ckplus(make_ckplus({"S005/001": {12: 1}, "S010/001": {1: 1}}, **layout))
    assert [clip.frames[0].picture.is_file() for clip in source.clips] == [True, True]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("9.0 4.0\n12,3\n", "line 2: expected an AU and an intensity from 0 to 5, such as '9.0 4.0', found '12,3'"),
        ("9.5 4.0\n", "line 1: expected an AU"),
        ("9.0 6.0\n", "line 1: expected an AU"),
        ("9.0 nan\n", "line 1: expected an AU"),
        ("9e999 1\n", "line 1: expected an AU"),
        ("9.0 4.0\n9.0 2.0\n", "line 2: AU 9 is coded twice; remove a line"),
        ("L9.0 4.0\n9.0 2.0\n", "line 2: AU 9 is coded twice; remove a line"),
        ("", "is empty; copy it again"),
    ],
)
def test_codes_that_cannot_be_read_leave_out_their_frame_with_file_and_line(ckplus, tmp_path, text, message):
    codes_file(ckplus).write_text(text, encoding="utf-8")
    source = read_ckplus(ckplus)
    assert any(message in note and str(codes_file(ckplus)) in note for note in source.notes)
    report = prepare(source, tmp_path / "out", size=SIZE)
    (row,) = rows_of(tmp_path / "out" / "skipped.csv")
    assert (row["subject"], row["clip"], row["frame"], row["reason"]) == ("S005", "001", "3", "codes unreadable")
    assert {row[f"AU{au_id}"] for au_id in PLACE} == {""}
    assert [entry["subject"] for entry in rows_of(tmp_path / "out" / "manifest.csv")] == ["S010", "S999"]
    assert message in report


def test_a_coded_frame_before_the_last_is_taken_and_said(make_ckplus):
    folder = make_ckplus({"S005/001": {12: 1}, "S010/001": {1: 1}})
    codes_file(folder).rename(codes_file(folder, number=2))
    source = read_ckplus(folder)
    assert source.clips[0].frames[0].number == 2
    assert any("is not the last picture: 1 (S005/001)." in note for note in source.notes)


def test_codes_of_another_sequence_or_of_two_frames_are_refused(ckplus):
    path = codes_file(ckplus)
    wrong = path.with_name("S010_001_00000003_facs.txt")
    wrong.write_bytes(path.read_bytes())
    with pytest.raises(ManifestError, match="has the codes of S010/001 in the folder of S005/001; copy both again"):
        read_ckplus(ckplus)
    wrong.rename(path.with_name("S005_001_00000002_facs.txt"))
    with pytest.raises(ManifestError, match="contains 2 files of codes .*expected one, for the last frame; remove"):
        read_ckplus(ckplus)


def test_an_empty_source_says_what_belongs_there(ckplus, tmp_path):
    with pytest.raises(InputError, match=re.escape("expected files such as FACS/S005/001/S005_001_00000011_facs.txt")):
        read_ckplus(tmp_path / "ckplus" / "FACS")
    (ckplus / "cohn-kanade-images").rename(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=r"contains no CK\+ pictures; expected files such as cohn-kanade-images/S005"):
        read_ckplus(ckplus)
    with pytest.raises(InputError, match=r"subjects.csv|can't be read|contains no CK"):
        read_ckplus(tmp_path / "nowhere")


def test_first_frames_are_neutral_on_request_alone_and_marked_as_not_coded(ckplus, tmp_path):
    (ckplus / "cohn-kanade-images/S999/003/S999_003_00000001.png").unlink()
    source = read_ckplus(ckplus, with_neutral=True)
    report = prepare(source, tmp_path / "out", size=SIZE)
    rows = rows_of(tmp_path / "out" / "manifest.csv")
    assert [(row["subject"], row["frame"], row["coded"]) for row in rows] == [
        ("S005", "1", "0"),
        ("S005", "3", "1"),
        ("S010", "1", "0"),
        ("S010", "3", "1"),
        ("S999", "3", "1"),
    ]
    assert all(rows[0][f"AU{au_id}"] == rows[0][f"AU{au_id}_intensity"] == "0" for au_id in PLACE)
    assert "| labelled frames that are neutral by design and not coded | 2 |" in report
    assert "neutral by design of the data set. These frames were not coded" in report
    assert "Sequences without a picture of frame 1, the neutral frame: 1 (S999/003)." in report
    assert "| coded frames | 3 (-590) |" in report


def test_grey_pictures_become_a_manifest_that_training_reads(make_ckplus, tmp_path):
    sequences = {"S005/001": {"L12": 2, 4: 0}, "S010/001": {12: 5}, "S011/001": {1: 1}}
    report = prepare(read_ckplus(make_ckplus(sequences)), tmp_path / "out", size=SIZE)
    manifest = read_manifest(tmp_path / "out" / "manifest.csv")
    assert manifest.au_ids == AU_SETS["ckplus"]
    first = manifest.frames[0]
    smile = first.states[PLACE[12]]
    assert (smile.active, smile.side, smile.intensity) == (True, Side.LEFT, 2)
    assert first.states[PLACE[4]].intensity is None
    assert report.startswith("# CK+: 3 aligned faces of 3 subjects\n")
    assert "| subjects | 3 (-120) |" in report
    assert "| AU12 | 2 (-109) |" in report
    assert "No verified number is known for AU10, AU14" in report
    assert "coded" not in rows_of(tmp_path / "out" / "manifest.csv")[0]


def test_dealt_folds_share_no_subject_and_are_written_so_that_they_can_be_given_back(make_ckplus, tmp_path):
    names = [f"S{number:03}" for number in range(5, 17)]
    folder = make_ckplus({f"{name}/{clip:03}": {12: 1} for name in names for clip in range(1, 2 + (name < "S009"))})
    source = read_ckplus(folder)
    folds = {clip.subject_id: clip.fold for clip in source.clips}
    assert sorted(folds) == names
    assert sorted(sum(clip.fold == fold for clip in source.clips) for fold in (1, 2, 3)) == [5, 5, 6]
    prepare(source, tmp_path / "out", size=SIZE)
    again = read_ckplus(folder, tmp_path / "out" / "folds.toml")
    assert {clip.subject_id: clip.fold for clip in again.clips} == folds
    assert read_ckplus(folder).protocol.folds == source.protocol.folds


def test_own_folds_that_share_a_subject_are_refused(ckplus, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        '[[ckplus.folds]]\nsubjects = ["S005", "S010"]\n[[ckplus.folds]]\nsubjects = ["S010", "S999"]\n',
        encoding="utf-8",
    )
    with pytest.raises(ConfigError, match="has subject 'S010' in the folds 1 and 2; folds must be subject-exclusive"):
        read_ckplus(ckplus, path)


def test_the_command_makes_the_same_again(ckplus, tmp_path, capsys):
    words = ["ckplus", str(ckplus), str(tmp_path / "out"), "--size", str(SIZE), "--with-neutral"]
    assert command(words, result_action="return_value") == 0
    made = contents(tmp_path / "out")
    assert command(words, result_action="return_value") == 0
    assert contents(tmp_path / "out") == made
    assert capsys.readouterr().out.startswith("# CK+: 6 aligned faces of 3 subjects\n")
