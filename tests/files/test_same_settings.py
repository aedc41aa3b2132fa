from pathlib import Path

import pytest

from vlfau.errors import ConfigError, InputError
from vlfau.files.same_settings import check_same_settings

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
