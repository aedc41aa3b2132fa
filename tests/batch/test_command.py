import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
from cyclopts import App

from tests.batch.running import content, lines, rows
from vlfau.batch.worker import Worker
from vlfau.cli.batch import batch

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed (extra batch)")
COMMAND = (
    "import sys; from cyclopts import App; from vlfau.cli.batch import batch; "
    "app = App(suppress_keyboard_interrupt=False, result_action='return_value'); app.default(batch); sys.exit(app())"
)


@pytest.fixture
def run(options, monkeypatch, capsys):
    """Run `vlfau batch` without Ray; return the exit code and what was printed."""

    @contextmanager
    def here(address, workers):
        def process(job, units):
            worker = Worker(job)
            for unit in units:
                yield worker.process(unit)

        yield process

    def call(*words):
        app = App()
        app.default(batch)
        code = app([*map(str, words), "--model", options.model], result_action="return_value")
        return code, capsys.readouterr()

    monkeypatch.setattr("vlfau.batch.archive.cluster", here)
    return call


def test_the_command_says_what_was_done_and_where_the_errors_are(run, archive, undisturbed, tmp_path):
    out = tmp_path / "out"
    code, printed = run(archive.folder, out)
    assert code == 2
    assert printed.out.startswith("7 of 7 files: 52 frames, 51 faces in 0:0")
    assert f"results: {out / 'results'}\n" in printed.out
    assert f"error: some files failed or were truncated: see {out / 'errors.csv'}" in printed.err
    assert content(out) == content(undisturbed[1])


def test_files_of_other_kinds_are_listed_and_the_list_goes_when_they_do(run, archive, tmp_path):
    folder, out = tmp_path / "films", tmp_path / "out"
    folder.mkdir()
    shutil.copy(archive.folder / "face.png", folder)
    for name in ("notes.txt", ".hidden.txt"):
        (folder / name).write_text("x")
    code, printed = run(folder, out)
    assert code == 0
    assert f"some files were skipped: see {out / 'skipped.csv'}" in printed.err.replace("\n", "")
    assert lines(out / "skipped.csv") == [
        {"file": str(folder / "notes.txt"), "reason": ".txt is not the ending of a picture or video"}
    ]
    (folder / "notes.txt").unlink()
    code, printed = run(folder, out)
    assert code == 0
    assert "skipped" not in printed.err
    assert not (out / "skipped.csv").exists()


def test_without_errors_the_code_is_0_and_a_second_run_does_nothing(run, archive, tmp_path):
    assert run(archive.folder / "short ü.mp4", tmp_path / "out", "--every", "100ms")[0] == 0
    assert rows(tmp_path / "out")["frame"].tolist() == [0, 3]
    code, printed = run(archive.folder / "short ü.mp4", tmp_path / "out", "--every", "100ms")
    assert (code, printed.out.split(":")[0]) == (0, "0 of 1 files, 1 done before")


def test_a_log_gets_a_line_now_and_then(run, archive, tmp_path, monkeypatch):
    # `vlfau.cli.batch` by name would be the function of the package.
    monkeypatch.setattr(sys.modules["vlfau.cli.batch"], "_SECONDS_BETWEEN_LINES", 0.0)
    _, printed = run(archive.folder, tmp_path / "out")
    assert "files: 3 of 7, 1 failed, " in printed.err
    assert "0:00.0 left" in printed.err


@contextmanager
def started(archive, out, options, *words):
    """Start `vlfau batch` with Ray."""
    command = [sys.executable, "-c", COMMAND, str(archive.folder), str(out), "--model", options.model, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield process


def wait_for_a_line(out, process):
    """Wait until what became of a file is written down."""
    while not lines(out / "files.csv"):
        assert process.poll() is None
        time.sleep(0.01)


def processes_in(folder):
    """Return the command lines that name a folder of Ray's."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(path.read_bytes())
    return [command for command in found if os.fsencode(folder) in command]


@needs_ray
@pytest.mark.slow
def test_a_killed_driver_resumes_to_the_same_content(archive, options, undisturbed, tmp_path):
    out, logs = tmp_path / "out", set(Path("/tmp").glob("vlfau-ray-*"))
    with started(archive, out, options, "--workers", "1") as process:
        wait_for_a_line(out, process)
        process.kill()
    for left in set(Path("/tmp").glob("vlfau-ray-*")) - logs:
        shutil.rmtree(left, ignore_errors=True)
    assert 0 < len(lines(out / "files.csv")) < 7
    with started(archive, out, options, "--workers", "2") as process:
        printed, complaints = process.communicate()
    assert process.returncode == 2
    assert "done before" in printed
    assert complaints.startswith("error: some files failed or were truncated")
    assert content(out) == content(undisturbed[1])


@needs_ray
@pytest.mark.slow
def test_an_interrupt_ends_all_processes_and_leaves_the_lists(archive, options, tmp_path):
    out = tmp_path / "out"
    with started(archive, out, options, "--workers", "1") as process:
        wait_for_a_line(out, process)
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert process.returncode != 0
    assert [line["file"].endswith("torn.png") for line in lines(out / "errors.csv")] == [True]
    assert json.loads((out / "_state" / "settings.json").read_text())["describe"] == "never"
    deadline = time.monotonic() + 30
    while (left := processes_in("/tmp/vlfau-ray-")) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left == []
