import numpy as np
import pytest

from tests.evaluation.tables_of_tools import (
    OPENFACE_SEQUENCE,
    write,
    write_libreface,
    write_openface_picture,
    write_pyfeat,
    write_vlfau,
)
from vlfau.errors import InputError
from vlfau.evaluation.tool_tables import read_tool_table


def test_our_own_table_gives_probabilities_states_and_intensities(tmp_path):
    table = read_tool_table(write_vlfau(tmp_path / "ours.csv", [("a.png", 90, {12: (0.7, 1, 2.5)})]))
    assert (table.format.title, table.au_ids, table.names) == ("vlfau", (12,), ("a.png",))
    assert {kind: values.tolist() for kind, values in table.values.items()} == {
        "probability": [[0.7]],
        "state": [[1]],
        "intensity": [[2.5]],
    }
    assert table.sizes.tolist() == [8100]


def test_a_file_name_that_was_kept_from_spreadsheets_is_the_files_again(tmp_path):
    table = read_tool_table(write_vlfau(tmp_path / "ours.csv", [("'=a.png", 90, {12: (0.7, 1, 2.5)})]))
    assert table.names == ("=a.png",)


@pytest.mark.parametrize("comma", [",", ", "])
def test_a_folder_of_openface_has_a_file_per_picture_with_and_without_spaces(tmp_path, comma):
    write_openface_picture(tmp_path / "of" / "a.csv", [(0.9, {12: (1.5, 1)}), (0.95, {12: (0.0, 0)})], comma=comma)
    write_openface_picture(tmp_path / "of" / "b.csv", [], comma=comma)
    (tmp_path / "of" / "a_of_details.txt").write_text("Input:a.png")
    table = read_tool_table(tmp_path / "of")
    assert (table.format.title, table.names) == ("OpenFace 2", ("a", "a"))
    assert table.values["intensity"].tolist() == [[1.5], [0]]
    assert table.values["state"].tolist() == [[1], [0]]
    assert table.sizes.tolist() == [0.9, 0.95]


def test_zeros_of_a_frame_without_success_are_no_answers(tmp_path):
    head = f"{OPENFACE_SEQUENCE},AU12_r,AU12_c,file"
    path = write(
        tmp_path / "of.csv", head, [[1, 0, 0, 0.98, 1, 0, 0, 2.0, 1, "a.png"], [2, 0, 0, 0, 0, 0, 0, 0, 0, "b.png"]]
    )
    table = read_tool_table(path)
    assert table.found.tolist() == [True, False]
    np.testing.assert_array_equal(table.values["state"], [[1], [np.nan]])


def test_pyfeat_gives_probabilities_and_empty_rows_for_pictures_without_a_face(tmp_path):
    table = read_tool_table(write_pyfeat(tmp_path / "pf.csv", [("a.png", 50, {12: 0.25}), ("b.png", 0, None)]))
    assert (table.format.title, table.au_ids, tuple(table.values)) == ("Py-Feat", (11, 12), ("probability",))
    assert table.found.tolist() == [True, False]
    assert table.values["probability"][0].tolist() == [0, 0.25]


def test_libreface_has_states_of_some_aus_and_intensities_of_others(tmp_path):
    write_libreface(tmp_path / "lf" / "a.csv", {7: 1, 12: 0}, {12: 0.4, 25: 3.2})
    table = read_tool_table(tmp_path / "lf")
    assert (table.format.title, table.au_ids) == ("LibreFace", (7, 12, 25))
    np.testing.assert_array_equal(table.values["state"], [[1, 0, np.nan]])
    np.testing.assert_array_equal(table.values["intensity"], [[np.nan, 0.4, 3.2]])


@pytest.mark.parametrize(
    ("head", "row", "said"),
    [
        (
            "file,smile",
            "a.png,1",
            "has the columns file, smile, which belong to no tool that is known; known are vlfau",
        ),
        ("image,subject,AU12", "a.png,S1,1", "has the columns of a manifest"),
        ("AU12_r,AU12_c", "1,1", "give the folder in which FaceLandmarkImg wrote"),
        ("file,AU12_prob", "a.png,1.5", "line 2, column 'AU12_prob': expected a probability from 0 to 1"),
        ("file,AU12_c", "a.png,2", "column 'AU12_c': expected a state, 1 or 0"),
        ("file,AU12_r", "a.png,much", "column 'AU12_r': expected a number"),
        ("file,AU12_r", "a.png,inf", "column 'AU12_r': expected a number"),
        ("file,AU12_r", "a.png", "expected 2 cells as in the header, found 1"),
        ("input,AU1,AU01", "a.png,0,1", "two columns hold the probability of AU 1"),
        ("file,AU12_prob", "", "has no row about a face"),
        ("", "", r"has the columns \(none\)"),
    ],
)
def test_a_wrong_file_is_refused_with_what_was_found(tmp_path, head, row, said):
    with pytest.raises(InputError, match=said):
        read_tool_table(write(tmp_path / "table.csv", head, [[row]] if row else []))


def test_what_is_no_table_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_tool_table(tmp_path / "none.csv")
    with pytest.raises(InputError, match="holds no CSV file"):
        read_tool_table(tmp_path)
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\xff\xfe\x00")
    with pytest.raises(InputError, match="not a UTF-8 CSV file"):
        read_tool_table(tmp_path / "picture.csv")


def test_a_folder_holds_the_files_of_one_tool(tmp_path):
    write_openface_picture(tmp_path / "a.csv", [(0.9, {12: (1.5, 1)})])
    write_libreface(tmp_path / "b.csv", {12: 0}, {12: 0.4})
    with pytest.raises(InputError, match=r"b\.csv has other columns than .*a\.csv"):
        read_tool_table(tmp_path)
