import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.runs.running import contents_of, csv_rows, interrupted, names_in
from tests.video.clips import decoded, moving, truncated, write_video
from vlfau.runs.engine import run
from vlfau.runs.observer import RunObserver

PREDICT_WITH_FEW_ROWS_IN_MEMORY = """
import functools, sys
from vlfau.cli import main
from vlfau.runs import output_writer

output_writer.open_sink = functools.partial(output_writer.open_sink, flush_rows=2)
sys.exit(main(["predict", *sys.argv[1:]]))
"""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory, astronaut):
    """Pictures and videos, a picture without a face and a video that breaks off among them."""
    folder = tmp_path_factory.mktemp("inputs")
    shutil.copy(astronaut, folder / "a1.png")
    Image.new("RGB", (300, 200), "grey").save(folder / "a2.png")
    shutil.copy(astronaut, folder / "a3.png")
    write_video(folder / "b.mp4", moving(40), rate=20)
    write_video(folder / "c.mkv", moving(20), rate=10)
    truncated(folder / "c.mkv", 0.6).replace(folder / "c.mkv")
    shutil.copy(astronaut, folder / "d.png")
    return folder


@pytest.fixture
def begin(tiny_bundle, inputs):
    """Start a run of its own that keeps few rows in memory."""

    def run(out, *options):
        words = ["--model", str(tiny_bundle.folder), "--free-words"]
        arguments = [str(inputs), *words, "--out", str(out), "--annotate", *options]
        return subprocess.Popen(
            [sys.executable, "-c", PREDICT_WITH_FEW_ROWS_IN_MEMORY, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    return run


def kill_at(process, partial, rows):
    """Kill a run when so many rows lie on the disk."""
    while not partial.exists() or partial.read_bytes().count(b"\n") < rows:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.002)
    process.kill()
    process.communicate()


def test_a_run_that_is_killed_again_and_again_ends_like_an_undisturbed_one(begin, tmp_path):
    whole, out = tmp_path / "whole", tmp_path / "out"
    undisturbed = begin(whole)
    errors = undisturbed.communicate()[1]
    assert undisturbed.returncode == 2
    assert errors.count("\n") == 2
    for rows in (2, 12, 30, 48):  # In the pictures, twice in the first video, in the second one.
        kill_at(begin(out, "--resume"), out / "results.csv.partial", rows)
        assert not (out / "results.csv").exists()
    last = begin(out, "--resume")
    last.communicate()
    assert last.returncode == 2
    found, expected = contents_of(out), contents_of(whole)
    for name in [name for name in expected if name.endswith(".mp4")]:
        # The encoder chooses its bytes anew in every run.
        assert_alike(out / name, whole / name)
        del found[name], expected[name]
    assert found == expected


def assert_alike(one, other):
    """Demand that two videos show the same at the same times."""
    frames, others = (list(decoded(path)) for path in (one, other))
    assert [time for time, _ in frames] == [time for time, _ in others]
    for (_, pixels), (_, wanted) in zip(frames, others, strict=True):
        assert np.abs(pixels.astype(int) - wanted).mean() < 1


@pytest.mark.usefixtures("_heeding_interrupts")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_tables_to_go_on_with(predict, astronaut, tmp_path, monkeypatch, number):
    copy, out = shutil.copy(astronaut, tmp_path / "copy.png"), tmp_path / "out"
    handler = signal.getsignal(signal.SIGTERM)
    interrupted(monkeypatch, lambda: signal.raise_signal(number), at=2)
    code, printed, rows = predict(astronaut, copy, "-q")
    assert (code, rows) == (130, [])
    assert printed.err == "note: interrupted; run the same command with --resume to continue\n"
    assert signal.getsignal(signal.SIGTERM) == handler
    assert "results.csv.partial" in names_in(out)
    code, printed, rows = predict(astronaut, copy, "-q", "--resume")
    assert (code, printed.err) == (0, "")
    assert [row["file"] for row in rows] == [str(astronaut), str(copy)]


def test_an_interrupted_run_that_is_begun_anew_is_named(predict, astronaut, tmp_path, monkeypatch):
    def stop():
        raise KeyboardInterrupt

    calls = interrupted(monkeypatch, stop, at=1)
    assert predict(astronaut, "-q")[0] == 130
    code, printed, rows = predict(astronaut, "-q")
    assert (code, len(rows)) == (0, 1)
    assert printed.err == "note: found an interrupted run; starting over (use --resume to continue it)\n"
    assert len(calls) == 2
    assert predict(astronaut, "-q")[1].err == ""


def refused_name(out, copy):
    (out / copy.parent.name).mkdir()
    (out / copy.parent.name / f"{copy.name}.vlfau.jpg").write_text("mine")


def refused_errors(out, copy):
    (out / "errors.csv").write_text("mine")


def refused_list(out, copy):
    (out / "skipped.csv").write_text("mine")
    (copy.parent / "notes.txt").touch()


def refused_place(out, copy):
    (out / "skipped.csv").mkdir()
    (copy.parent / "notes.txt").touch()


@pytest.mark.parametrize("resume", [[], ["--resume"]], ids=["anew", "resumed"])
@pytest.mark.parametrize("refuse", [refused_name, refused_errors, refused_list, refused_place])
def test_a_refused_run_changes_nothing_of_an_interrupted_one(predict, astronaut, tmp_path, monkeypatch, refuse, resume):
    def stop():
        raise KeyboardInterrupt

    (tmp_path / "more").mkdir()
    copy, out = Path(shutil.copy(astronaut, tmp_path / "more" / "z.png")), tmp_path / "out"
    interrupted(monkeypatch, stop, at=2)
    assert predict(astronaut, copy.parent, "-q")[0] == 130
    monkeypatch.undo()
    refuse(out, copy)
    before = contents_of(out)
    code, printed, _ = predict(astronaut, copy.parent, "-q", *resume)
    assert (code, "move it away" in printed.err, "starting over" in printed.err) == (2, True, False)
    assert contents_of(out) == before


@pytest.mark.parametrize("refuse", [refused_name, refused_errors, refused_list, refused_place])
def test_a_refused_run_leaves_nothing_behind(predict, astronaut, tmp_path, refuse):
    (tmp_path / "more").mkdir()
    copy, out = Path(shutil.copy(astronaut, tmp_path / "more" / "z.png")), tmp_path / "out"
    out.mkdir()
    refuse(out, copy)
    before = sorted(out.rglob("*"))
    assert predict(copy.parent / "none.png", copy.parent, "-q")[0] == 2
    assert sorted(out.rglob("*")) == before


def test_what_is_done_is_not_analysed_again(predict, astronaut, tmp_path, monkeypatch):
    grey, copy = tmp_path / "grey.png", shutil.copy(astronaut, tmp_path / "z.png")
    Image.new("RGB", (300, 200), "grey").save(grey)
    assert predict(astronaut, grey, "-q")[0] == 2
    calls = interrupted(monkeypatch, lambda: None, at=0)
    code, printed, rows = predict(astronaut, grey, copy, "--resume")
    assert (code, len(rows), len(calls)) == (2, 2, 1)
    assert printed.out.splitlines()[-2].startswith("1 picture, 1 face, 2 done before in ")
    assert [row["file"] for row in csv_rows(tmp_path / "out" / "errors.csv")] == [str(grey)]


def test_a_table_that_cannot_be_written_stops_the_run(predict, astronaut, tmp_path, monkeypatch):
    from vlfau.files.records import RecordFile

    real = RecordFile.flush

    def full(self):
        if self.path.suffix == ".partial":
            raise OSError(28, "No space left on device")
        real(self)

    monkeypatch.setattr(RecordFile, "flush", full)
    code, printed, _ = predict(astronaut, "-q")
    assert code == 2
    assert "(No space left on device); what was written so far is kept" in printed.err
    assert printed.err.count("\n") == 1


def test_inputs_may_be_added_and_reordered_between_runs(predict, astronaut, tmp_path):
    folder = tmp_path / "g"
    for name in ("b/me.png", "a/me.png"):
        (folder / name).parent.mkdir(parents=True)
    shutil.copy(astronaut, folder / "b" / "me.png")
    assert predict(folder, "-q")[0] == 0
    drawing = tmp_path / "out" / "g" / "b" / "me.png.vlfau.jpg"
    before = drawing.read_bytes()
    Image.open(astronaut).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "a" / "me.png")
    code, printed, rows = predict(folder, "-q", "--resume")
    assert (code, printed.err) == (0, "")
    assert sorted(row["file"] for row in rows) == [str(folder / name / "me.png") for name in ("a", "b")]
    assert drawing.read_bytes() == before
    assert (tmp_path / "out" / "g" / "a" / "me.png.vlfau.jpg").is_file()


def test_a_half_done_video_is_resumed_after_other_inputs_came_before_it(predict, astronaut, tmp_path, monkeypatch):
    from vlfau.runs.output_writer import OutputWriter

    video = write_video(tmp_path / "b.mp4", moving(12), rate=10)
    _, _, expected = predict(video, "-q", out=tmp_path / "whole")
    real, calls = OutputWriter.write_row, []

    def stop_at(number):
        def write_row(self, result):
            calls.append(result)
            if len(calls) == number:
                raise KeyboardInterrupt
            real(self, result)

        calls.clear()
        monkeypatch.setattr(OutputWriter, "write_row", write_row)

    stop_at(6)
    assert predict(video, "-q")[0] == 130
    stop_at(2)  # The picture is kept, and the first frame of the video is not.
    assert predict(astronaut, video, "-q", "--resume")[0] == 130
    monkeypatch.undo()
    code, _, rows = predict(astronaut, video, "-q", "--resume")
    assert code == 0
    assert [row["frame"] for row in rows if row["frame"]] == [row["frame"] for row in expected]


def test_a_finished_video_keeps_its_last_frame_when_the_input_after_it_is_interrupted(
    predict, astronaut, tmp_path, monkeypatch
):
    def stop():
        raise KeyboardInterrupt

    video = write_video(tmp_path / "b.mp4", moving(12), rate=10)
    interrupted(monkeypatch, stop, at=1)
    assert predict(video, astronaut, "-q")[0] == 130
    monkeypatch.undo()
    code, _, rows = predict(video, astronaut, "-q", "--resume")
    assert code == 0
    assert [row["frame"] for row in rows] == [*map(str, range(12)), ""]


def test_a_finished_video_is_not_read_again(predict, tmp_path, monkeypatch):
    video = write_video(tmp_path / "b.mp4", moving(4), rate=10)
    assert predict(video, "-q")[0] == 0
    monkeypatch.setattr("vlfau.video.stream.analysed", None)
    code, printed, rows = predict(video, "--resume")
    assert (code, len(rows)) == (0, 4)
    assert "1 done before" in printed.out


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_no_utf_8_are_told_apart(predict, astronaut, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    names = [b"f\xfe.png", b"f\xff.png"]
    shutil.copy(astronaut, os.fsencode(folder) + b"/" + names[0])
    assert predict(folder, "-q")[0] == 0
    shutil.copy(astronaut, os.fsencode(folder) + b"/" + names[1])
    code, _, rows = predict(folder, "-q", "--resume")
    assert code == 0
    assert [row["file"][len(str(folder)) + 1 :] for row in rows] == ["f\ufffd{FE}.png", "f\ufffd{FF}.png"]
    assert names_in(tmp_path / "out" / "in") == ["f\ufffd{FE}.png.vlfau.jpg", "f\ufffd{FF}.png.vlfau.jpg"]


class StopsIn(RunObserver):
    """Ends a run in the middle of its first video."""

    def frame_done(self, done_s):
        if done_s > 0.5:
            raise InterruptedError


def test_a_video_that_the_next_run_is_not_given_is_finished_by_the_one_after(inputs, tiny_bundle, tmp_path):
    options = {"model": str(tiny_bundle.folder), "describe": "never", "out": tmp_path / "out"}
    notices = []
    teller = RunObserver()
    teller.notice = notices.append
    with pytest.raises(InterruptedError):
        run([inputs / "a1.png", inputs / "b.mp4"], observer=StopsIn(), **options)
    run(inputs / "a3.png", resume=True, observer=teller, **options)
    begun = sum(row["file"].endswith("b.mp4") for row in csv_rows(tmp_path / "out" / "results.csv"))
    assert 0 < begun < 40
    assert notices == [f"only a part of {inputs / 'b.mp4'} is in the tables: give it again, with --resume"]
    run(inputs / "b.mp4", resume=True, observer=teller, **options)
    rows = csv_rows(tmp_path / "out" / "results.csv")
    assert sorted(int(row["frame"]) for row in rows if row["file"].endswith("b.mp4")) == list(range(40))
    assert len(notices) == 1
    assert not (tmp_path / "out" / ".results.csv.run").exists()
