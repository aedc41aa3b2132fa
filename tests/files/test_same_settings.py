from pathlib import Path

import pytest

from vlfau.errors import ConfigError, InputError
from vlfau.files.same_settings import SettingsRecord, check_same_settings, start_or_resume_folder

WORDS = {"what": "runs/a", "ways_out": "restore them, or choose another folder"}


def test_every_setting_that_differs_is_named_with_both_values():
    earlier = {"data": {"fold": 1, "aus": [1, 12]}, "run": {"seed": 1}, "size": "large"}
    now = {"data": {"fold": 2, "aus": (1, 2)}, "run": {"seed": 1}, "size": "large", "file": Path("a.csv")}
    with pytest.raises(InputError) as caught:
        check_same_settings(earlier, now, **WORDS)
    assert str(caught.value) == (
        "runs/a was started with data.fold 1 (now 2), data.aus [1, 12] (now [1, 2]), file not given (now a.csv); "
        "restore them, or choose another folder"
    )


def test_equal_settings_pass_as_json_holds_them():
    now = {"betas": (0.9, 0.999), "manifest": Path("a.csv"), "rate": 5, "options": {}, "clip": None}
    earlier = {"betas": [0.9, 0.999], "manifest": "a.csv", "rate": 5.0}
    check_same_settings(earlier, now, **WORDS)


def test_what_may_differ_is_left_out_alone_or_as_a_section():
    free = ("run.workers", "names")
    earlier = {"run": {"workers": 1, "seed": 1}, "names": {"a": 1, "b": 2}}
    check_same_settings(earlier, {"run": {"workers": 8, "seed": 1}, "names": {"a": 3}}, may_differ=free, **WORDS)
    with pytest.raises(InputError, match=r"started with run\.seed 1 \(now 2\); restore"):
        check_same_settings(earlier, {"run": {"workers": 8, "seed": 2}}, may_differ=free, **WORDS)


def test_a_setting_newer_than_the_run_counts_as_its_default_there():
    defaults = {"run": {"choice": "last", "seed": 9}}
    check_same_settings({"run": {"seed": 1}}, {"run": {"seed": 1, "choice": "last"}}, defaults=defaults, **WORDS)
    with pytest.raises(ConfigError, match=r"run\.choice last \(now best\)"):
        check_same_settings(
            {"run": {"seed": 1}},
            {"run": {"seed": 1, "choice": "best"}},
            defaults=defaults,
            error=ConfigError,
            **WORDS,
        )


def test_a_setting_that_this_version_does_not_know_differs():
    with pytest.raises(InputError, match=r"run\.newer 3 \(now not given\)"):
        check_same_settings({"run": {"newer": 3}}, {"run": {}}, **WORDS)


def test_long_values_that_differ_in_their_middle_differ_still():
    long = list(range(300))
    with pytest.raises(InputError, match=r"list \[0, 1, .* \.\.\. .*299\] \(now"):
        check_same_settings({"list": long}, {"list": [*long[:150], 0, *long[151:]]}, **WORDS)


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


def test_a_folder_that_holds_only_empty_folders_is_started(tmp_path):
    (tmp_path / "frames" / "S0001").mkdir(parents=True)
    start_or_resume_folder(tmp_path, {"size": 64})
    assert (tmp_path / "settings.json").read_text("utf-8") == '{\n  "size": 64\n}\n'


def test_a_record_reads_what_it_wrote_and_raises_its_own_class_of_error(tmp_path):
    record = SettingsRecord(tmp_path / "config.json", what="runs/a", ways_out="restore it", error=ConfigError)
    with pytest.raises(FileNotFoundError):
        record.read()
    record.write({"run": {"seed": 1, "output": Path("runs/a")}})
    assert record.read() == {"run": {"seed": 1, "output": "runs/a"}}
    record.check({"run": {"seed": 1, "output": Path("runs/a")}})
    with pytest.raises(ConfigError, match=r"^runs/a was started with run\.seed 1 \(now 2\); restore it$"):
        record.check({"run": {"seed": 2, "output": "runs/a"}})
    record.path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"^cannot tell which settings runs/a .*config\.json is damaged"):
        record.read()
