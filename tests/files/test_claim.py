import pytest

from vlfau.errors import InputError
from vlfau.files.same_settings import claim_folder


def test_the_same_settings_go_on_and_others_are_told(tmp_path):
    folder = tmp_path / "new" / "folder"
    claim_folder(folder, {"size": 64, "parts": (1, 2), "models": {"a": 1}})
    claim_folder(folder, {"size": 64, "parts": (1, 2), "models": {"a": 1}})
    with pytest.raises(InputError, match=r"begun with size 64 \(now 32\), models\.a 1 \(now not given\); give"):
        claim_folder(folder, {"size": 32, "parts": (1, 2), "models": {}})


def test_a_folder_with_other_things_is_refused_and_stays_as_it_is(tmp_path):
    (tmp_path / "letter.txt").write_text("Dear")
    with pytest.raises(InputError, match="holds other things already"):
        claim_folder(tmp_path, {"size": 64})
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_beginning_that_was_killed_is_gone_on_with(tmp_path):
    (tmp_path / "_state").mkdir()
    (tmp_path / "_state" / "lock").touch()
    (tmp_path / "_state" / ".vlfau-0123.tmp").write_text("{")
    claim_folder(tmp_path, {"size": 64}, tmp_path / "_state" / "settings.json")
    assert (tmp_path / "_state" / "settings.json").exists()


@pytest.mark.parametrize("content", ["{", "[1]", "[" * 100_000])
def test_a_damaged_file_of_settings_is_named(tmp_path, content):
    (tmp_path / "settings.json").write_text(content)
    with pytest.raises(InputError, match="settings.json is"):
        claim_folder(tmp_path, {"size": 64})


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be used"):
        claim_folder(tmp_path / "file", {"size": 64})
