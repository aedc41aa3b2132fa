import re

import pytest

from tests.prepare.conftest import rows_of
from vlfau.cli.prepare import prepare as command
from vlfau.data.manifest import read_manifest
from vlfau.errors import InputError, ManifestError
from vlfau.facs import AU_SETS
from vlfau.prepare import prepare, read_disfaplus, read_protocol

PLACE = {au_id: place for place, au_id in enumerate(AU_SETS["disfaplus"])}
SIZE = 64
POSED = "A1_AU1_TrailNo_1"
DESCRIBED = "Y_HappyDescribed_TrailNo_1"


@pytest.fixture
def disfaplus(make_disfaplus):
    """Three people, one of every fold, with one or two trials."""
    return make_disfaplus(
        {
            ("SN001", POSED): [{}, {1: 1}, {1: 2, 25: 5}],
            ("SN001", DESCRIBED): [{12: 3, 6: 2}],
            ("SN003", POSED): [{1: 4}],
            ("SN013", POSED): [{26: 2}],
        }
    )


def labels(folder, au_id, subject="SN001", trial=POSED):
    return folder / "Labels" / subject / trial / f"AU{au_id}.txt"


def test_occurrence_starts_at_intensity_2_and_the_intensity_is_kept(disfaplus):
    source = read_disfaplus(disfaplus)
    assert [(clip.subject_id, clip.task, clip.fold) for clip in source.clips] == [
        ("SN001", POSED, 3),
        ("SN001", DESCRIBED, 3),
        ("SN003", POSED, 1),
        ("SN013", POSED, 2),
    ]
    frames = source.clips[0].frames
    assert [(frame.number, frame.picture.name) for frame in frames] == [(0, "000.jpg"), (1, "001.jpg"), (2, "002.jpg")]
    assert [frame.occurrence[PLACE[1]] for frame in frames] == [0, 0, 1]
    assert [frame.intensity[PLACE[1]] for frame in frames] == [0, 1, 2]
    assert frames[2].intensity[PLACE[25]] == 5


def test_each_person_is_tested_by_the_fold_that_tests_them_in_disfa():
    disfa = read_protocol("disfa")
    people = {
        subject: number for number, fold in enumerate(read_protocol("disfaplus").folds, 1) for subject in fold.subjects
    }
    assert len(people) == 9
    assert people == {subject: disfa.fold_of(subject) for subject in people}


@pytest.mark.parametrize(
    "layout",
    [
        {
            "images": "Images/{subject}/{subject}/{trial}/{number:03}.jpg",
            "labels": "Labels/{subject}/{subject}/{trial}/AU{au_id}.txt",
        },
        {"images": "images/{subject}/{trial}/{number:03}.PNG", "labels": "labels/{subject}/{trial}/au{au_id}.TXT"},
        {"labels": "Labels/{subject}/{trial}/AU{au_id:02}.txt", "heading": ""},
        {"line": "{number:03}    {intensity}.0\n", "heading": "~ AU{au_id}\n\n"},
    ],
    ids=["as unpacked", "case", "padded, no heading", "without suffix"],
)
def test_every_layout_of_the_release_is_read(make_disfaplus, layout):
    source = read_disfaplus(make_disfaplus({("SN001", POSED): [{}, {1: 3}], ("SN003", POSED): [{2: 2}]}, **layout))
    assert [clip.subject_id for clip in source.clips] == ["SN001", "SN003"]
    assert [frame.occurrence[PLACE[1]] for frame in source.clips[0].frames] == [0, 1]
    assert all(frame.picture is not None for _, frame in source.frames())


def test_an_au_whose_file_is_missing_is_unknown_in_the_trial_and_named(disfaplus, tmp_path):
    labels(disfaplus, 12).unlink()
    path = labels(disfaplus, 25)
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8")
    source = read_disfaplus(disfaplus)
    assert [frame.occurrence[PLACE[12]] for frame in source.clips[0].frames] == [None] * 3
    assert [frame.occurrence[PLACE[25]] for frame in source.clips[0].frames] == [0, 0, None]
    report = prepare(source, tmp_path / "out", size=SIZE)
    assert f"whose AUs are unknown in these trials: 1 (SN001/{POSED}/AU12.txt)." in report
    assert f"Files that label fewer frames than others of the same trial: 1 (SN001/{POSED}/AU25.txt)." in report
    row = rows_of(tmp_path / "out" / "manifest.csv")[0]
    assert (row["AU12"], row["AU12_intensity"], row["AU1"]) == ("", "", "0")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("000.jpg 0\n001.jpg 6\n", "AU1.txt, line 2: expected the name of a new picture and an intensity from 0 to 5"),
        ("000.jpg 0\n000.jpg 1\n", "AU1.txt, line 2: expected the name of a new picture"),
        ("# heading\n000.jpg\n", "AU1.txt, line 2: expected the name of a new picture"),
        ("000.jpg 0\n# later\n", "AU1.txt, line 2: expected the name of a new picture"),
        ("# heading\n", "AU1.txt labels no frame; expected lines such as '000.jpg 2'; copy it again"),
    ],
)
def test_a_wrong_file_is_named(disfaplus, text, message):
    labels(disfaplus, 1).write_text(text, encoding="utf-8")
    with pytest.raises(ManifestError, match=re.escape(message)):
        read_disfaplus(disfaplus)


def test_a_trial_without_any_labels_is_refused(disfaplus):
    for au_id in PLACE:
        labels(disfaplus, au_id, trial=DESCRIBED).unlink()
    with pytest.raises(ManifestError, match=f"{DESCRIBED} contains no labels; expected files such as AU1.txt; copy"):
        read_disfaplus(disfaplus)


def test_trials_without_pictures_or_without_labels_are_counted(disfaplus):
    (disfaplus / "Images/SN003" / POSED).rename(disfaplus / "Images/SN003/B9_AU9_TrailNo_2")
    source = read_disfaplus(disfaplus)
    assert source.unlabelled == 1
    assert source.clips[2].frames[0].picture is None
    assert f"Trials with labels but no folder of pictures, skipped: 1 (SN003/{POSED})." in source.notes


def test_an_empty_source_says_what_belongs_there(disfaplus, tmp_path):
    with pytest.raises(InputError, match=r"contains no DISFA\+ labels; expected files such as Labels/SN001/A1_AU1_Tra"):
        read_disfaplus(tmp_path)
    (disfaplus / "Images").rename(tmp_path / "elsewhere")
    with pytest.raises(
        InputError, match=r"contains no DISFA\+ pictures; expected files such as Images/SN001/A1_AU1_Tr"
    ):
        read_disfaplus(disfaplus)


def test_a_subject_outside_the_folds_is_refused_and_taken_with_own_folds(make_disfaplus, tmp_path):
    folder = make_disfaplus({("SN099", POSED): [{}], ("SN001", POSED): [{}]})
    with pytest.raises(ManifestError, match="subject 'SN099' belongs to no fold of .*folds.toml; leave"):
        read_disfaplus(folder)
    path = tmp_path / "mine.toml"
    path.write_text(
        '[[disfaplus.folds]]\nsubjects = ["SN001"]\n[[disfaplus.folds]]\nsubjects = ["SN099"]\n', encoding="utf-8"
    )
    assert [clip.fold for clip in read_disfaplus(folder, path).clips] == [1, 2]


def test_the_command_leaves_a_manifest_that_training_reads(disfaplus, tmp_path, capsys):
    out = tmp_path / "out"
    assert command(["disfaplus", str(disfaplus), str(out), "--size", str(SIZE)], result_action="return_value") == 0
    manifest = read_manifest(out / "manifest.csv")
    assert manifest.au_ids == AU_SETS["disfaplus"]
    assert (len(manifest.frames), {frame.fold for frame in manifest.frames}) == (6, {1, 2, 3})
    assert manifest.frames[2].states[PLACE[1]].intensity == 2
    printed = capsys.readouterr().out
    assert printed.startswith("# DISFA+: 6 aligned faces of 3 subjects\n")
    assert "The nine subjects of DISFA+ are also in DISFA" in printed
    assert "| subjects | 3 (-6) |" in printed
