import json
import sys

import pandas
import pytest

from tests.tables.made_up import a_model, a_run
from vlfau.errors import InputError, MissingExtraError
from vlfau.files.names import printable
from vlfau.tables.columns import LAYOUTS
from vlfau.tables.read import read_results
from vlfau.tables.write import open_sink

RUN = a_run()


def written(path, results=RUN, **options):
    with open_sink(path, model=a_model(), **options) as sink:
        for result in results:
            sink.write(result)
    return path


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("results", [RUN, []], ids=["a run", "nothing"])
def test_all_kinds_read_alike(tmp_path, layout, results):
    frames = [
        read_results(written(tmp_path / f"a.{kind}", results, format=layout))
        for kind in ("csv", "jsonl", "parquet", "arrows", "xlsx")
    ]
    for frame in frames[1:]:
        pandas.testing.assert_frame_equal(frame, frames[0])
        assert frame.attrs == frames[0].attrs
    assert frames[0].attrs["layout"] == layout
    assert frames[0].attrs["model"]["name"] == "tiny"


def test_cells_have_their_types_and_only_empty_ones_are_missing(tmp_path):
    frame = read_results(written(tmp_path / "a.csv"))
    assert frame["AU12_state"].dtype == "boolean"
    assert frame["frame"].dtype == frame["face"].dtype == "Int64"
    assert frame["AU12_prob"].dtype == "float64"
    assert set(frame["file"]) == {printable(result.file) for result in RUN if result.faces or result.frame is not None}
    empty = frame[(frame["file"] == "a.mp4") & (frame["frame"] == 3)].iloc[0]
    assert empty["time_s"] == 0.1
    assert pandas.isna(empty[["face", "AU12_prob", "AU12_state", "AU12_text"]]).all()


def test_a_csv_file_without_its_side_file_is_read_with_less_in_its_header(tmp_path):
    path = written(tmp_path / "a.csv")
    (tmp_path / "a.columns.json").unlink()
    attrs = read_results(path).attrs
    assert attrs["layout"] == "native"
    assert attrs["columns"][0]["name"] == "file"
    assert "model" not in attrs


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.csv", b"subject,score\n1,2\n", "its columns are subject, score"),
        ("a.csv", b"", "it is empty"),
        ("a.csv", b"\xff\xfe\x00", "decode"),
        ("a.jsonl", b'{"file": "a.jpg"}\n', "its columns are file"),
        ("a.jsonl", b"", "it is empty"),
        ("a.jsonl", b'{"kind": "header", "format": 2}\n', "its header has format 2, this vlfau reads 1"),
        ("a.parquet", b"PAR1", "Parquet"),
        ("a.xlsx", b"PK", "it is not an Excel workbook"),
        ("a.arrows", b"ARROW1", "Expected"),
        ("a.ods", b"", "its name does not end in .csv, .jsonl, .parquet, .arrows or .xlsx"),
    ],
)
def test_a_file_of_others_is_refused_with_what_was_expected(tmp_path, name, content, problem):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=r"is not a table that vlfau wrote .* expected a \.csv") as caught:
        read_results(tmp_path / name)
    assert problem in str(caught.value)


def test_a_parquet_file_of_others_is_refused(tmp_path):
    pandas.DataFrame({"a": [1]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match="it has no header"):
        read_results(tmp_path / "a.parquet")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.csv cannot be read \(No such file"):
        read_results(tmp_path / "none.csv")


def test_reading_without_the_extra_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"the extra 'tables', which .* pip install '.*\[tables\]'"):
        read_results(tmp_path / "a.csv")


def test_json_lines_with_their_header_inside_are_read(tmp_path):
    path = written(tmp_path / "a.jsonl")
    expected, side = read_results(path), tmp_path / "a.jsonl.columns.json"
    header = json.dumps(json.loads(side.read_text("utf-8")))
    path.write_text(f"{header}\n{path.read_text('utf-8')}", "utf-8")
    side.unlink()
    frame = read_results(path)
    pandas.testing.assert_frame_equal(frame, expected)
    assert frame.attrs == expected.attrs


def test_a_folder_of_a_run_is_read_by_its_table(tmp_path):
    expected = read_results(written(tmp_path / "results.csv"))
    pandas.testing.assert_frame_equal(read_results(tmp_path), expected)
    assert read_results(tmp_path).attrs["model"]["name"] == "tiny"


def test_a_folder_of_an_archive_is_read_with_all_its_shards(tmp_path):
    for number, results in enumerate((RUN[:8], RUN[8:])):
        written(tmp_path / "results" / f"{number:02d}" / "a.parquet", results)
    frame = read_results(tmp_path)
    expected = read_results(written(tmp_path / "whole.parquet"))
    pandas.testing.assert_frame_equal(frame, expected)
    assert frame.attrs["layout"] == "native"


def test_a_folder_without_results_is_named(tmp_path):
    with pytest.raises(InputError, match="holds no results of vlfau; name the folder that was given to --out"):
        read_results(tmp_path)
