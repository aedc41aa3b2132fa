import pytest

from vlfau.errors import InputError
from vlfau.files.atomic import remove_leftovers, replacing


def write(path, *, fails=False):
    with replacing(path) as temporary:
        temporary.write_text("new")
        if fails:
            raise RuntimeError


def test_a_file_is_replaced_when_the_block_ends_well(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_stays_as_it_was_when_the_block_fails(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError):
        write(path, fails=True)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_to_is_named(tmp_path):
    path = tmp_path / "nowhere" / "a.txt"
    with pytest.raises(InputError, match=r"cannot write .*nowhere.*choose another path"):
        write(path)


def test_what_a_killed_process_left_can_be_removed(tmp_path):
    left, other = tmp_path / ".vlfau-0123.tmp", tmp_path / "a.tmp"
    for path in (left, other):
        path.write_text("")
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == [other]
