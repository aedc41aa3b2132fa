import shutil
from dataclasses import replace
from pathlib import Path

import pandas
import pytest

from tests.batch.running import KilledError, content, lines, process_here, rows
from vlfau.batch.folder import open_results_folder
from vlfau.errors import ConfigError, InputError
from vlfau.runs.options import ArchiveOptions
from vlfau.tables.read import read_results
from vlfau.video.stream import stream


def test_every_file_has_a_line_that_says_what_became_of_it(undisturbed, archive):
    progress, out = undisturbed
    files = {Path(line["file"]).name: line for line in lines(out / "files.csv")}
    assert sorted(files) == list(archive.names)
    assert {name: line["status"] for name, line in files.items()} == {
        "cut.mp4": "partial",
        "face.png": "done",
        "grey.png": "done",
        "long.mp4": "done",
        "none.mp4": "failed",
        "short ü.mp4": "done",
        "torn.png": "failed",
    }
    assert [(files[name]["frames"], files[name]["faces"]) for name in ("long.mp4", "face.png", "grey.png")] == [
        ("24", "24"),
        ("1", "1"),
        ("1", "0"),
    ]
    assert (progress.files, progress.processed, progress.failed) == (7, 7, 3)
    assert progress.frames == sum(int(line["frames"]) for line in files.values())
    assert progress.processed_size == progress.size == sum(path.stat().st_size for path in archive.folder.iterdir())


def test_errors_say_why(undisturbed):
    _, out = undisturbed
    found = {Path(line["file"]).name: (line["kind"], line["message"]) for line in lines(out / "errors.csv")}
    assert {name: kind for name, (kind, _) in found.items()} == {
        "cut.mp4": "VideoError",
        "none.mp4": "VideoError",
        "torn.png": "ImageError",
    }
    assert "breaks off" in found["cut.mp4"][1]
    assert "is not a video that can be read" in found["none.mp4"][1]


def test_a_shard_holds_the_rows_of_its_video_with_the_model_beside_them(undisturbed, archive, options):
    _, out = undisturbed
    (line,) = [line for line in lines(out / "files.csv") if line["file"].endswith("long.mp4")]
    found = read_results(out / "results" / line["shard"])
    expected = [result for _, result in stream(options.predictor(), archive.folder / "long.mp4", describe="never")]
    assert found["file"].unique().tolist() == [str(archive.folder / "long.mp4")]
    assert found["frame"].tolist() == [result.frame for result in expected]
    assert found["AU12_prob"].tolist() == [round(result.faces[0].aus[2].prob, 4) for result in expected]
    assert found.attrs["model"]["name"] == "tiny"


def test_all_shards_read_as_one_table(undisturbed):
    _, out = undisturbed
    whole = pandas.read_parquet(out / "results")
    assert len(whole) == len(rows(out)) == sum(int(line["frames"]) for line in lines(out / "files.csv")) - 1
    assert {"AU1_prob", "AU12_state"} < set(whole.columns)


@pytest.mark.parametrize(("units", "files"), [(0, 0), (1, 3), (3, 5)])
def test_a_killed_driver_goes_on_to_the_same_content(undisturbed, archive, options, tmp_path, units, files):
    with pytest.raises(KilledError):
        process_here(archive.folder, tmp_path / "out", options, kill_after=units)
    # What a worker published, and the driver did not live to write down, is done again.
    stray = tmp_path / "out" / "results" / "00" / "stray.parquet"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"")
    progress = process_here(archive.folder, tmp_path / "out", options)
    assert progress.done_before == files
    assert content(tmp_path / "out") == content(undisturbed[1])


def test_a_finished_archive_is_not_touched_again(undisturbed, archive, options, tmp_path):
    shutil.copytree(undisturbed[1], tmp_path / "out")
    progress = process_here(archive.folder, tmp_path / "out", options)
    assert (progress.done_before, progress.processed) == (7, 0)
    assert content(tmp_path / "out") == content(undisturbed[1])


def test_retry_takes_a_file_that_was_mended(archive, options, tmp_path):
    (tmp_path / "films").mkdir()
    bad = tmp_path / "films" / "a.mp4"
    bad.write_text("no video")
    process_here(tmp_path / "films", tmp_path / "out", options)
    shutil.copy(archive.folder / "short ü.mp4", bad)
    assert process_here(tmp_path / "films", tmp_path / "out", options).processed == 0
    assert process_here(tmp_path / "films", tmp_path / "out", options, retry=True).processed == 1
    assert len(rows(tmp_path / "out")) == 6
    assert not (tmp_path / "out" / "errors.csv").exists()


def test_pictures_that_join_an_archive_leave_no_row_twice(archive, options, tmp_path):
    (tmp_path / "list.txt").write_text(f"{archive.folder}/face.png\n")
    process_here(tmp_path / "list.txt", tmp_path / "out", options)
    (tmp_path / "list.txt").write_text(f"{archive.folder}/grey.png\n{archive.folder}/face.png\n")
    process_here(tmp_path / "list.txt", tmp_path / "out", options)
    assert rows(tmp_path / "out")["file"].tolist() == [f"{archive.folder}/face.png"]


def test_other_options_need_another_folder(undisturbed, archive, options):
    other = ArchiveOptions(model=options.model, every="0.5s")
    with pytest.raises(InputError, match=r"was started with every_s not given \(now 0.5\)"):
        process_here(archive.folder, undisturbed[1], other)


def test_without_words_it_does_not_matter_whether_they_are_free(options, tmp_path):
    bundle = options.predictor().bundle
    for name, described in (("numbers", options), ("words", replace(options, describe="active"))):
        free = replace(described, consistent=False)
        with open_results_folder(tmp_path / name, free, bundle):
            pass
    with open_results_folder(tmp_path / "numbers", options, bundle) as (folder, _):
        assert '"consistent": false' in (folder.state / "settings.json").read_text()
    with (
        pytest.raises(InputError, match=r"was started with consistent false \(now true\)"),
        open_results_folder(tmp_path / "words", replace(options, describe="active"), bundle),
    ):
        pass


def test_a_folder_with_other_things_is_left_alone(archive, options, tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "mine.parquet").write_text("mine")
    with pytest.raises(InputError, match="already contains other files"):
        process_here(archive.folder, tmp_path, options)
    assert (tmp_path / "results" / "mine.parquet").read_text() == "mine"


def test_a_second_run_waits_for_the_first(options, archive, tmp_path):
    with (
        open_results_folder(tmp_path / "out", options, options.predictor().bundle),
        pytest.raises(InputError, match="another run"),
    ):
        process_here(archive.folder, tmp_path / "out", options)


def test_a_step_of_no_time_is_refused():
    with pytest.raises(ConfigError, match="every is 0s"):
        ArchiveOptions(every="0s").record()


def test_workers_take_the_runtime_that_the_driver_chose(tiny_bundle, monkeypatch):
    monkeypatch.setattr("vlfau.inference.runtimes.chosen_runtime", lambda bundle, runtime, threads: "openvino")
    options = ArchiveOptions(model=str(tiny_bundle.folder), runtime="auto").for_workers()
    assert options.runtime == options.record()["runtime"] == "openvino"
