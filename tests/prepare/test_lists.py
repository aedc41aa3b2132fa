import re

import pytest

from vlfau.data.manifest import read_manifest
from vlfau.errors import InputError, ManifestError
from vlfau.prepare import prepare, read_lists

ZEROS = " ".join("0" * 12)
PATHS = {1: ["F007/T1/1.jpg", "F007/T1/2.jpg"], 2: ["M011/T3/5.jpg"], 3: ["F001/T1/2440.jpg"]}


@pytest.fixture
def make_lists(tmp_path, jpeg):
    """Return a function that writes lists and pictures, and gives both folders."""

    def make(
        paths, *, labels=None, folder="list", path="BP4D_test_img_path_fold{}.txt", label="BP4D_test_label_fold{}.txt"
    ):
        folder, images = tmp_path / folder, tmp_path / "images"
        folder.mkdir()
        for fold, lines in paths.items():
            codes = (labels or {}).get(fold, [ZEROS] * len(lines))
            (folder / path.format(fold)).write_text("\n".join(lines) + "\n", encoding="utf-8")
            (folder / label.format(fold)).write_text("\n".join(codes) + "\n", encoding="utf-8")
            for line in lines:
                picture = images / line.strip("/")
                picture.parent.mkdir(parents=True, exist_ok=True)
                picture.write_bytes(jpeg)
        return folder, images

    return make


def test_the_fold_is_the_one_whose_test_list_names_the_frame(make_lists):
    source = read_lists(*make_lists(PATHS, labels={2: ["1 0 9 0 0 0 0 0 0 0 0 1"]}))
    found = [(clip.subject_id, clip.task, clip.fold, clip.gender) for clip in source.clips]
    assert found == [("F007", "T1", 1, "F"), ("M011", "T3", 2, "M"), ("F001", "T1", 3, "F")]
    assert [frame.number for frame in source.clips[0].frames] == [1, 2]
    assert source.clips[1].frames[0].occurrence == (1, 0, None, 0, 0, 0, 0, 0, 0, 0, 0, 1)
    assert source.clips[1].frames[0].picture.name == "5.jpg"


def test_disfa_frames_from_0_get_the_numbers_of_the_labels(make_lists):
    zeros = " ".join("0" * 8)
    source = read_lists(
        *make_lists(
            {1: ["SN003/0.png"], 2: ["SN013/4.png"], 3: ["SN002/0.png"]},
            labels={1: [zeros], 2: [zeros], 3: [zeros]},
            path="DISFA_test_img_path_fold{}.txt",
            label="DISFA_test_label_fold{}.txt",
        )
    )
    assert [(clip.subject_id, clip.task, clip.frames[0].number) for clip in source.clips] == [
        ("SN003", "left", 1),
        ("SN013", "left", 5),
        ("SN002", "left", 1),
    ]
    assert source.clips[1].frames[0].picture.name == "4.png"


def test_lists_of_disfa_code_from_b_on_so_an_absent_au_may_show_a_trace(make_lists, tmp_path):
    zeros = " ".join("0" * 8)
    lists = make_lists(
        {1: ["SN003/0.png"], 2: ["SN013/0.png"], 3: ["SN002/0.png"]},
        labels={1: [zeros], 2: ["1" + zeros[1:]], 3: [zeros]},
        path="DISFA_test_img_path_fold{}.txt",
        label="DISFA_test_label_fold{}.txt",
    )
    prepare(read_lists(*lists), tmp_path / "out", size=64)
    states = [state for frame in read_manifest(tmp_path / "out" / "manifest.csv").frames for state in frame.states]
    assert sum(state.active for state in states) == 1
    assert all(state.trace != state.active for state in states)


def test_part_3_of_jaa_net_is_what_fold_1_tests(make_lists):
    paths = {4 - fold: [f"BP4D/{line}" for line in lines] for fold, lines in PATHS.items()}
    source = read_lists(*make_lists(paths, path="BP4D_part{}_path.txt", label="BP4D_part{}_AUoccur.txt"))
    assert [(clip.subject_id, clip.fold) for clip in source.clips] == [("F007", 1), ("M011", 2), ("F001", 3)]
    assert all(frame.picture is not None for _, frame in source.frames())


def test_padded_pictures_are_found_and_missing_ones_kept_apart(make_lists):
    folder, images = make_lists(PATHS)
    (images / "F007/T1/1.jpg").rename(images / "F007/T1/0001.jpg")
    (images / "M011/T3/5.jpg").unlink()
    clips = read_lists(folder, images).clips
    assert clips[0].frames[0].picture.name == "0001.jpg"
    assert clips[1].frames[0].picture is None


def test_a_path_that_no_file_can_have_is_one_of_a_missing_picture(make_lists):
    folder, images = make_lists(PATHS)
    listed = folder / "BP4D_test_img_path_fold1.txt"
    listed.write_text(listed.read_text("utf-8").replace("T1", "T" * 300, 1), "utf-8")
    assert any(frame.picture is None for clip in read_lists(folder, images).clips for frame in clip.frames)


def test_a_list_and_labels_of_different_length_are_both_named(make_lists):
    folder, images = make_lists(PATHS, labels={1: [ZEROS]})
    with pytest.raises(ManifestError, match=r"img_path_fold1.txt has 2 lines, but .*label_fold1.txt has 1; each line"):
        read_lists(folder, images)


def test_two_folds_that_share_a_subject_are_both_named(make_lists):
    folder, images = make_lists({**PATHS, 2: ["F007/T2/1.jpg"]})
    with pytest.raises(ManifestError, match=r"path_fold1.txt and .*path_fold2.txt both list subject 'F007'; folds"):
        read_lists(folder, images)


def test_a_frame_that_is_listed_twice_is_refused(make_lists):
    folder, images = make_lists({**PATHS, 2: ["M011/T3/5.jpg", "M011/T3/5.jpg"]})
    with pytest.raises(ManifestError, match=r"fold2.txt, line 2: 'M011/T3/5.jpg' is listed twice; remove one"):
        read_lists(folder, images)


@pytest.mark.parametrize("line", ["/F001/T1/1.jpg", "../F001/T1/1.jpg", "T1/1.jpg", "F001/T1/x.jpg"])
def test_a_path_that_is_none_of_the_data_set_is_refused(make_lists, line):
    folder, images = make_lists({**PATHS, 3: [line]})
    with pytest.raises(ManifestError, match=rf"fold3.txt, line 1: expected a relative path .*{re.escape(line)}"):
        read_lists(folder, images)


@pytest.mark.parametrize("codes", ["0 0 0", ZEROS.replace("0", "2")])
def test_codes_of_another_kind_are_refused(make_lists, codes):
    folder, images = make_lists(PATHS, labels={3: [codes]})
    with pytest.raises(ManifestError, match=r"label_fold3.txt, line 1: expected 12 codes of 0, 1 or 9"):
        read_lists(folder, images)


def test_a_missing_fold_and_missing_lists_are_named(make_lists, tmp_path):
    folder, images = make_lists({1: PATHS[1], 3: PATHS[3]})
    with pytest.raises(InputError, match=r"must contain one test list for each of the folds 1, 2 and 3 .*fold1.txt, "):
        read_lists(folder, images)
    with pytest.raises(InputError, match="nowhere can't be read .No such file or directory.; check the path"):
        read_lists(make_lists(PATHS, folder="other")[0], tmp_path / "nowhere")
    with pytest.raises(InputError, match="contains no list files; expected BP4D_test_img_path_fold1.txt"):
        read_lists(images, images)
    (folder / "BP4D_test_img_path_fold2.txt").write_text("M011/T3/5.jpg\n", encoding="utf-8")
    with pytest.raises(ManifestError, match=r"BP4D_test_label_fold2.txt can't be read .*copy it again"):
        read_lists(folder, images)
