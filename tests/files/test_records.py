import pytest

from vlfau.files.records import parse_json


def test_what_is_no_json_or_nested_too_deep_is_a_value_error():
    assert parse_json('{"a": [1, null]}') == {"a": [1, None]}
    assert parse_json(b"[1.5]") == [1.5]
    for text in ("{", "[" * 100_000, "9" * 5000):
        with pytest.raises(ValueError, match=r"."):
            parse_json(text)
