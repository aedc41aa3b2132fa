from dataclasses import replace

import pytest
from PIL import Image

from tests.batch.running import shards
from tests.video.clips import numbered
from vlfau.batch import pipeline
from vlfau.batch.folder import open_results_folder
from vlfau.batch.inputs import find_files, units_of
from vlfau.batch.worker import MAX_CRASHES, CrashLog, Job, StopRunError, Worker
from vlfau.errors import InputError


@pytest.fixture
def job(options, tmp_path):
    bundle = options.predictor().bundle
    with open_results_folder(tmp_path / "out", options, bundle) as (folder, token):
        yield Job(folder, token, options, dict(bundle.files))


@pytest.fixture
def unit(archive):
    (unit,) = units_of(find_files(archive.folder / "short ü.mp4"))
    return unit


def test_a_worker_of_an_earlier_run_publishes_nothing(job, unit):
    worker = Worker(job)
    (job.folder.state / "run").write_text("another")
    with pytest.raises(StopRunError, match="does not see this run in .*: choose a results folder on shared storage"):
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
    with pytest.raises(StopRunError, match="free disk space or check the folder"):
        Worker(job).process(unit)


def test_a_file_that_ends_its_worker_again_and_again_is_given_up(job, unit):
    crashes = CrashLog(job.folder.state / "tries" / unit.key)
    name = Worker(job).process(unit)[0].id
    for _ in range(MAX_CRASHES - 1):
        crashes.begin(name)
    assert Worker(job).process(unit)[0].status == "done"
    for _ in range(MAX_CRASHES):
        crashes.begin(name)
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

    monkeypatch.setattr("vlfau.video.stream.analysed", burst)
    (outcome,) = Worker(job).process(unit)
    assert (outcome.status, outcome.kind, outcome.message, outcome.shard) == ("failed", "ZeroDivisionError", "odd", "")


def test_files_that_were_begun_and_not_ended_are_remembered_whatever_else_is_in_the_file(tmp_path):
    path = tmp_path / "tries" / "unit"
    crashes = CrashLog(path)
    for file in ("a", "a", "b"):
        crashes.begin(file)
    crashes.end("b")
    with path.open("ab") as stream:
        stream.write(b"\0\0\xff\na x 3\nb 1")
    again = CrashLog(path)
    assert [again.crash_count(file) for file in "abc"] == [2, 0, 0]
    again.forget()
    assert CrashLog(path).crash_count("a") == 0


def test_an_animated_picture_without_a_face_has_a_row_per_frame(job, tmp_path):
    first, *others = [Image.fromarray(picture) for picture in numbered(3)]
    first.save(tmp_path / "a.gif", save_all=True, append_images=others, duration=100)
    (unit,) = units_of(find_files(tmp_path / "a.gif"))
    (outcome,) = Worker(job).process(unit)
    assert (outcome.status, outcome.frames, outcome.faces) == ("done", 3, 0)
    assert (job.folder.results / outcome.shard).exists()
