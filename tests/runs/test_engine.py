"""`vlfau.run`: what `vlfau predict` does, from Python."""

import shutil
import threading

import numpy as np
import pytest
from PIL import Image

import vlfau
from tests.runs.running import contents_of, csv_rows, names_in
from tests.video.clips import moving, write_video
from vlfau import PredictOptions, RunObserver
from vlfau.cli import main
from vlfau.errors import ConfigError, InputError, OutputError
from vlfau.media import container


@pytest.fixture(scope="module")
def study(tmp_path_factory, astronaut):
    """A picture with a face, one without, and a short video."""
    folder = tmp_path_factory.mktemp("inputs") / "study"
    folder.mkdir()
    shutil.copy(astronaut, folder / "a.png")
    Image.new("RGB", (300, 200), "grey").save(folder / "b.png")
    write_video(folder / "c.mp4", moving(6), rate=10)
    return folder


class Recorder(RunObserver):
    """Writes down all that it is told."""

    def __init__(self):
        self.events = []

    def notice(self, message):
        self.events.append(("notice", message))

    def run_started(self, files):
        self.events.append(("run_started", [file.name for file in files]))

    def input_started(self, file):
        self.events.append(("input_started", file.name))

    def picture_done(self, file, faces):
        self.events.append(("picture_done", len(faces)))

    def video_started(self, title, length_s):
        self.events.append(("video_started", title, round(length_s, 2)))

    def frame_done(self, done_s):
        self.events.append(("frame_done", round(done_s, 2)))

    def video_ended(self):
        self.events.append(("video_ended",))

    def video_done(self, file, summary):
        self.events.append(("video_done", summary.partition("\n")[0]))

    def failed(self, file, error):
        self.events.append(("failed", file.name, type(error).__name__))

    def run_ended(self):
        self.events.append(("run_ended",))


def test_python_writes_the_files_that_the_command_writes(study, tiny_bundle, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(study.parent)
    (tmp_path / "command").mkdir()
    model, table = str(tiny_bundle.folder), tmp_path / "command" / "study.csv"
    words = ["--every", "0.2s", "--describe", "every", "--heatmap", "1,12", "--table", str(table), "--model", model]
    assert main(["predict", "study", "--out", str(tmp_path / "command" / "out"), *words]) == 2
    capsys.readouterr()
    out = tmp_path / "python" / "out"
    out.parent.mkdir()
    table = out.with_name("study.csv")
    summary = vlfau.run(
        "study", out=str(out), table=str(table), every=0.2, describe="every", heatmap=[1, 12], model=tiny_bundle.folder
    )
    for name in ("", "out", "out/study"):
        assert contents_of(tmp_path / "python" / name) == contents_of(tmp_path / "command" / name)
    assert {"a.png.vlfau.jpg", "a.png.heat.jpg", "c.mp4.summary.txt"} <= set(names_in(out / "study"))
    assert summary.outputs == (out, table)
    assert capsys.readouterr() == ("", "")


def test_the_summary_counts_and_names_what_failed(study, tiny_bundle, tmp_path):
    missing = tmp_path / "missing.jpg"
    summary = vlfau.run([study, missing], PredictOptions(model=str(tiny_bundle.folder), describe="never"))
    assert (summary.pictures, summary.videos, summary.frames, summary.faces) == (2, 1, 6, 2)
    assert [(failure.file, failure.kind) for failure in summary.errors] == [
        (study / "b.png", "NoFaceError"),
        (missing, "ImageError"),
    ]
    assert "does not exist" in summary.errors[1].reason
    assert str(summary).startswith("2 pictures, 1 video (6 frames), 2 faces, 2 errors in ")
    assert (summary.outputs, summary.errors_file, summary.has_failures) == ((), None, True)


def test_an_observer_hears_everything_in_order(study, tiny_bundle):
    observer = Recorder()
    vlfau.run(study, model=tiny_bundle.folder, observer=observer, describe="never", end="0.3")
    assert observer.events == [
        ("run_started", ["a.png", "b.png", "c.mp4"]),
        ("input_started", "a.png"),
        ("picture_done", 1),
        ("input_started", "b.png"),
        ("picture_done", 0),
        ("failed", "b.png", "NoFaceError"),
        ("input_started", "c.mp4"),
        ("video_started", "c.mp4", 0.3),
        *(("frame_done", time_s) for time_s in (0.0, 0.1, 0.2)),
        ("video_ended",),
        ("video_done", "0:00.3, 3 frames, 1 face"),
        ("run_ended",),
    ]


def test_an_interrupt_leaves_a_run_that_can_be_resumed(study, tiny_bundle, tmp_path):
    options = PredictOptions(model=str(tiny_bundle.folder), describe="never", out=tmp_path / "out")

    class Impatient(Recorder):
        def frame_done(self, done_s):
            raise KeyboardInterrupt

    observer, threads = Impatient(), threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        vlfau.run(study, options, observer=observer)
    assert observer.events[-2:] == [
        ("video_ended",),
        ("notice", "interrupted; run the same command with --resume to continue"),
    ]
    assert threading.active_count() == threads
    assert not (tmp_path / "out" / "results.csv").exists()
    summary = vlfau.run(study, options, resume=True)
    assert (summary.done_before, summary.videos, summary.pictures) == (2, 1, 0)
    assert summary.errors_file == tmp_path / "out" / "errors.csv"
    vlfau.run(study, options, out=tmp_path / "whole")
    assert contents_of(tmp_path / "out") == contents_of(tmp_path / "whole")


@pytest.mark.parametrize("error", [RuntimeError("mine"), InputError("mine")], ids=["any", "ours"])
@pytest.mark.parametrize(
    "method", ["run_started", "picture_done", "video_started", "frame_done", "video_ended", "video_done", "failed"]
)
def test_an_error_of_the_observer_is_not_one_of_an_input_and_leaves_a_run_to_resume(
    study, tiny_bundle, tmp_path, method, error
):
    def fail(*heard):
        raise error

    observer, options = RunObserver(), {"model": tiny_bundle.folder, "describe": "never"}
    setattr(observer, method, fail)
    with pytest.raises(type(error), match="^mine$"):
        vlfau.run(study, out=tmp_path / "out", observer=observer, **options)
    vlfau.run(study, out=tmp_path / "out", resume=True, **options)
    vlfau.run(study, out=tmp_path / "undisturbed", **options)
    assert contents_of(tmp_path / "out") == contents_of(tmp_path / "undisturbed")


def test_a_run_without_files_ends_when_nobody_looks_any_more(study, tiny_bundle, tmp_path):
    class Gone(Recorder):
        wants_more = False

    assert vlfau.run(study, observer=Gone(), model=tiny_bundle.folder).pictures == 0
    table = tmp_path / "a.csv"
    vlfau.run(study / "a.png", observer=Gone(), model=tiny_bundle.folder, table=table)
    assert len(csv_rows(table)) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resolution": 3}, "there is no option resolution; choose among "),
        ({"annotate": True}, "--annotate writes files; name a folder with --out"),
        ({"every": 0}, "--every is 0; give more than 0 s"),
        ({"out": "out", "heatmap": 99}, "--heatmap takes active, or numbers of action units"),
    ],
)
def test_options_that_cannot_be_are_refused_before_the_work(
    study, tiny_bundle, tmp_path, monkeypatch, changes, message
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message):
        vlfau.run(study, model=tiny_bundle.folder, **changes)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [None, [None], 5, b"a.png", np.zeros((4, 4, 3), np.uint8)], ids=str)
def test_what_is_no_path_is_refused_as_an_input(tiny_bundle, wrong):
    with pytest.raises(
        InputError, match=r"expected the path of a file or folder, or a list of them, got \w+; give pix"
    ):
        vlfau.run(wrong, model=tiny_bundle.folder)


def test_options_may_be_given_as_an_object_with_plain_values(study, tiny_bundle, tmp_path):
    out = tmp_path / "out"
    vlfau.run(study / "a.png", PredictOptions(model=tiny_bundle.folder, out=str(out), every=0.5, heatmap=[1]))
    assert {"a.png.vlfau.jpg", "a.png.heat.jpg", "results.csv"} <= set(names_in(out))


def test_a_folder_that_cannot_be_made_stops_the_run(study, tiny_bundle, tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match="cannot make the folder"):
        vlfau.run(study, model=tiny_bundle.folder, out=tmp_path / "taken")


def test_a_video_is_opened_once_to_look_at_it(study, tiny_bundle, monkeypatch):
    looked = []

    def probe(path, *options, real=container.probe):
        looked.append(path.name)
        return real(path, *options)

    monkeypatch.setattr(container, "probe", probe)
    vlfau.run(study / "c.mp4", model=tiny_bundle.folder)
    assert looked == ["c.mp4"]
