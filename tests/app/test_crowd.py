"""The page against fifty clients at once, slow ones, and ones that leave; memory and disk are measured."""

import concurrent.futures
import contextlib
import json
import signal
import socket
import sys
import threading
import time
from urllib.parse import urlsplit

import pytest

pytest.importorskip("gradio_client", reason="gradio_client is not installed: pip install 'vlfau[app]'")

from tests.app.serving import start_page
from tests.app.test_api import Caller, encoded, file, portrait
from tests.video.clips import moving, write_video

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc"),
]

CLIENTS = 50
DISK_MB, WAITING_MB, JOBS, CONNECTIONS = 30, 20, 12, 80


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """A page with small limits."""
    page = start_page(
        tmp_path_factory.mktemp("crowded"),
        max_kept_mb=DISK_MB,
        max_waiting_mb=WAITING_MB,
        waiting=JOBS,
        connections=CONNECTIONS,
        headers_s=3,
        body_s=3,
        left_s=2,
    )
    with Caller(page.url) as caller:  # What stays in memory after the first visitor is no matter of the crowd.
        caller.picture(encoded(portrait()))
    yield page
    page.stop()
    assert page.log.stat().st_size < 10_000


OPEN = []
"""The connections of a test."""


@pytest.fixture(autouse=True)
def _close_connections():
    yield
    while OPEN:
        OPEN.pop().close()


def connected(page):
    place = urlsplit(page.url)
    client = socket.create_connection((place.hostname, place.port), timeout=30)
    OPEN.append(client)
    return client


class Watch:
    """Measures a page's memory and disk while a block runs."""

    def __init__(self, page):
        self.page, self.disk_mb, self.before_mb = page, 0.0, page.resident_mb()
        self.resident_mb = self.before_mb

    @property
    def grown_mb(self):
        return self.resident_mb - self.before_mb

    def __enter__(self):
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.measure)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join()

    def measure(self):
        while not self.ending.wait(0.02):
            self.disk_mb = max(self.disk_mb, self.page.disk_mb())
            self.resident_mb = max(self.resident_mb, self.page.resident_mb())


def half_open(page):
    """Return a connection that has not said all of its headers."""
    client = connected(page)
    with contextlib.suppress(ConnectionError):
        client.sendall(b"GET / HTTP/1.1\r\n")
    return client


class Raw:
    """A client that sends what it likes."""

    def __init__(self, page, path="/", size=None, kind="application/json", sent=b""):
        self.socket = connected(page)
        head = f"{'GET' if size is None else 'POST'} {path} HTTP/1.1\r\nHost: {urlsplit(page.url).netloc}\r\n"
        if size is not None:
            head += f"Content-Type: {kind}\r\nContent-Length: {size}\r\n"
        with contextlib.suppress(ConnectionError):
            self.socket.sendall(head.encode() + b"\r\n" + sent)

    def status(self):
        """Return the answer's status; 0 if the connection ends without one."""
        with contextlib.suppress(OSError):
            return int(self.socket.recv(12).split()[1])
        return 0


def at_once(function, count=CLIENTS):
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(function, range(count)))


def form(content):
    head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="me.png"\r\n\r\n'
    return head + content + b"\r\n--x--\r\n"


def eventually(condition, seconds=15):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)
    return condition()


def half_upload(page, size=1_900_000):
    body = form(bytes(size))
    return Raw(page, "/gradio_api/upload", len(body), "multipart/form-data; boundary=x", body[: len(body) // 2])


def works(page):
    """Say whether the next visitor's picture is answered."""
    with Caller(page.url) as caller:
        return caller.picture(encoded(portrait()))[0] == "complete"


def test_uploads_that_leave_are_deleted_and_slow_ones_end(crowded):
    before = crowded.disk_mb()
    with Watch(crowded) as watch:
        clients = at_once(lambda _: half_upload(crowded))
        time.sleep(0.5)
        for client in clients[: CLIENTS // 2]:
            client.socket.close()
        statuses = [client.status() for client in clients[CLIENTS // 2 :]]
    assert watch.disk_mb <= DISK_MB
    assert watch.grown_mb < 100
    assert set(statuses) <= {408, 503}
    assert eventually(lambda: crowded.disk_mb() == pytest.approx(before, abs=0.01))
    assert works(crowded)


def test_fifty_uploads_at_once_stay_within_the_disk(crowded):
    content = bytes(1_900_000)

    def give(_):
        with Caller(crowded.url) as caller:
            return caller.http.post("gradio_api/upload", files={"files": ("me.png", content)}).status_code

    with Watch(crowded) as watch:
        statuses = at_once(give)
    assert set(statuses) == {200, 503}
    assert 10 <= statuses.count(200) <= DISK_MB / 1.9
    assert watch.disk_mb <= DISK_MB
    assert watch.grown_mb < 100
    for path in crowded.folder.iterdir():  # For the next test, as after a quarter of an hour.
        for each in sorted(path.rglob("*"), reverse=True):
            each.rmdir() if each.is_dir() else each.unlink()


def test_half_sent_requests_stay_within_the_memory(crowded):
    size = 4_000_000
    with Watch(crowded) as watch:
        clients = at_once(lambda _: Raw(crowded, "/gradio_api/call/predict_picture", size, sent=bytes(size - 10)))
        statuses = [client.status() for client in clients]
    assert set(statuses) <= {408, 503}
    assert statuses.count(408) <= WAITING_MB / 4
    assert watch.grown_mb < 4 * WAITING_MB
    assert works(crowded)


def test_large_requests_that_wait_in_the_queue_stay_within_the_memory(crowded):
    document = json.dumps({"data": [file("gone.mp4", orig_name="x" * 3_900_000), 0.1, True, False]}).encode()

    def ask(_):
        with Caller(crowded.url) as caller:
            headers = {"Content-Type": "application/json"}
            return caller.http.post("gradio_api/call/predict_video", content=document, headers=headers).status_code

    with Watch(crowded) as watch:
        statuses = at_once(ask)
    assert set(statuses) <= {200, 503}
    assert watch.grown_mb < 10 * WAITING_MB
    assert works(crowded)


def test_jobs_of_clients_who_left_do_not_keep_the_next_one_waiting(crowded, tmp_path):
    path = write_video(tmp_path / "a.mp4", moving(100, size=(320, 240), zoom=0.6), rate=25)
    with Caller(crowded.url) as caller:
        given = caller.upload(path.read_bytes(), "a.mp4")
        begun = time.monotonic()
        assert caller.call("predict_video", file(given), 0.04, True, False)[0] == "complete"
        one_s = time.monotonic() - begun

        def leave(number):
            with Caller(crowded.url) as visitor:
                answer = visitor.http.post(
                    "gradio_api/call/predict_video", json={"data": [file(given), 0.04, True, False]}
                )
                if answer.status_code == 200 and number % 2:
                    event = answer.json()["event_id"]
                    with visitor.http.stream("GET", f"gradio_api/call/predict_video/{event}"):
                        pass  # Leaves without reading.
                return answer.status_code

        statuses = at_once(leave)
        assert set(statuses) == {200, 503}  # At most one runs, and 12 wait.
        begun = time.monotonic()
        assert eventually(lambda: caller.call("predict_video", file(given), 0.5, True, False)[0] == "complete", 60)
        assert time.monotonic() - begun < 5 + 2 * one_s


def test_connections_that_stay_half_open_do_not_keep_others_out(crowded):
    with Watch(crowded) as watch:
        for _ in range(4 * CONNECTIONS):
            half_open(crowded)
        begun = time.monotonic()
        assert works(crowded)
        assert time.monotonic() - begun < 10
    assert watch.grown_mb < 50


def test_heartbeats_take_at_most_half_of_the_connections(crowded):
    clients = at_once(lambda number: Raw(crowded, f"/gradio_api/heartbeat/{number}"))
    statuses = [client.status() for client in clients]
    assert statuses.count(200) == CONNECTIONS // 2
    assert statuses.count(503) == CLIENTS - CONNECTIONS // 2
    assert works(crowded)
    for client in clients:
        client.socket.close()
    assert eventually(lambda: Raw(crowded, "/gradio_api/heartbeat/x").status() == 200)


def test_few_files_neither_close_the_page_nor_fill_its_log(tmp_path):
    """Four hundred half-open requests to a page that may open 300 files; then its terminal is closed."""
    page = start_page(tmp_path, max_files=300)
    for _ in range(400):
        half_open(page)
    assert works(page)
    time.sleep(3)
    assert works(page)
    assert page.log.stat().st_size < 10_000
    assert page.stop(signal.SIGHUP) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["log.txt"]
