import pytest

from tests.evaluation.tables_of_tools import write, write_libreface, write_manifest, write_openface_picture, write_vlfau
from vlfau.data.manifest import read_manifest
from vlfau.errors import InputError, ManifestError
from vlfau.evaluation.tool_predictions import match_rows
from vlfau.evaluation.tool_tables import read_tool_table


def manifest_of(folder, *images):
    path = write_manifest(folder, [(image, "S1", {"AU12": 1}) for image in images])
    return read_manifest(path, pictures=False)


def matched(folder, images, names, sizes=None):
    faces = [(name, size, {12: (0.5, 1, 1)}) for name, size in zip(names, sizes or [50] * len(names), strict=True)]
    table = read_tool_table(write_vlfau(folder / "ours.csv", faces))
    return match_rows(table, manifest_of(folder, *images))


@pytest.mark.parametrize(
    "way", ["{folder}/S1/a.png", "S1/a.png", "/elsewhere/S1/a.png", "C:\\study\\S1\\a.png", "a.jpg", "a"]
)
def test_a_row_names_its_picture_in_many_ways(tmp_path, way):
    found = matched(tmp_path, ["S1/b.png", "S1/a.png"], [way.format(folder=tmp_path)])
    assert found.rows.tolist() == [-1, 0]
    assert found.ignored == 0


def test_the_path_counts_before_the_stem(tmp_path):
    # "other/a.png" is a picture of its own, which the manifest lacks.
    found = matched(tmp_path, ["S1/a.png"], ["other/a.png", "S1/a.png"])
    assert found.rows.tolist() == [1]
    assert found.ignored == 1


def test_a_stem_that_fits_two_frames_is_an_error_that_names_both(tmp_path):
    with pytest.raises(InputError, match=r"row about a\.jpg, which could be .*S1.a\.png or .*S2.a\.png"):
        matched(tmp_path, ["S1/a.png", "S2/a.png"], ["a.jpg"])


def test_two_names_that_fit_one_frame_are_an_error_that_names_both(tmp_path):
    with pytest.raises(InputError, match=r"rows about x/a\.png and y/a\.png, which could both be .*S1.a\.png"):
        matched(tmp_path, ["S1/a.png"], ["x/a.png", "y/a.png"])


def test_a_picture_that_the_manifest_lists_twice_is_an_error(tmp_path):
    with pytest.raises(ManifestError, match="twice"):
        matched(tmp_path, ["a.png", "./a.png"], ["a.png"])


def test_rows_about_other_pictures_alone_are_an_error_that_names_one_of_each(tmp_path):
    with pytest.raises(InputError, match=r"the tool names z\.png, the manifest .*a\.png"):
        matched(tmp_path, ["a.png"], ["z.png"])


def test_the_largest_of_several_faces_counts(tmp_path):
    found = matched(tmp_path, ["a.png", "b.png"], ["a.png", "a.png", "a.png", "b.png"], [40, 60, 50, 40])
    assert found.rows.tolist() == [1, 3]
    assert found.several == 1


def test_openfaces_most_confident_face_counts_and_files_are_named_like_pictures(tmp_path):
    write_openface_picture(tmp_path / "of" / "S1" / "a.csv", [(0.5, {12: (1, 1)}), (0.9, {12: (2, 1)})])
    write_openface_picture(tmp_path / "of" / "S2" / "a.csv", [(0.5, {12: (3, 1)})])
    table = read_tool_table(tmp_path / "of")
    assert match_rows(table, manifest_of(tmp_path, "S2/a.png", "S1/a.png", "S1/c.png")).rows.tolist() == [2, 1, -1]


def test_several_faces_that_nothing_tells_apart_are_an_error(tmp_path):
    path = write(tmp_path / "lf.csv", "file,au_12", [["a.png", 1], ["a.png", 0]])
    with pytest.raises(InputError, match="line 2 and .*line 3 both speak of a.png"):
        match_rows(read_tool_table(path), manifest_of(tmp_path, "a.png"))
    write_libreface(tmp_path / "one" / "a.csv", {12: 1}, {12: 2})
    assert match_rows(read_tool_table(tmp_path / "one"), manifest_of(tmp_path, "a.png")).rows.tolist() == [0]
