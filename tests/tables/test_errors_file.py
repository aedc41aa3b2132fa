import csv

import pytest

from vlfau.errors import ImageError, InputError, NoFaceError
from vlfau.tables.errors_file import ErrorsFile


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def test_errors_are_there_as_they_come(tmp_path):
    with ErrorsFile(tmp_path / "errors.csv") as errors:
        assert not errors.path.exists()
        errors.add("a,b.jpg", NoFaceError('no "face"'))
        assert rows_of(errors.path) == [["file", "kind", "message"], ["a,b.jpg", "NoFaceError", 'no "face"']]
        errors.add("caf\udce9.jpg", ImageError("caf\udce9.jpg is damaged"))
        assert len(errors) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["errors.csv"]


def test_an_earlier_runs_errors_are_kept_once_and_a_torn_line_is_dropped(tmp_path):
    path = tmp_path / "errors.csv"
    with ErrorsFile(path) as errors:
        errors.add("a.jpg", NoFaceError("none"))
        errors.add("b\n.jpg", NoFaceError("none"))
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with ErrorsFile(path, resume=True) as errors:
            errors.add("a.jpg", NoFaceError("none"))
            errors.add("b\n.jpg", NoFaceError("none"))
            assert errors.files == {"a.jpg", "b\ufffd{0A}.jpg"}
        assert path.read_bytes() == whole


def test_a_new_run_forgets_the_errors_of_the_last(tmp_path):
    path = tmp_path / "errors.csv"
    with ErrorsFile(path) as errors:
        errors.add("a.jpg", NoFaceError("none"))
    with ErrorsFile(path) as errors:
        assert len(errors) == 0
    assert not path.exists()


@pytest.mark.parametrize("content", ["mine", "file,kind", "file,mine"])
def test_what_is_no_beginning_of_a_list_is_not_taken_for_a_torn_one(tmp_path, content):
    path = tmp_path / "errors.csv"
    for resume in (False, True):
        path.write_text(content)
        if content == "file,kind":
            ErrorsFile(path, resume=resume).close()
            assert not path.exists()
        else:
            with pytest.raises(InputError, match="is not a list of errors"):
                ErrorsFile(path, resume=resume)
            assert path.read_text() == content


def test_a_table_of_others_and_a_second_run_are_refused(tmp_path):
    path = tmp_path / "errors.csv"
    path.write_text("subject,score\n")
    with pytest.raises(
        InputError, match=r"errors\.csv exists and is not a list of errors with the columns file, kind, message"
    ):
        ErrorsFile(path, resume=True)
    assert path.read_text() == "subject,score\n"
    with ErrorsFile(tmp_path / "b.csv"), pytest.raises(InputError, match="another run"):
        ErrorsFile(tmp_path / "b.csv")
    with pytest.raises(InputError, match="cannot write"):
        ErrorsFile(tmp_path / "none" / "errors.csv")
