import pytest

from vlfau.errors import InputError
from vlfau.files.same_settings import start_or_resume_folder


def test_the_same_settings_go_on_and_others_are_told(tmp_path):
    folder = tmp_path / "new" / "folder"
    start_or_resume_folder(folder, {"size": 64, "parts": (1, 2), "models": {"a": 1}})
    start_or_resume_folder(folder, {"size": 64, "parts": (1, 2), "models": {"a": 1}})
    with pytest.raises(InputError, match=r"started with size 64 \(now 32\), models\.a 1 \(now not given\); restore"):
        start_or_resume_folder(folder, {"size": 32, "parts": (1, 2), "models": {}})


def test_a_folder_with_other_things_is_refused_and_stays_as_it_is(tmp_path):
    (tmp_path / "letter.txt").write_text("Dear")
    with pytest.raises(InputError, match="already contains other files"):
        start_or_resume_folder(tmp_path, {"size": 64})
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_beginning_that_was_killed_is_gone_on_with(tmp_path):
    (tmp_path / "_state").mkdir()
    (tmp_path / "_state" / "lock").touch()
    (tmp_path / "_state" / ".vlfau-0123.tmp").write_text("{")
    start_or_resume_folder(tmp_path, {"size": 64}, tmp_path / "_state" / "settings.json")
    assert (tmp_path / "_state" / "settings.json").exists()


@pytest.mark.parametrize("content", ["{", "[1]", "[" * 100_000])
def test_a_damaged_file_of_settings_is_named(tmp_path, content):
    (tmp_path / "settings.json").write_text(content)
    with pytest.raises(InputError, match=r"which settings .*: .*settings\.json is damaged \(.*\); restore"):
        start_or_resume_folder(tmp_path, {"size": 64})


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot use .*file as a folder for results"):
        start_or_resume_folder(tmp_path / "file", {"size": 64})
