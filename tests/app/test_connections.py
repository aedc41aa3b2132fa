"""The server's limits on connections, with a small application behind it."""

import contextlib
import socket
import subprocess
import sys
import threading
import time

import pytest

pytest.importorskip("gradio", reason="gradio is not installed: pip install 'vlfau[app]'")

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse

from vlfau.app.connections import PageServer
from vlfau.app.site import PageLimits

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"


@contextlib.contextmanager
def serving(**limits):
    """Run a server that answers with the length of a body; yield how to connect, and the errors of the application."""
    broken_off = []

    async def app(scope, receive, send):
        if scope["type"] != "http":
            assert (await receive())["type"] == "lifespan.startup"
            await send({"type": "lifespan.startup.complete"})
            return
        try:
            body = await Request(scope, receive).body()
        except ClientDisconnect as error:
            broken_off.append(error)
            return
        await PlainTextResponse(f"got {len(body)}")(scope, receive, send)

    async def nothing():
        pass

    server = PageServer(app, limits=PageLimits(**limits), each_second=nothing, on_stop=lambda: None)
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as stack:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)

        def connect(sent=b""):
            client = stack.enter_context(socket.create_connection(listener.getsockname(), timeout=10))
            client.sendall(sent)
            return client

        yield connect, broken_off
        server.should_exit = True
        thread.join(10)


def answer(client):
    """Return what a server says until it closes the connection or has answered."""
    text = b""
    with contextlib.suppress(ConnectionError):
        while part := client.recv(1000):
            text += part
            if b"got " in text:
                break
    return text.decode()


def ends_s(client, trickle):
    """Return after how many seconds a server closes a connection that sends a byte now and then, or nothing."""
    begun = time.monotonic()
    client.settimeout(0.05)
    while time.monotonic() - begun < 5:
        try:
            client.sendall(trickle)
            if client.recv(1000) == b"":
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - begun


@pytest.mark.parametrize("trickle", [b"", b"X"])
@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nX: ", GET])
def test_headers_that_do_not_come_or_trickle_end_the_connection(sent, trickle):
    with serving(headers_s=0.5) as (connect, _):
        client = connect(sent)
        if sent is GET:
            assert answer(client).endswith("got 0")
        assert 0.3 < ends_s(client, trickle) < 2


def test_a_body_that_does_not_come_gets_an_answer_and_ends():
    with serving(body_s=0.5, min_bytes_per_s=1000) as (connect, broken_off):
        silent, stopped, slow, enough = (connect(POST) for _ in range(4))
        stopped.sendall(bytes(900))
        for _ in range(10):
            enough.sendall(bytes(100))
            with contextlib.suppress(ConnectionError):
                slow.sendall(bytes(10))
            time.sleep(0.08)
        assert answer(enough).endswith("got 1000")
        for client in (silent, stopped, slow):
            text = answer(client)
            assert text.startswith("HTTP/1.1 408")
            assert text.endswith("took too long to arrive")
        assert len(broken_off) == 3


def test_idle_connections_make_room_for_the_next_visitor():
    with serving(connections=10) as (connect, _):
        idle = [connect() for _ in range(30)]
        time.sleep(0.3)
        assert answer(connect(GET)).endswith("got 0")
        assert answer(idle[0]) == ""  # The oldest went first.


def test_when_all_are_busy_the_next_visitor_is_told_so():
    with serving(connections=10) as (connect, _):
        busy = [connect(POST) for _ in range(10)]
        time.sleep(0.3)
        text = answer(connect(GET))
        assert text.startswith("HTTP/1.1 503")
        assert text.endswith("try again in a minute")
        busy[0].sendall(bytes(1000))
        assert answer(busy[0]).endswith("got 1000")
        busy[0].close()
        time.sleep(0.3)
        assert answer(connect(GET)).endswith("got 0")


LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300))
from vlfau.app.connections import connection_limit
print(connection_limit(256))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_connections_leave_enough_of_the_files_that_the_process_may_open():
    printed = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True, check=True).stdout
    assert int(printed) == (300 - 64) // 4
