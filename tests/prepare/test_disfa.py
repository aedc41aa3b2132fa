import re

import numpy as np
import pytest

from vlfau.errors import InputError, ManifestError, VideoError
from vlfau.prepare import read_disfa
from vlfau.prepare.align import frames_of


@pytest.fixture
def disfa(make_disfa):
    return make_disfa({"SN002": [{12: 1}, {12: 2}, {1: 5, 25: 3}], "SN003": [{}, {}, {}]})


def test_occurrence_starts_at_intensity_2_and_the_intensity_is_kept(disfa):
    clip = read_disfa(disfa).clips[0]
    assert (clip.subject_id, clip.fold, clip.gender) == ("SN002", 3, "")
    assert [frame.number for frame in clip.frames] == [1, 2, 3]
    assert [frame.occurrence for frame in clip.frames] == [
        (0, 0, 0, 0, 0, 0, 0, 0),
        (0, 0, 0, 0, 0, 1, 0, 0),
        (1, 0, 0, 0, 0, 0, 1, 0),
    ]
    assert clip.frames[0].intensity == (0, 0, 0, 0, 0, 1, 0, 0)
    assert clip.frames[2].intensity == (5, 0, 0, 0, 0, 0, 3, 0)


@pytest.mark.parametrize("fourcc", ["MJPG", "XVID"])
def test_frame_1_is_the_first_of_the_video(make_disfa, fourcc):
    clip = read_disfa(make_disfa({"SN002": [{}] * 12}, fourcc=fourcc)).clips[0]
    wanted = [clip.frames[0], clip.frames[4], clip.frames[11]]
    seen = [(frame.number, pixels[5:15, 5:15].mean()) for frame, pixels in frames_of(clip, wanted)]
    assert [number for number, _ in seen] == [1, 5, 12]
    np.testing.assert_allclose([grey for _, grey in seen], [20, 100, 240], atol=6)


def test_the_case_of_names_does_not_matter(make_disfa):
    folder = make_disfa({"SN002": [{}]}, video="leftVideo{subject}_comp.AVI", label="{subject}_AU{au_id}.txt")
    (folder / "ActionUnit_Labels").rename(folder / "actionunit_labels")
    (clip,) = read_disfa(folder).clips
    assert clip.video.name == "leftVideoSN002_comp.AVI"


def test_genders_come_from_a_table_alone(disfa):
    (disfa / "subjects.csv").write_text("subject_id,gender\nsn002,f\nSN003,\n", encoding="utf-8")
    assert [clip.gender for clip in read_disfa(disfa).clips] == ["F", ""]
    (disfa / "subjects.csv").write_text("subject_id,gender\nSN002,x\n", encoding="utf-8")
    with pytest.raises(ManifestError, match=r"subjects.csv, line 2: expected the gender F, M or empty, found 'X'"):
        read_disfa(disfa)
    (disfa / "subjects.csv").write_text("name\nSN002\n", encoding="utf-8")
    with pytest.raises(ManifestError, match=r"subjects.csv must have the columns subject_id and gender"):
        read_disfa(disfa)


def test_frames_after_the_labels_are_counted(make_disfa):
    assert read_disfa(make_disfa({"SN002": [{}, {}]}, extra=3)).clips[0].unlabelled == 3


def test_a_video_without_labels_is_counted_and_labels_without_a_video_are_kept(disfa):
    videos, labels = disfa / "Videos_LeftCamera", disfa / "ActionUnit_Labels"
    (videos / "LeftVideoSN003_comp.avi").rename(videos / "LeftVideoSN001_comp.avi")
    source = read_disfa(disfa)
    assert source.unlabelled == 3
    assert source.clips[1].video is None
    assert source.notes == ("Subjects with labels but no video, skipped: 1 (SN003).",)
    assert sorted(path.name for path in labels.iterdir()) == ["SN002", "SN003"]


def test_a_video_shorter_than_its_labels_is_refused(make_disfa):
    folder = make_disfa({"SN002": [{}] * 5}, short=2)
    with pytest.raises(
        InputError, match=r"SN002_comp.avi has 3 frames, but the labels in .*SN002 go to frame 5; copy the video again"
    ):
        read_disfa(folder)


def test_a_video_that_breaks_off_says_where(make_disfa, monkeypatch):
    monkeypatch.setattr("vlfau.prepare.disfa.count_frames", lambda video: 0)  # Some headers state no length.
    clip = read_disfa(make_disfa({"SN002": [{}] * 5}, short=2)).clips[0]
    with pytest.raises(InputError, match="ends after frame 3, but the labels of SN002 go to 5; copy the video again"):
        list(frames_of(clip, clip.frames))


def test_a_file_that_is_no_video_is_refused(disfa):
    (disfa / "Videos_LeftCamera/LeftVideoSN002_comp.avi").write_bytes(b"text")
    with pytest.raises(VideoError, match=r"LeftVideoSN002_comp.avi is not a video that can be read .*; copy it again"):
        read_disfa(disfa)


@pytest.mark.parametrize("text", ["1,0\n2,6\n3,0\n", "1,0\n1,0\n3,0\n", "0,0\n2,6\n", "1,0\n2;0\n"])
def test_a_wrong_line_is_named(disfa, text):
    path = disfa / "ActionUnit_Labels/SN002/SN002_au1.txt"
    path.write_text(text, encoding="utf-8")
    line = 1 if text.startswith("0") else 2
    with pytest.raises(ManifestError, match=re.escape(f"SN002_au1.txt, line {line}: expected a new frame number")):
        read_disfa(disfa)


def test_labels_of_different_length_name_both_files(disfa):
    (disfa / "ActionUnit_Labels/SN002/SN002_au2.txt").write_text("1,0\n2,0\n", encoding="utf-8")
    with pytest.raises(ManifestError, match=r"SN002_au2.txt labels 2 frames, but .*SN002_au1.txt labels 3"):
        read_disfa(disfa)


def test_missing_labels_are_named(disfa):
    (disfa / "ActionUnit_Labels/SN002/SN002_au26.txt").unlink()
    with pytest.raises(ManifestError, match=r"SN002 lacks SN002_au26.txt; copy the labels of SN002 again"):
        read_disfa(disfa)


def test_an_empty_source_says_what_belongs_there(tmp_path):
    with pytest.raises(InputError, match=r"contains no DISFA videos; expected files such as Videos_LeftCamera/Left"):
        read_disfa(tmp_path)
