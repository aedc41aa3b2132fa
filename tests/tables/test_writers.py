import csv
import json
import os
import subprocess
import sys

import openpyxl
import pandas
import pytest
from pyarrow import ipc, parquet

from tests.tables.made_up import STRANGE_NAMES, a_face, a_model, a_run
from vlfau.errors import InputError, MissingExtraError, OutputError
from vlfau.files.names import printable
from vlfau.files.records import unescape_formula
from vlfau.inference.results import PictureResult
from vlfau.tables.table import columns_json
from vlfau.tables.write import open_sink

COPIED = ["csv", "jsonl", "parquet"]
"""A finished table of these kinds is copied when it is continued; the others are converted."""
KINDS = [*COPIED, "arrows", "xlsx"]
IN_PARTS = {"parquet", "arrows"}
RUN = a_run()


def write(path, results=RUN, **options):
    with open_sink(path, model=a_model(), **options) as sink:
        for result in results:
            sink.write(result)
    return path


def rows_of(path):
    if path.suffix == ".parquet":
        return parquet.read_table(path).to_pylist()
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    if path.suffix == ".arrows":
        with ipc.open_stream(path.read_bytes()) as stream:
            return stream.read_all().to_pylist()
    if path.suffix == ".xlsx":
        names, *rows = openpyxl.load_workbook(path)["results"].iter_rows(values_only=True)
        return [dict(zip(names, row, strict=True)) for row in rows]
    with path.open(encoding="utf-8", newline="") as stream:
        return [{name: unescape_formula(cell) for name, cell in row.items()} for row in csv.DictReader(stream)]


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_row_a_face_and_survives_any_file_name(tmp_path, kind):
    rows = rows_of(write(tmp_path / f"a.{kind}"))
    assert len(rows) == sum(max(len(result.faces), result.frame is not None) for result in RUN)
    pictures = [name for index, name in enumerate(STRANGE_NAMES, start=1) for _ in range(index % 3)]
    assert [row["file"] for row in rows][: len(pictures)] == [printable(name) for name in pictures]


def test_csv_has_a_side_file_that_explains_every_column(tmp_path):
    rows = rows_of(write(tmp_path / "a.csv"))
    assert names_in(tmp_path) == ["a.columns.json", "a.csv"]
    header = json.loads((tmp_path / "a.columns.json").read_text("utf-8"))
    assert [column["name"] for column in header["columns"]] == list(rows[0])
    assert header["columns"][14] == {
        "name": "AU12_prob",
        "meaning": "probability that AU 12 (Lip Corner Puller) occurs",
        "unit": "0 to 1",
        "type": "number",
    }
    assert header["model"] == {
        **{"name": "tiny", "version": "1.0", "synthetic": True},
        **{"au_ids": [12, 1], "thresholds": [0.25, 0.5]},
    }


def test_json_lines_hold_only_rows_and_have_their_header_beside_them(tmp_path):
    path = write(tmp_path / "a.jsonl")
    assert names_in(tmp_path) == ["a.jsonl", "a.jsonl.columns.json"]
    header = json.loads((tmp_path / "a.jsonl.columns.json").read_text("utf-8"))
    row = json.loads(path.read_text("utf-8").splitlines()[0])
    assert (header["kind"], header["layout"]) == ("header", "native")
    assert list(row) == [column["name"] for column in header["columns"]]
    assert (row["AU12_state"], row["AU1_text"]) == (False, None)


def test_pandas_reads_json_lines_without_help(tmp_path):
    frame = pandas.read_json(write(tmp_path / "a.jsonl"), lines=True)
    assert list(frame.columns)[:4] == ["file", "frame", "time_s", "since_first_s"]
    assert len(frame) == len(rows_of(tmp_path / "a.jsonl"))
    assert frame["AU12_prob"].max() == 0.81


def write_as_before(path, results):
    """A table of JSON Lines with its header in the first line."""
    write(path, results)
    side = path.with_name(f"{path.name}.columns.json")
    header = json.dumps(json.loads(side.read_text("utf-8")), ensure_ascii=False)
    path.write_text(f"{header}\n{path.read_text('utf-8')}", "utf-8")
    side.unlink()


def test_json_lines_with_their_header_inside_are_continued(tmp_path):
    path = tmp_path / "a.jsonl"
    write_as_before(path, RUN[:-3])
    write(path, RUN, resume=True)
    header, *rows = path.read_text("utf-8").splitlines()
    assert json.loads(header)["kind"] == "header"
    assert rows == write(tmp_path / "whole.jsonl").read_text("utf-8").splitlines()
    write_as_before(path, RUN[:3])
    assert write(path).read_text("utf-8").splitlines() == rows  # a new run replaces it


def test_a_table_is_not_continued_without_its_header(tmp_path):
    path = write(tmp_path / "a.jsonl", RUN[:-3])
    (tmp_path / "a.jsonl.columns.json").unlink()
    with pytest.raises(InputError, match="it has no header"):
        write(path, RUN, resume=True)


def test_a_workbook_explains_its_columns_and_holds_no_formula(tmp_path):
    book = openpyxl.load_workbook(write(tmp_path / "a.xlsx", RUN[:8]))
    assert book.sheetnames == ["results", "columns"]
    cell = book["results"]["A2"]
    assert (cell.value, cell.data_type) == ("=1+1.jpg", "s")
    explained = {row[0]: row[2] for row in book["columns"].iter_rows(values_only=True)}
    assert explained["yaw"] == "degrees"


def test_more_rows_than_excel_holds_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("vlfau.tables.excel_writer.MAX_ROWS", 10)
    with pytest.raises(OutputError, match=r"more than 10 rows, which Excel cannot hold; use a \.csv or \.parquet"):
        write(tmp_path / "a.xlsx")


@pytest.mark.parametrize("kind", KINDS)
def test_the_folder_of_a_table_is_made(tmp_path, kind):
    assert write(tmp_path / "new" / "dir" / f"a.{kind}").is_file()


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_of_nothing_is_known_again(tmp_path, kind):
    path = write(tmp_path / f"a.{kind}", [])
    assert len(rows_of(write(path, RUN, resume=True))) == len(rows_of(write(tmp_path / f"b.{kind}")))
    write(path, [])
    write(path, RUN)


def test_parquet_holds_meaning_and_unit_at_every_column(tmp_path):
    schema = parquet.read_schema(write(tmp_path / "a.parquet"))
    assert schema.field("yaw").metadata[b"unit"] == b"degrees"
    assert schema.field("AU12_state").type == "bool"
    assert json.loads(schema.metadata[b"vlfau"])["model"]["synthetic"] is True


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_appears_when_it_is_finished_and_the_old_one_stays_until_then(tmp_path, kind):
    path = write(tmp_path / f"a.{kind}", RUN[:5])
    old = path.read_bytes()
    with open_sink(path, model=a_model(), flush_rows=1) as sink:
        sink.write(RUN[-1])
        assert path.read_bytes() == old
    assert len(rows_of(path)) == max(1, len(RUN[-1].faces))
    assert not [name for name in names_in(tmp_path) if name.startswith(".") or name.endswith(".partial")]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_run_cut_at_any_byte_goes_on_to_the_same_file(tmp_path, kind):
    run = [result for result in a_run(frames=2) if result.file != "caf\udce9.jpg"]
    whole = write(tmp_path / f"whole.{kind}", run).read_bytes()
    path = tmp_path / f"cut.{kind}"
    partial = tmp_path / f"cut.{kind}.partial"
    for size in range(0, len(whole), len(whole) // 150):
        sink = open_sink(path, model=a_model())
        sink.start()
        sink.suspend()
        partial.write_bytes(whole[:size])
        write(path, run, resume=True)
        assert path.read_bytes() == whole, size
        path.unlink()


@pytest.mark.parametrize("kind", KINDS)
def test_a_suspended_run_tells_what_is_done_and_goes_on(tmp_path, kind):
    whole = rows_of(write(tmp_path / f"whole.{kind}"))
    path = tmp_path / f"a.{kind}"
    with pytest.raises(KeyboardInterrupt), open_sink(path, model=a_model()) as sink:  # noqa: PT012
        for result in RUN[:-2]:
            sink.write(result)
        raise KeyboardInterrupt
    assert not path.exists()
    with open_sink(path, model=a_model(), resume=True) as sink:
        assert sink.done["a.mp4"] == 11
        assert sink.done["=1+1.jpg"] is None
        assert sink.done["b, 2.mp4"] == (9 if kind in IN_PARTS else 8)
        assert sink.is_done("a.mp4", 3)
        assert sink.is_done("caf\udce9.jpg")
        assert not sink.is_done("b, 2.mp4", 10)
        assert not sink.is_done("other.mp4", 0)
        for result in RUN:
            sink.write(result)
    assert rows_of(path) == whole


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("other", "differs"),
    [
        ({"model": a_model(version="2.0")}, r"model\.version .* \(now 2\.0\); restore"),
        ({"model": a_model(), "format": "openface"}, r"layout native \(now openface\); restore"),
    ],
)
def test_a_run_of_another_model_or_format_is_not_resumed(tmp_path, kind, other, differs):
    path = tmp_path / f"a.{kind}"
    sink = open_sink(path, model=a_model())
    sink.write(RUN[0])
    sink.suspend()
    with pytest.raises(InputError, match=rf"a\.{kind} was started with {differs}"):
        open_sink(path, resume=True, **other)
    assert write(path, resume=True).exists()


@pytest.mark.parametrize("kind", KINDS)
def test_two_runs_do_not_write_one_file(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    with open_sink(path, model=a_model()), pytest.raises(InputError, match=rf"process {os.getpid()}\) is writing"):
        open_sink(path, model=a_model())
    write(path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_is_one_error_and_the_run_can_go_on(tmp_path, kind):
    run = a_run(frames=60)
    whole = rows_of(write(tmp_path / f"whole.{kind}", run))
    path = tmp_path / f"a.{kind}"
    sink = open_sink(path, model=a_model(), flush_rows=4)
    resource = pytest.importorskip("resource", reason="this system limits no files")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8000, limits[1]))
    try:
        with pytest.raises(InputError, match=rf"cannot write .*a\.{kind} \(.*then resume"), sink:  # noqa: PT012
            for result in run:
                sink.write(result)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    write(path, run, resume=True)
    assert rows_of(path) == whole


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_is_killed_again_and_again_ends_like_an_undisturbed_one(tmp_path, kind):
    from tests.tables.writing import FRAMES

    whole = write(tmp_path / f"whole.{kind}", a_run(FRAMES))
    path = tmp_path / f"a.{kind}"
    for results_until_kill in (1, 23, 58, 10_000):
        command = [sys.executable, "-m", "tests.tables.writing", str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            for _, _ in zip(process.stdout, range(results_until_kill), strict=False):
                pass
            process.kill() if results_until_kill < 10_000 else process.wait(60)
        assert path.exists() == (results_until_kill == 10_000)
    assert rows_of(path) == rows_of(whole)
    if kind in {"csv", "jsonl"}:
        assert path.read_bytes() == whole.read_bytes()
    assert not list(tmp_path.glob(".*"))


def test_a_part_that_lost_its_content_is_written_anew(tmp_path):
    whole = rows_of(write(tmp_path / "whole.parquet"))
    path = tmp_path / "a.parquet"
    sink = open_sink(path, model=a_model(), flush_rows=4)
    for result in RUN:
        sink.write(result)
    sink.suspend()
    (tmp_path / ".a.parquet.parts" / "000002.parquet").write_bytes(b"")
    write(path, resume=True)
    assert rows_of(path) == whole


@pytest.mark.parametrize("kind", KINDS)
def test_memory_holds_few_rows_at_once(tmp_path, kind):
    with open_sink(tmp_path / f"a.{kind}", model=a_model(), flush_rows=2, flush_s=1e9) as sink:
        beside = tmp_path / (f".a.{kind}.parts" if kind in IN_PARTS else f"a.{kind}.partial")
        sizes = []
        for _ in range(3):
            sink.write(PictureResult("a.jpg", (a_face(), a_face())))
            sizes.append(sum(path.stat().st_size for path in ([beside] if beside.is_file() else beside.iterdir())))
    assert sizes[0] < sizes[1] < sizes[2]


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot make the folder .*file \(.*\); choose another path"):
        open_sink(tmp_path / "file" / "a.csv", model=a_model())
    with pytest.raises(InputError, match=r"the name .*a\.ods; use a name that ends in \.csv, \.jsonl, \.parquet, "):
        open_sink(tmp_path / "a.ods", model=a_model())


@pytest.mark.parametrize("kind", KINDS)
def test_an_abandoned_run_leaves_everything_as_it_was(tmp_path, kind):
    path = write(tmp_path / f"a.{kind}", RUN[:5])
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    sink = open_sink(path, model=a_model(version="2.0"), flush_rows=1)
    sink.write(RUN[-1])
    sink.abandon()
    sink.abandon()
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    write(path)


def test_a_closed_sink_takes_nothing(tmp_path):
    sink = open_sink(tmp_path / "a.csv", model=a_model())
    sink.close()
    with pytest.raises(ValueError, match="closed"):
        sink.write(RUN[0])


def test_parquet_without_its_extra_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "vlfau.tables.parquet_writer", raising=False)
    with pytest.raises(MissingExtraError, match=r"pip install '.*\[tables\]'"):
        open_sink(tmp_path / "a.parquet", model=a_model())
    write(tmp_path / "a.csv")


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_is_resumed_although_its_columns_were_explained_in_other_words(tmp_path, kind, monkeypatch):
    path = tmp_path / f"a.{kind}"
    with monkeypatch.context() as earlier:
        earlier.setattr(
            "vlfau.tables.table.columns_json",
            lambda columns: [{**column, "meaning": "as it was put before"} for column in columns_json(columns)],
        )
        write(path, RUN[:2])
    write(path, RUN, resume=True)
    assert rows_of(path) == rows_of(write(tmp_path / f"b.{kind}"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", KINDS)
def test_a_pipe_in_the_place_of_a_table_is_refused_without_waiting_for_it(tmp_path, kind):
    os.mkfifo(tmp_path / f"a.{kind}")
    with pytest.raises(OutputError, match="vlfau did not write it"):
        write(tmp_path / f"a.{kind}")
    write(tmp_path / f"a.{kind}", overwrite=True)
    assert (tmp_path / f"a.{kind}").is_file()
