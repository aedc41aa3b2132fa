import sys

import pytest

from vlfau.files.records import RecordFile, parse_json


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be deleted on Windows")
def test_a_file_that_is_deleted_takes_no_further_records(tmp_path):
    file = RecordFile(tmp_path / "a.csv")
    file.append(b"1\n")
    file.flush()
    file.path.unlink()
    file.append(b"2\n")
    with pytest.raises(OSError, match="deleted during the run"):
        file.flush()
    file.close()
    assert not file.path.exists()


def test_what_is_no_json_or_nested_too_deep_is_a_value_error():
    assert parse_json('{"a": [1, null]}') == {"a": [1, None]}
    assert parse_json(b"[1.5]") == [1.5]
    for text in ("{", "[" * 100_000, "9" * 5000):
        with pytest.raises(ValueError, match=r"."):
            parse_json(text)
