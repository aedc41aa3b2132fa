import re

import pytest

from vlfau.errors import InputError, ManifestError
from vlfau.facs import AU_SETS
from vlfau.prepare import read_bp4d

PLACE = {au_id: place for place, au_id in enumerate(AU_SETS["bp4d"])}


def test_codes_become_present_absent_and_unknown(bp4d):
    source = read_bp4d(bp4d)
    assert [(clip.subject_id, clip.task, clip.fold, clip.gender) for clip in source.clips] == [
        ("F001", "T1", 3, "F"),
        ("F001", "T8", 3, "F"),
        ("F007", "T1", 1, "F"),
        ("F007", "T8", 1, "F"),
        ("M011", "T1", 2, "M"),
        ("M011", "T8", 2, "M"),
    ]
    first = source.clips[0].frames[0]
    assert (first.number, first.picture.name) == (2440, "2440.jpg")
    assert (first.occurrence[PLACE[12]], first.occurrence[PLACE[1]], first.occurrence[PLACE[2]]) == (1, None, 0)
    assert first.intensity == ()


@pytest.mark.parametrize(
    "layout",
    [
        {"name": "{frame:04d}.jpg"},
        {"root": "."},
        {"root": "2d+3d", "codes": "aucoding/au_occ", "lower": True, "name": "{frame}.JPG"},
        {"codes": "AU_OCC"},
    ],
    ids=["padded", "without 2D+3D", "lower case", "codes at the top"],
)
def test_every_layout_of_the_release_is_read(make_bp4d, layout):
    source = read_bp4d(make_bp4d({("F001", "T1"): {732: {12: 1}, 1733: {}}}, **layout))
    (clip,) = source.clips
    assert (clip.subject_id, clip.task) == ("F001", "T1")
    assert [int(frame.picture.stem) for frame in clip.frames] == [732, 1733]


def test_frames_without_pictures_and_pictures_without_codes_are_kept_apart(bp4d, jpeg):
    (bp4d / "2D+3D/F001/T1/2441.jpg").unlink()
    (bp4d / "2D+3D/F001/T1/9999.jpg").write_bytes(jpeg)
    (bp4d / "2D+3D/F001/T2").mkdir()
    (bp4d / "2D+3D/F001/T2/1.jpg").write_bytes(jpeg)
    source = read_bp4d(bp4d)
    assert [frame.picture is None for frame in source.clips[0].frames] == [False, True, False]
    assert (source.clips[0].unlabelled, source.unlabelled) == (1, 1)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2440,1", "F001_T1.csv, line 2: expected a frame number and the codes 0, 1 or 9 (unknown), found '2440,1'"),
        ("x" + ",0" * 27, "F001_T1.csv, line 2: expected a frame number"),
        ("2440" + ",3" * 27, "F001_T1.csv, line 2: expected a frame number"),
        ("2441" + ",0" * 27, "F001_T1.csv, line 3: frame 2441 has two lines; remove one"),
    ],
)
def test_a_wrong_line_is_named(bp4d, line, message):
    table = bp4d / "AUCoding/AU_OCC/F001_T1.csv"
    lines = table.read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join([lines[0], line, *lines[2:]]), encoding="utf-8")
    with pytest.raises(ManifestError, match=re.escape(message)):
        read_bp4d(bp4d)


def test_a_table_without_an_au_is_refused(bp4d):
    (bp4d / "AUCoding/AU_OCC/F001_T1.csv").write_text("0,1,2\n2440,0,0\n", encoding="utf-8")
    with pytest.raises(ManifestError, match=r"F001_T1.csv has no column for AU 4, 6, 7, .*copy the file again"):
        read_bp4d(bp4d)


def test_a_frame_that_two_files_claim_is_refused(bp4d, jpeg):
    (bp4d / "2D+3D/F001/T1/02440.jpg").write_bytes(jpeg)
    with pytest.raises(ManifestError, match=r"2440.jpg and 02440.jpg are both frame 2440; remove one"):
        read_bp4d(bp4d)


def test_a_subject_outside_the_folds_is_refused(make_bp4d):
    with pytest.raises(ManifestError, match="subject 'F099' belongs to no fold"):
        read_bp4d(make_bp4d({("F099", "T1"): {1: {}}}))


def test_an_empty_source_says_what_belongs_there(tmp_path):
    with pytest.raises(InputError, match=r"contains no BP4D codes; expected files such as AUCoding/AU_OCC/F001_T1.csv"):
        read_bp4d(tmp_path)
    with pytest.raises(InputError, match="can't be read .No such file or directory.; check the path"):
        read_bp4d(tmp_path / "nowhere")


def test_codes_without_pictures_say_where_pictures_belong(bp4d, tmp_path):
    (bp4d / "2D+3D").rename(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=r"contains no BP4D pictures; expected folders such as 2D\+3D/F001/T1"):
        read_bp4d(bp4d)


def test_a_subject_without_a_task_that_others_have_is_refused_unless_told(bp4d):
    (bp4d / "AUCoding/AU_OCC/M011_T8.csv").unlink()
    with pytest.raises(
        InputError,
        match=r"AU_OCC lacks tables of tasks that other subjects have: 1 .M011_T8.csv.; .*copy .*--partial",
    ):
        read_bp4d(bp4d)
    source = read_bp4d(bp4d, partial=True)
    assert "Missing tables of codes of tasks that other subjects have: 1 (M011_T8.csv)." in source.notes
    assert source.unlabelled == 3


def test_tasks_that_nobody_has_and_tasks_without_pictures_are_said(bp4d, tmp_path):
    (bp4d / "2D+3D/F001/T8").rename(tmp_path / "elsewhere")
    tasks, pictures = read_bp4d(bp4d).notes
    assert tasks.startswith("No subject has codes for T2, T3, T4, T5, T6, T7 in ")
    assert pictures == "Tasks with codes but no folder of pictures, skipped: 1 (F001/T8)."
