import json
import re
import signal
import sys
import threading
import time
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from tests.runs.running import csv_rows, names_in
from tests.video.clips import decoded, moving, numbered, scene, truncated, write_late_video, write_video
from vlfau.cli import main
from vlfau.errors import MissingExtraError
from vlfau.inference.predictor import Predictor
from vlfau.media import camera
from vlfau.media.reader import VideoReader
from vlfau.video.baseline import Baseline
from vlfau.video.stream import stream
from vlfau.video.tracks import tracks


@pytest.fixture(scope="module")
def clip_mp4(tmp_path_factory):
    """One face that sways for twelve frames, ten a second."""
    return write_video(tmp_path_factory.mktemp("videos") / "clip.mp4", moving(12), rate=10)


def test_a_video_gives_rows_events_and_a_summary(predict, clip_mp4, tmp_path):
    out = tmp_path / "out"
    code, printed, rows = predict(clip_mp4)
    assert (code, printed.err) == (0, "")
    assert [(row["frame"], row["face"]) for row in rows] == [(str(number), "1") for number in range(12)]
    assert rows[3]["time_s"] == "0.3000"
    assert names_in(out) == [
        *("clip.mp4.events.csv", "clip.mp4.summary.txt", "results.columns.json", "results.csv"),
        *("results.jsonl", "results.jsonl.columns.json"),
    ]
    summary = (out / "clip.mp4.summary.txt").read_text("utf-8")
    assert summary.startswith("0:01.2, 12 frames, 1 face\nface 1  seen from 0:00.0 to 0:01.1  acts: ")
    assert printed.out.startswith(f"{clip_mp4}: {summary}")
    assert printed.out.splitlines()[-2].startswith("1 video (12 frames), 1 face in ")
    active = [au_id for au_id in (1, 6, 12) if rows[0][f"AU{au_id}_state"] == "1"]
    assert {int(event["au"]) for event in csv_rows(out / "clip.mp4.events.csv")} == set(active) != set()


def test_folders_mix_pictures_and_videos(predict, clip_mp4, astronaut, tmp_path):
    folder = tmp_path / "in"
    (folder / "b").mkdir(parents=True)
    for name, source in (("a10.png", astronaut), ("a2.mp4", clip_mp4), ("b/a.png", astronaut)):
        (folder / name).write_bytes(source.read_bytes())
    code, printed, rows = predict(folder, "--every", "0.5s")
    assert (code, printed.err) == (0, "")
    files = list(dict.fromkeys(row["file"] for row in rows))
    assert files == [str(folder / name) for name in ("a2.mp4", "a10.png", "b/a.png")]
    assert printed.out.splitlines()[-2].startswith("2 pictures, 1 video (3 frames), 3 faces in ")
    assert {"a2.mp4.events.csv", "a10.png.vlfau.jpg", "b"} <= set(names_in(tmp_path / "out" / "in"))


def test_a_part_of_a_video_can_be_chosen(predict, clip_mp4):
    _, _, rows = predict(clip_mp4, "--start", "0:00.2", "--end", "1", "--every", "300ms", "--describe", "never")
    assert [row["frame"] for row in rows] == ["2", "5", "8"]
    assert {row["global_text"] for row in rows} == {""}


def test_what_is_asked_for_is_drawn(predict, clip_mp4, tmp_path):
    pytest.importorskip("matplotlib")
    assert predict(clip_mp4, "--annotate", "--report", "--timeline")[0] == 0
    out = tmp_path / "out"
    assert {"clip.mp4.vlfau.mp4", "clip.mp4.report.html", "clip.mp4.timeline.png"} <= set(names_in(out))
    info = VideoReader(out / "clip.mp4.vlfau.mp4").info
    assert info.frames == 12
    assert info.width > 640
    assert str(clip_mp4) in (out / "clip.mp4.report.html").read_text("utf-8")


def test_a_missing_extra_is_told_before_the_work(predict, clip_mp4, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "vlfau.drawing.timeline", raising=False)
    code, printed, _ = predict(clip_mp4, "--timeline")
    assert (code, printed.out) == (1, "")
    assert printed.err == f"error: {MissingExtraError('matplotlib', 'plots')}\n"
    assert not (tmp_path / "out").exists()


def test_a_video_that_breaks_off_keeps_its_rows_and_the_others_are_judged(predict, clip_mp4, tmp_path):
    cut = truncated(write_video(tmp_path / "a.mkv", moving(40)), 0.6)
    nothing = tmp_path / "nothing.mp4"
    code, printed, rows = predict(nothing, cut, clip_mp4, "--annotate")
    assert code == 2
    frames_of_cut = [row["frame"] for row in rows if row["file"] == str(cut)]
    assert 10 < len(frames_of_cut) < 40
    assert len(rows) == len(frames_of_cut) + 12
    errors = csv_rows(tmp_path / "out" / "errors.csv")
    assert [(error["file"], error["kind"]) for error in errors] == [
        (str(nothing), "VideoError"),
        (str(cut), "VideoError"),
    ]
    assert "breaks off" in errors[1]["message"]
    assert printed.err == "".join(f"error: {error['message']}\n" for error in errors)
    assert VideoReader(tmp_path / "out" / "a-cut.mkv.vlfau.mp4").info.frames == len(frames_of_cut)
    assert not list((tmp_path / "out").glob("nothing*"))


def test_a_video_without_a_face_has_rows_and_is_named(predict, tmp_path):
    empty = write_video(tmp_path / "empty.mp4", numbered(5))
    code, printed, rows = predict(empty, "--timeline")
    assert code == 2
    assert [(row["frame"], row["face"]) for row in rows] == [(str(number), "") for number in range(5)]
    assert printed.err.startswith(f"error: no face found in video {empty}")


def test_words_are_repeated_until_the_active_aus_change(predict, clip_mp4):
    _, _, rows = predict(clip_mp4)
    assert len({row["global_text"] for row in rows}) == 1
    assert all(row["AU12_text"] for row in rows if row["AU12_state"] == "1")


@pytest.fixture
def uncorrected(tiny_bundle):
    predictor = Predictor(tiny_bundle)
    return lambda file: [result for _, result in stream(predictor, file, describe="never")]


def probs_of(rows):
    return np.array([[float(row[f"AU{au_id}_prob"]) for au_id in (1, 6, 12)] for row in rows])


def test_pictures_of_a_neutral_face_correct_a_video(predict, clip_mp4, tmp_path, tiny_bundle, uncorrected, astronaut):
    neutral = tmp_path / "neutral"
    neutral.mkdir()
    (neutral / "a.png").write_bytes(astronaut.read_bytes())
    _, _, rows = predict(clip_mp4, "--baseline", neutral)
    baseline = Baseline.from_faces(Predictor(tiny_bundle).predict(astronaut), tiny_bundle.info.thresholds)
    (track,) = tracks(uncorrected(clip_mp4), (1, 6, 12))
    corrected = baseline.apply(track)
    assert probs_of(rows) == pytest.approx(corrected.probs, abs=1e-4)
    assert corrected.probs[:, 0] == pytest.approx(0.2, abs=0.1) != track.probs[:, 0]
    assert [row["AU1_state"] for row in rows] == ["0"] * 12


def test_a_neutral_picture_without_a_face_stops_the_run(predict, clip_mp4, tmp_path):
    from PIL import Image

    Image.new("RGB", (200, 200), "grey").save(tmp_path / "grey.png")
    code, printed, rows = predict(clip_mp4, "--baseline", tmp_path / "grey.png")
    assert (code, rows) == (2, [])
    assert "grey.png; leave it out" in printed.err


def test_what_is_usual_in_a_clip_corrects_its_rows_and_its_events(predict, tmp_path, tiny_bundle, uncorrected):
    path = write_video(tmp_path / "a.mp4", (scene([(320, 180)]) for _ in range(24)), rate=2)
    code, printed, rows = predict(path, "--baseline", "clip")
    assert (code, printed.err) == (0, "")
    (track,) = tracks(uncorrected(path), (1, 6, 12))
    corrected = Baseline.from_track(track, tiny_bundle.info.thresholds).apply(track)
    assert probs_of(rows) == pytest.approx(corrected.probs, abs=1e-4)
    assert track.states[:, 0].all()
    assert not corrected.states[:, 0].any()
    assert "1" not in {event["au"] for event in csv_rows(tmp_path / "out" / "a.mp4.events.csv")}
    assert " AU 1 " not in printed.out


def test_a_video_shows_its_progress_to_whoever_watches(predict, clip_mp4, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    code, printed, _ = predict(clip_mp4)
    assert code == 0
    assert "0:00.0 of 0:01.2" in printed.err
    assert "of 0:01.2" not in printed.out


def test_the_summary_goes_on_below_its_beginning_in_a_terminal(predict, clip_mp4, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    _, printed, _ = predict(clip_mp4)
    lines = [line for line in printed.out.splitlines() if "to 0:01.1" in line or line.startswith(" " * 26)]
    assert len(lines) > 2
    assert all(len(line.rstrip()) <= 60 for line in lines)


class Camera:
    """A camera in front of which a face is, and which a user stops with Ctrl-C after some pictures."""

    stop_after = 5

    def __init__(self, number):
        self.count = 0

    def isOpened(self):  # noqa: N802 - OpenCV's name
        return True

    def get(self, key):
        return 30.0

    def read(self):
        time.sleep(0.02)
        self.count += 1
        if self.count == self.stop_after:
            signal.raise_signal(signal.SIGINT)
        return True, scene([(320, 180)])[..., ::-1]

    def release(self):
        pass


def test_ctrl_c_ends_a_camera_well(predict, tmp_path, monkeypatch):
    monkeypatch.setattr(camera.cv2, "VideoCapture", Camera)
    before, handlers = threading.active_count(), (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))
    code, printed, rows = predict("camera:0")
    assert (code, printed.err) == (0, "")
    assert rows
    assert {row["file"] for row in rows} == {"camera:0"}
    assert {"camera-0.events.csv", "camera-0.summary.txt", "results.csv"} <= set(names_in(tmp_path / "out"))
    assert threading.active_count() == before
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--resume"], "camera:0 cannot be resumed"),
        (["--baseline", "clip"], "reads a video twice, so it cannot be used with camera:0"),
    ],
)
def test_what_a_camera_cannot_do_is_said(predict, option, message):
    code, printed, _ = predict("camera:0", *option)
    assert code == 2
    assert message in printed.err


def test_json_lines_hold_the_same_frames(predict, clip_mp4, tmp_path):
    _, _, rows = predict(clip_mp4, "--every", "0.5")
    lines = [json.loads(line) for line in (tmp_path / "out" / "results.jsonl").read_text("utf-8").splitlines()]
    assert [line["frame"] for line in lines] == [int(row["frame"]) for row in rows] == [0, 5, 10]


def test_a_videos_table_can_be_parquet(tiny_bundle, clip_mp4, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    table = tmp_path / "a.parquet"
    assert main(["predict", str(clip_mp4), "--model", str(tiny_bundle.folder), "--table", str(table), "-q"]) == 0
    assert parquet.read_table(table).column("frame").to_pylist() == list(range(12))


def write_mjpeg(path, times_ms):
    """Write a video whose pictures come at any times, even impossible ones."""
    with av.open(str(path), "w") as made:
        stream = made.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuvj420p"
        packets = [
            packet
            for picture in moving(len(times_ms))
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24"))
        ]
        for packet, time_ms in zip([*packets, *stream.encode()], times_ms, strict=True):
            packet.time_base = Fraction(1, 1000)
            packet.pts = packet.dts = time_ms
            made.mux(packet)
    return path


def test_a_video_with_impossible_times_ends_itself_alone(predict, clip_mp4, tmp_path):
    bad = write_mjpeg(tmp_path / "b.mkv", [0, 100, 2**40])
    code, printed, rows = predict(bad, clip_mp4, "--annotate")
    assert code == 2
    assert f"{bad}: the clock jumps to" in printed.err
    assert [row["file"] for row in rows].count(str(clip_mp4)) == 12
    assert not (tmp_path / "out" / "b.mkv.vlfau.mp4").exists()
    code, _, again = predict(bad, clip_mp4, "--annotate", "--resume")
    assert [row["file"] for row in again].count(str(clip_mp4)) == 12


@pytest.mark.parametrize("broken", ["add", "read"])
def test_a_mistake_of_ours_ends_one_input_alone(predict, clip_mp4, astronaut, monkeypatch, broken):
    from vlfau.runs import video_files
    from vlfau.video import stream

    def fail(*_, **__):
        raise ZeroDivisionError("division by zero")

    if broken == "add":
        monkeypatch.setattr(video_files.TrackBuilder, "add", fail)
    else:
        monkeypatch.setattr(stream, "analysed", fail)
    code, printed, rows = predict(clip_mp4, astronaut)
    assert code == 2
    assert f"unexpected error with {clip_mp4} (ZeroDivisionError: division by zero); please report" in printed.err
    assert str(astronaut) in {row["file"] for row in rows}


def test_frames_without_times_have_a_row_each(predict, tmp_path):
    video = write_mjpeg(tmp_path / "b.mkv", [0] * 5)
    _, _, rows = predict(video)
    assert [row["frame"] for row in rows] == list("01234")
    times_s = [float(row["time_s"]) for row in rows]
    assert times_s == sorted(set(times_s))


def test_everything_about_a_video_is_on_the_clock_of_its_sound(predict, tmp_path):
    pytest.importorskip("jinja2")
    path = write_late_video(tmp_path / "late.mp4", moving(12), rate=10, late_s=2.0)
    out = tmp_path / "out"
    code, printed, rows = predict(path, "--start", "2", "--annotate", "--report")
    assert (code, printed.err) == (0, "")
    assert [float(row["time_s"]) for row in rows] == pytest.approx([2 + number / 10 for number in range(12)])
    assert [float(row["since_first_s"]) for row in rows] == pytest.approx([number / 10 for number in range(12)])
    assert {event["onset_s"] for event in csv_rows(out / "late.mp4.events.csv")} == {"2.000"}
    assert "seen from 0:02.0 to 0:03.1" in printed.out
    assert "0:02" in (out / "late.mp4.report.html").read_text("utf-8")


def test_an_annotated_video_fits_the_sound_of_its_source(predict, tmp_path):
    path = write_late_video(tmp_path / "late.mp4", moving(12), rate=10, late_s=2.0)
    for arguments, expected in (([], [0, *(2 + number / 10 for number in range(1, 12))]), (["--start", "2.5"], None)):
        predict(path, "--annotate", "--overwrite", *arguments)
        times_s = [time_s for time_s, _ in decoded(tmp_path / "out" / "late.mp4.vlfau.mp4")]
        # The first picture is shown from the start on.
        assert times_s == pytest.approx(expected or [number / 10 for number in range(7)])


def test_what_was_done_to_a_file_is_said_once(predict, tmp_path):
    path = write_video(tmp_path / "wide.mp4", moving(3), rate=10, pixel_shape=Fraction(4, 3))
    _, printed, _ = predict(path)
    assert printed.err.count("wide.mp4: made the pixels square (640 x 360 to 853 x 360)") == 1


def test_the_larger_of_two_video_streams_is_taken_or_the_one_that_is_named(predict, tmp_path):
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        for width, height in ((160, 90), (320, 180)):
            stream = container.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(4):
            for stream in container.streams.video:
                picture = scene(
                    [(stream.width / 2, stream.height / 2)], (stream.width, stream.height), stream.width / 320
                )
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 10)
                container.mux(stream.encode(frame))
        for stream in container.streams.video:
            container.mux(stream.encode())
    sides = {}
    for chosen in ((), ("--stream", "1"), ("--stream", "2")):
        _, printed, rows = predict(path, *chosen)
        sides[chosen] = float(rows[0]["box_x2"]) - float(rows[0]["box_x1"])
        number = 1 if chosen == ("--stream", "1") else 2
        assert f"two.mkv: took video stream {number} of 2, {160 * number} x {90 * number}" in printed.err
    assert sides[()] == sides["--stream", "2"] > 1.7 * sides["--stream", "1"]
    code, printed, _ = predict(path, "--stream", "3")
    assert code == 2
    assert "two.mkv has no video stream 3, only 2" in printed.err


def test_animations_and_numbered_pictures_get_events_and_a_summary(predict, tmp_path):
    first, *others = [Image.fromarray(picture) for picture in moving(5)]
    first.save(tmp_path / "a.gif", save_all=True, append_images=others, duration=100)
    for number, picture in enumerate((first, *others)):
        picture.save(tmp_path / f"f{number:03d}.png")
    for source, arguments in ((tmp_path / "a.gif", ()), (tmp_path / "f%03d.png", ("--fps", "10"))):
        code, printed, rows = predict(source, "--overwrite", *arguments)
        assert code == 0, printed.err
        assert [(row["frame"], row["time_s"]) for row in rows] == [(str(n), f"{n / 10:.4f}") for n in range(5)]
        assert (
            (tmp_path / "out" / f"{source.name}.summary.txt").read_text("utf-8").startswith("0:00.5, 5 frames, 1 face")
        )
    code, printed, _ = predict(tmp_path / "f%03d.png")
    assert code != 0
    assert "say how many a second with --fps" in printed.err


def test_a_neutral_picture_of_two_people_says_which_one_is_taken(predict, clip_mp4, tmp_path):
    picture = np.full((360, 640, 3), 90, np.uint8)
    picture[:] = scene([(160, 180), (460, 180)], zoom=(0.8, 1.3))
    Image.fromarray(picture).save(tmp_path / "two.png")
    taken = {}
    for chosen in ((), ("--face", "2")):
        code, printed, _ = predict(clip_mp4, "--baseline", tmp_path / "two.png", "--every", "0.5s", *chosen)
        assert code == 0
        note = re.search(
            r"two\.png shows 2 faces; took (the largest|face 2), from x (\d+) to (\d+)", " ".join(printed.err.split())
        )
        taken[chosen] = (note[1], (int(note[2]) + int(note[3])) / 2)
    assert taken[()] == ("the largest", pytest.approx(460, abs=15))
    assert taken["--face", "2"] == ("face 2", pytest.approx(160, abs=15))
    code, printed, _ = predict(clip_mp4, "--baseline", tmp_path / "two.png", "--face", "3")
    assert code != 0
    assert "has no face 3, only 2" in " ".join(printed.err.split())


def test_people_have_numbers_in_the_table_when_that_is_wanted(predict, clip_mp4):
    _, _, rows = predict(clip_mp4, "--identities", "--every", "0.5s")
    assert {row["person"] for row in rows} == {"1"}
    _, _, rows = predict(clip_mp4, "--every", "0.5s", "--region", "0,0,640,360")
    assert {row["person"] for row in rows} == {""}


def test_smoothing_adds_columns_and_events_come_from_them(predict, clip_mp4, tmp_path):
    code, _, rows = predict(clip_mp4, "--smooth", "--describe", "never")
    assert (code, len(rows)) == (0, 12)
    for name in ("AU12_prob_causal", "AU12_prob_centred"):
        assert [float(row[name]) for row in rows] == pytest.approx([float(row["AU12_prob"]) for row in rows], abs=0.1)
    assert {row["AU12_state_centred"] for row in rows} <= {"0", "1"}
    active = {au_id for au_id in (1, 6, 12) if any(row[f"AU{au_id}_state_centred"] == "1" for row in rows)}
    assert {int(event["au"]) for event in csv_rows(tmp_path / "out" / "clip.mp4.events.csv")} <= active
    code, printed, _ = predict(clip_mp4, "--smooth", "--format", "openface", "--overwrite")
    assert code != 0
    assert "--format openface has no columns for smoothed" in " ".join(printed.err.split())
