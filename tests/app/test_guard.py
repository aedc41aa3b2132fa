import json
from pathlib import Path

import pytest

pytest.importorskip("gradio", reason="gradio is not installed: pip install 'vlfau[app]'")

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from vlfau.app.disk import Disk
from vlfau.app.guard import Guard
from vlfau.app.hosts import Hosts
from vlfau.app.site import PageLimits
from vlfau.app.visitors import Visitors

API = "/gradio_api"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "me.jpg").write_bytes(bytes(500_000))
    return tmp_path


class Queue:
    """Gradio's queue with as many waiting jobs as a test says."""

    max_size = 3

    def __init__(self):
        self.waiting = 0

    def __len__(self):
        return self.waiting


@pytest.fixture
def queue():
    return Queue()


@pytest.fixture
def client(folder, queue):
    """Talks to a guard before a server that answers with what it was sent."""

    async def echo(scope, receive, send):
        body = await Request(scope, receive).body()
        await PlainTextResponse(body or "server")(scope, receive, send)

    guard = Guard(
        echo,
        limits=PageLimits(max_upload_mb=0.2, max_kept_mb=0.65),
        disk=Disk(folder, 650_000),
        hosts=Hosts("127.0.0.1", ["faces.example.org"]),
        visitors=Visitors(queue, max_bytes=20_000_000),
    )
    return TestClient(guard, base_url="http://127.0.0.1:7860")


def upload(client, size, **headers):
    return client.post(f"{API}/upload", files={"files": ("me.png", bytes(size))}, headers=headers)


@pytest.mark.parametrize(
    "path", ["/", "/config", "/theme.css", "/assets/a.js", f"{API}/info", f"{API}/call/predict_picture/1"]
)
def test_what_the_page_needs_passes(client, path):
    assert client.get(path).text == "server"


@pytest.mark.parametrize(
    "path",
    [
        *(f"{API}/{name}" for name in ("proxy=http://127.0.0.1", "openapi.json", "vibe-code", "runs", "token", "mcp")),
        *("/docs", "/openapi.json", "/monitoring", "/monitoring/summary", "/login", f"{API}/deep_link"),
    ],
)
def test_other_addresses_of_gradio_are_not_there(client, path):
    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404


@pytest.mark.parametrize(
    "name", ["run/predict_picture", "api/predict", "process_recording", "vibe-edit", "component_server"]
)
def test_nothing_goes_past_the_queue(client, name):
    assert client.post(f"{API}/{name}", json={"data": []}).status_code == 404


def test_only_files_of_visitors_are_given_out(client, folder):
    assert client.get(f"{API}/file={folder}/a/me.jpg").text == "server"
    for path in ("/etc/passwd", "http://127.0.0.1/", f"{folder}/../other", f"{folder}-other/me.jpg", "me.jpg", ""):
        assert client.get(f"{API}/file={path}").status_code == 404, path


def test_a_request_that_names_a_file_elsewhere_is_refused(client):
    for path in ("http://169.254.169.254/latest", "https://example.org/a.png", "ftp://example.org/a"):
        body = {"data": [{"path": path, "meta": {"_type": "gradio.FileData"}}]}
        for name in ("queue/join", "call/predict_picture", "stream/1"):
            response = client.post(f"{API}/{name}", json=body)
            assert (response.status_code, "not named by an address" in response.text) == (400, True)


def test_a_path_that_would_fill_the_log_is_refused(client):
    response = client.post(f"{API}/call/predict_picture", json={"data": [{"path": "x" * 100_000}]})
    assert (response.status_code, "too long" in response.text) == (400, True)


def test_a_request_passes_unchanged(client):
    body = json.dumps({"data": [{"path": "/tmp/a.png", "url": "http://127.0.0.1/a.png"}, True]}).encode()
    assert client.post(f"{API}/call/predict_picture", content=body).content == body


def test_a_request_that_is_no_json_or_too_large_is_refused(client):
    assert client.post(f"{API}/queue/join", content=b"{").status_code == 400
    assert client.post(f"{API}/queue/join", content=b"[" * 500_000).status_code == 400
    assert client.post(f"{API}/queue/join", content=b" " * 8_000_001).status_code == 413


def test_an_upload_says_its_length_which_is_limited(client):
    assert upload(client, 100_000).status_code == 200
    assert upload(client, 300_001).status_code == 413
    assert client.post(f"{API}/upload", content=iter([b"a", b"b"])).status_code == 411


def test_an_upload_is_stored_in_a_folder_of_its_own(client, folder):
    (first,), (second,) = upload(client, 10).json(), upload(client, 10).json()
    assert first != second
    for path in (first, second):
        assert folder in Path(path).parents
        assert Path(path).read_bytes() == bytes(10)


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"", "text/plain"), (b"no form", "multipart/form-data; boundary=x"), (b"x", "multipart/form-data")],
)
def test_an_upload_that_is_no_form_is_refused_and_leaves_nothing(client, folder, content, kind):
    before = set(folder.rglob("*"))
    response = client.post(f"{API}/upload?upload_id=1", content=content, headers={"Content-Type": kind})
    assert response.status_code == 400
    assert set(folder.rglob("*")) == before


def test_a_full_disk_folder_takes_no_more_uploads(client):
    response = upload(client, 160_000)  # 500 kB lie there already.
    assert (response.status_code, "as many files as it can" in response.text) == (503, True)


def test_a_full_queue_is_told_before_the_request_is_read(client, queue):
    queue.waiting = 3
    response = client.post(f"{API}/call/predict_picture", content=b"{" * 1000)
    assert (response.status_code, "try again" in response.text) == (503, True)
    assert client.post(f"{API}/stream/1", json={}).status_code == 200  # A frame of a camera that is shown already.


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost", "LOCALHOST:1", "[::1]:7860", "faces.example.org"])
def test_the_page_answers_to_its_own_names(client, host):
    assert client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.168.1.7", "evil.example:7860", ""])
def test_a_name_that_is_not_the_pages_is_refused(client, host):
    response = client.get("/", headers={"Host": host})
    assert response.status_code == 403
    assert "--allowed-hosts" in response.text or not host
    assert client.get("/", headers={"X-Forwarded-Host": "evil.example"}).status_code == 403


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:7860", 200),
        ("https://faces.example.org", 200),
        ("http://127.0.0.1:9999", 403),
        ("http://evil.example", 403),
        ("null", 403),
        ("http://[", 403),
    ],
)
def test_pages_elsewhere_may_not_upload_or_ask(client, folder, origin, status):
    before = set(folder.rglob("*"))
    assert upload(client, 10, Origin=origin).status_code == status
    assert (set(folder.rglob("*")) == before) is (status == 403)
    assert client.post(f"{API}/queue/join", json={}, headers={"Origin": origin}).status_code == status


def test_the_browser_is_told_to_ask_nobody_else(client, folder):
    page, file = client.get("/").headers, client.get(f"{API}/file={folder}/a/me.jpg").headers
    assert "default-src 'self'" in page["content-security-policy"]
    assert "http" not in page["content-security-policy"]
    assert file["content-security-policy"].startswith("sandbox")
    assert {page["x-content-type-options"], file["x-content-type-options"]} == {"nosniff"}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused(client, method):
    assert client.request(method, "/").status_code == 405
