import json
import socket
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from tests.tables.made_up import a_face, a_model
from tests.video.clips import moving, scene, write_video
from vlfau.cli import main
from vlfau.errors import ConfigError, InputError, MissingExtraError
from vlfau.inference.results import PictureResult
from vlfau.media import camera
from vlfau.media.frames import VideoFrame
from vlfau.runs import live_senders
from vlfau.runs.engine import run
from vlfau.runs.live import Destination, LiveOutput
from vlfau.runs.observer import RunObserver

FRAME_RATE = 25
MODEL = a_model()


class Camera:
    """A camera in front of which a face is, at its own rate."""

    def __init__(self, number):
        self.began, self.count = time.monotonic(), 0

    def isOpened(self):  # noqa: N802 - OpenCV's name
        return True

    def get(self, key):
        return float(FRAME_RATE)

    def read(self):
        time.sleep(max(0.0, self.began + self.count / FRAME_RATE - time.monotonic()))
        self.count += 1
        return True, scene([(320, 180)])[..., ::-1]

    def release(self):
        pass


@pytest.fixture
def fake_camera(monkeypatch):
    monkeypatch.setattr(camera.cv2, "VideoCapture", Camera)


def frame(number, *faces):
    return PictureResult("camera:0", faces, frame=number, time_s=number / FRAME_RATE)


def taken(age_s):
    """A frame that a camera gave some seconds ago."""
    return VideoFrame(0, 0.0, np.zeros((4, 4, 3), np.uint8), arrived_s=time.monotonic() - age_s)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def test_each_frame_of_a_camera_is_a_line_on_standard_output(fake_camera, tiny_bundle, capsys):
    arguments = ["camera:0", "--end", "0.8", "--live", "-", "--describe", "never", "--model", str(tiny_bundle.folder)]
    before = time.time()
    assert main(["predict", *arguments]) == 0
    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    numbers = [line["frame"] for line in lines]
    assert len(lines) >= 2
    assert numbers == sorted(set(numbers))
    assert {line["file"] for line in lines} == {"camera:0"}
    assert all(0 < line["AU1_prob"] < 1 and line["latency_ms"] > 0 for line in lines)
    assert all(before < line["captured_unix_s"] < time.time() for line in lines)
    assert "note: live: " in printed.err
    assert " frames/s, from frame to message " in printed.err


def test_lines_leave_before_the_video_ends(tiny_bundle, tmp_path, capsys, monkeypatch):
    clip = write_video(tmp_path / "a.mp4", moving(6))
    seen = []
    monkeypatch.setattr(
        "vlfau.runs.video_files.VideoFiles.add", lambda self, frame, result: seen.append(capsys.readouterr().out)
    )
    assert main(["predict", str(clip), "--live", "-", "--model", str(tiny_bundle.folder)]) == 0
    assert [json.loads(text)["frame"] for text in seen] == list(range(6))


def test_a_picture_and_a_table_can_be_live_too(tiny_bundle, astronaut, tmp_path, capsys):
    table = tmp_path / "a.csv"
    assert (
        main(["predict", str(astronaut), "--live", "-", "--table", str(table), "--model", str(tiny_bundle.folder)]) == 0
    )
    (line,) = capsys.readouterr().out.splitlines()
    row = json.loads(line)
    assert (row["file"], row["latency_ms"], row["captured_unix_s"]) == (str(astronaut), None, None)
    assert table.exists()


def test_a_reader_that_leaves_ends_the_run(fake_camera, tiny_bundle, capsys):
    class Observer(RunObserver):
        wants_more = True

        def frame_done(self, done_s):
            self.wants_more = False

    summary = run("camera:0", model=tiny_bundle.folder, live="-", observer=Observer())
    assert summary.frames == 2


@pytest.mark.parametrize("text", ["", "udp://1.2.3.4:5", "ws://host:99999", "ws://host:1/path", "osc:host"])
def test_other_destinations_are_refused(text):
    with pytest.raises(ConfigError, match=r"--live "):
        Destination.parse(text)


def test_a_destination_that_is_refused_ends_the_run_before_it_starts(tiny_bundle, astronaut, tmp_path):
    with pytest.raises(ConfigError, match="--live takes"):
        run(astronaut, model=tiny_bundle.folder, live="mqtt", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    def missing(*_):
        raise ModuleNotFoundError("No module named 'zmq'", name="zmq")

    monkeypatch.setitem(live_senders._SENDERS, "zmq", missing)
    with pytest.raises(MissingExtraError, match=r"zmq.*live"):
        LiveOutput(["zmq"], MODEL)


def test_a_websocket_gets_every_row():
    client = pytest.importorskip("websockets.sync.client")
    port = free_port()
    with LiveOutput([f"ws://127.0.0.1:{port}"], MODEL) as live, client.connect(f"ws://127.0.0.1:{port}") as socket:
        wait_for(lambda: live._senders[0]._clients)
        live.send(frame(0, a_face(face_id=1), a_face(face_id=2)), taken(0.0))
        rows = [json.loads(socket.recv(timeout=10)) for _ in range(2)]
    assert [(row["frame"], row["face"]) for row in rows] == [(0, 1), (0, 2)]
    assert rows[0]["latency_ms"] >= 0


def test_a_page_of_another_site_gets_no_websocket():
    client = pytest.importorskip("websockets.sync.client")
    from websockets.exceptions import InvalidStatus

    port = free_port()
    with LiveOutput([f"ws://127.0.0.1:{port}"], MODEL):
        address = f"ws://127.0.0.1:{port}"
        with pytest.raises(InvalidStatus, match="403"), client.connect(address, origin="https://example.org"):
            pass
        with client.connect(address, origin="http://localhost:8000"):
            pass


def test_an_address_in_use_is_said():
    pytest.importorskip("websockets")
    port = free_port()
    with LiveOutput([f"ws://127.0.0.1:{port}"], MODEL), pytest.raises(ConfigError, match="choose another address"):
        LiveOutput([f"ws://127.0.0.1:{port}"], MODEL)


def test_zeromq_publishes_every_row():
    zmq = pytest.importorskip("zmq")
    port = free_port()
    with zmq.Context() as context, context.socket(zmq.SUB) as subscriber:
        subscriber.subscribe(b"vlfau")
        with LiveOutput([f"zmq://127.0.0.1:{port}"], MODEL) as live:
            subscriber.connect(f"tcp://127.0.0.1:{port}")
            wait_for(lambda: live.send(frame(3, a_face(face_id=1))) or subscriber.poll(50))
            topic, message = subscriber.recv_multipart()
    assert topic == b"vlfau"
    assert json.loads(message)["frame"] == 3


def test_osc_gets_a_bundle_per_frame():
    bundles = pytest.importorskip("pythonosc.osc_bundle")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        with LiveOutput([f"osc://127.0.0.1:{receiver.getsockname()[1]}"], MODEL) as live:
            live.send(frame(7, a_face(face_id=2)), taken(0.5))
        bundle = bundles.OscBundle(receiver.recv(65_536))
    messages = {message.address: message.params for message in bundle}
    assert messages["/vlfau/frame"][0] == 7
    assert messages["/vlfau/frame"][2] == 1
    prob, state = messages[f"/vlfau/face/2/AU{MODEL.au_ids[0]}"]
    assert prob == pytest.approx(a_face().aus[0].prob)
    assert state == int(a_face().aus[0].state)
    assert bundle.timestamp == pytest.approx(time.time() - 0.5, abs=0.4)


def test_lsl_gets_a_sample_per_frame_and_a_face_keeps_its_stream():
    pylsl = pytest.importorskip("pylsl")
    name = f"vlfau-test-{free_port()}"
    with LiveOutput([f"lsl:{name}"], MODEL, max_faces=2) as live:
        found = pylsl.resolve_byprop("name", f"{name}-2", timeout=10)
        if not found:
            pytest.skip("this machine's network does not pass LSL's announcements on")
        inlet = pylsl.StreamInlet(found[0])
        inlet.open_stream(timeout=10)
        live.send(frame(0, a_face(face_id=1), a_face(face_id=2)), taken(2.0))
        live.send(frame(1, a_face(face_id=2)))
        live.send(frame(2))
        samples = [inlet.pull_sample(timeout=10) for _ in range(3)]
        age_s = pylsl.local_clock() - samples[0][1]
        channels = inlet.info().desc().child("channels").child("channel").child_value("label")
    assert [sample[0] for sample, _ in samples] == pytest.approx([2, 2, np.nan], nan_ok=True)
    assert samples[0][0][4] == pytest.approx(a_face().aus[0].prob)
    assert 1.9 < age_s < 12
    assert channels == "face"


def wait_for(condition, timeout_s=10):
    ends = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.01)


@pytest.fixture
def http_camera(tmp_path):
    """The address of a clip that a server of this machine sends."""
    write_video(tmp_path / "a.ts", moving(8))

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(tmp_path))

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://anna:secret@127.0.0.1:{server.server_port}/a.ts?token=secret"
        server.shutdown()
        thread.join()


def test_a_network_camera_is_read_only_if_it_is_allowed(http_camera, tiny_bundle, tmp_path):
    with pytest.raises(InputError, match=r"http://127\.0\.0\.1:\d+/a\.ts is an address; .* --network"):
        run(http_camera, model=tiny_bundle.folder)
    out = tmp_path / "out"
    summary = run(http_camera, model=tiny_bundle.folder, network=True, out=out)
    assert summary.errors == ()
    assert summary.frames >= 1
    rows = (out / "results.csv").read_text("utf-8")
    assert "network:1,0,0.0000,0.0000,1," in rows
    assert (out / "network-1.summary.txt").exists()
    assert all(b"secret" not in path.read_bytes() for path in out.iterdir())


def test_a_camera_that_does_not_answer_is_reported_without_its_password(tiny_bundle):
    address = f"rtsp://anna:secret@127.0.0.1:{free_port()}//1?token=secret"
    summary = run(address, model=tiny_bundle.folder, network=True)
    (failure,) = summary.errors
    assert "rtsp://127.0.0.1" in failure.reason
    assert "//1 cannot be opened" in failure.reason
    assert "secret" not in failure.reason
