import json

import pytest

pytest.importorskip("gradio", reason="gradio is not installed: pip install 'vlfau[app]'")

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from vlfau.app.guard import Guard
from vlfau.app.site import PageLimits

API = "/gradio_api"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "me.jpg").write_bytes(bytes(500_000))
    return tmp_path


@pytest.fixture
def client(folder):
    """Talks to a guard before a server that answers with what it was sent."""

    async def echo(scope, receive, send):
        body = await Request(scope, receive).body()
        await PlainTextResponse(body or "server")(scope, receive, send)

    limits = PageLimits(max_upload_mb=0.2, max_kept_mb=0.65)
    return TestClient(Guard(echo, limits=limits, folder=folder))


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


def test_a_request_passes_unchanged(client):
    body = json.dumps({"data": [{"path": "/tmp/a.png", "url": "http://127.0.0.1/a.png"}, True]}).encode()
    assert client.post(f"{API}/call/predict_picture", content=body).content == body


def test_a_request_that_is_no_json_or_too_large_is_refused(client):
    assert client.post(f"{API}/queue/join", content=b"{").status_code == 400
    assert client.post(f"{API}/queue/join", content=b"[" * 500_000).status_code == 400
    assert client.post(f"{API}/queue/join", content=b" " * 8_000_001).status_code == 413


def test_an_upload_says_its_length_which_is_limited(client):
    assert client.post(f"{API}/upload", content=bytes(100_000)).status_code == 200
    assert client.post(f"{API}/upload", content=bytes(300_001)).status_code == 413
    assert client.post(f"{API}/upload", content=iter([b"a", b"b"])).status_code == 411


def test_a_full_disk_folder_takes_no_more_uploads(client):
    response = client.post(f"{API}/upload", content=bytes(160_000))  # 500 kB lie there already.
    assert (response.status_code, "as many files as it can" in response.text) == (503, True)


def test_the_browser_is_told_to_ask_nobody_else(client, folder):
    page, file = client.get("/").headers, client.get(f"{API}/file={folder}/a/me.jpg").headers
    assert "default-src 'self'" in page["content-security-policy"]
    assert "http" not in page["content-security-policy"]
    assert file["content-security-policy"].startswith("sandbox")
    assert {page["x-content-type-options"], file["x-content-type-options"]} == {"nosniff"}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused(client, method):
    assert client.request(method, "/").status_code == 405
