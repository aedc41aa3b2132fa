import shutil
from dataclasses import replace
from pathlib import Path

import pandas
import pytest

from tests.batch.running import KilledError, content, lines, process_here, rows, shards
from vlfau.batch import pipeline
from vlfau.batch.folder import held
from vlfau.batch.inputs import find_files
from vlfau.batch.settings import Settings
from vlfau.batch.tries import MAX_DEATHS, Tries
from vlfau.batch.units import units_of
from vlfau.batch.worker import Job, StopRunError, Worker
from vlfau.errors import ConfigError, InputError
from vlfau.tables.read import read_results
from vlfau.video.stream import stream


def test_every_file_has_a_line_that_says_what_became_of_it(undisturbed, archive):
    account, out = undisturbed
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
    assert (account.files, account.processed, account.failed) == (7, 7, 3)
    assert account.frames == sum(int(line["frames"]) for line in files.values())
    assert account.processed_size == account.size == sum(path.stat().st_size for path in archive.folder.iterdir())


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


def test_a_shard_holds_the_rows_of_its_video_with_the_model_beside_them(undisturbed, archive, settings):
    _, out = undisturbed
    (line,) = [line for line in lines(out / "files.csv") if line["file"].endswith("long.mp4")]
    found = read_results(out / "results" / line["shard"])
    expected = [result for _, result in stream(settings.predictor(), archive.folder / "long.mp4", describe="never")]
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
def test_a_killed_driver_goes_on_to_the_same_content(undisturbed, archive, settings, tmp_path, units, files):
    with pytest.raises(KilledError):
        process_here(archive.folder, tmp_path / "out", settings, kill_after=units)
    # What a worker published, and the driver did not live to write down, is done again.
    stray = tmp_path / "out" / "results" / "00" / "stray.parquet"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"")
    account = process_here(archive.folder, tmp_path / "out", settings)
    assert account.done_before == files
    assert content(tmp_path / "out") == content(undisturbed[1])


def test_a_finished_archive_is_not_touched_again(undisturbed, archive, settings, tmp_path):
    shutil.copytree(undisturbed[1], tmp_path / "out")
    account = process_here(archive.folder, tmp_path / "out", settings)
    assert (account.done_before, account.processed) == (7, 0)
    assert content(tmp_path / "out") == content(undisturbed[1])


def test_retry_takes_a_file_that_was_mended(archive, settings, tmp_path):
    (tmp_path / "films").mkdir()
    bad = tmp_path / "films" / "a.mp4"
    bad.write_text("no video")
    process_here(tmp_path / "films", tmp_path / "out", settings)
    shutil.copy(archive.folder / "short ü.mp4", bad)
    assert process_here(tmp_path / "films", tmp_path / "out", settings).processed == 0
    assert process_here(tmp_path / "films", tmp_path / "out", settings, retry=True).processed == 1
    assert len(rows(tmp_path / "out")) == 6
    assert not (tmp_path / "out" / "errors.csv").exists()


def test_pictures_that_join_an_archive_leave_no_row_twice(archive, settings, tmp_path):
    (tmp_path / "list.txt").write_text(f"{archive.folder}/face.png\n")
    process_here(tmp_path / "list.txt", tmp_path / "out", settings)
    (tmp_path / "list.txt").write_text(f"{archive.folder}/grey.png\n{archive.folder}/face.png\n")
    process_here(tmp_path / "list.txt", tmp_path / "out", settings)
    assert rows(tmp_path / "out")["file"].tolist() == [f"{archive.folder}/face.png"]


def test_other_settings_need_another_folder(undisturbed, archive, settings):
    other = Settings(model=settings.model, every_s=0.5)
    with pytest.raises(InputError, match=r"was begun with every_s not given \(now 0.5\)"):
        process_here(archive.folder, undisturbed[1], other)


def test_a_folder_with_other_things_is_left_alone(archive, settings, tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "mine.parquet").write_text("mine")
    with pytest.raises(InputError, match="holds other things already"):
        process_here(archive.folder, tmp_path, settings)
    assert (tmp_path / "results" / "mine.parquet").read_text() == "mine"


def test_a_second_run_waits_for_the_first(settings, archive, tmp_path):
    with (
        held(tmp_path / "out", settings, settings.predictor().bundle),
        pytest.raises(InputError, match="another run"),
    ):
        process_here(archive.folder, tmp_path / "out", settings)


def test_a_step_of_no_time_is_refused():
    with pytest.raises(ConfigError, match="every is 0 s"):
        Settings(every_s=0)


@pytest.fixture
def job(settings, tmp_path):
    bundle = settings.predictor().bundle
    with held(tmp_path / "out", settings, bundle) as (folder, token):
        yield Job(folder, token, settings, dict(bundle.files))


@pytest.fixture
def unit(archive):
    (unit,) = units_of(find_files(archive.folder / "short ü.mp4"))
    return unit


def test_a_worker_of_an_earlier_run_publishes_nothing(job, unit):
    worker = Worker(job)
    (job.folder.state / "run").write_text("another")
    with pytest.raises(
        StopRunError, match="does not see this run in .*: choose a folder for results on storage that all"
    ):
        worker.process(unit)
    assert shards(job.folder.path) == []


def test_a_worker_with_another_model_stops_the_run(job, unit):
    answer = pipeline.RowWorker(replace(job, graphs={"vision.onnx": "0"}))({"unit": unit.to_json()})
    with pytest.raises(InputError, match="has another model at .*; install the same vlfau on all machines"):
        pipeline.read(answer["answer"])


def test_what_became_of_a_unit_survives_its_way_to_the_driver(job, unit):
    answer = pipeline.RowWorker(job)({"unit": unit.to_json()})
    assert pipeline.read(answer["answer"]) == Worker(job).process(unit)


def test_a_disk_that_takes_nothing_stops_the_run_and_blames_no_file(job, unit):
    (job.folder.state / "writing").write_text("no folder")
    with pytest.raises(StopRunError, match="make room or mend it"):
        Worker(job).process(unit)


def test_a_file_that_ends_its_worker_again_and_again_is_given_up(job, unit):
    tries = Tries(job.folder.state / "tries" / unit.key)
    name = Worker(job).process(unit)[0].id
    for _ in range(MAX_DEATHS - 1):
        tries.begin(name)
    assert Worker(job).process(unit)[0].status == "done"
    for _ in range(MAX_DEATHS):
        tries.begin(name)
    (outcome,) = Worker(job).process(unit)
    assert (outcome.status, outcome.kind) == ("failed", "WorkerDied")
    assert outcome.message.startswith(f"{unit.files[0].name} ended the process that read it 3 times")


def test_a_file_that_only_the_driver_sees_is_named_with_the_machine(job, unit, tmp_path):
    (file,) = unit.files
    gone = type(unit)((type(file)(file.name, str(tmp_path / "gone.mp4"), 5),))
    (outcome,) = Worker(job).process(gone)
    assert "but the driver sees it; keep the archive on storage that all machines share" in outcome.message


def test_an_error_that_nobody_expected_is_the_files_own(job, unit, monkeypatch):
    def burst(*_, **__):
        raise ZeroDivisionError("odd")

    monkeypatch.setattr("vlfau.batch.worker.stream", burst)
    (outcome,) = Worker(job).process(unit)
    assert (outcome.status, outcome.kind, outcome.message, outcome.shard) == ("failed", "ZeroDivisionError", "odd", "")


def test_workers_take_the_runtime_that_the_driver_chose(tiny_bundle, monkeypatch):
    monkeypatch.setattr("vlfau.batch.settings.chosen_runtime", lambda bundle, runtime: "openvino")
    settings = Settings(model=str(tiny_bundle.folder), runtime="auto").for_workers()
    assert settings.runtime == settings.effect()["runtime"] == "openvino"
