"""The page's interface, as programs and attackers use it."""

import concurrent.futures
import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

pytest.importorskip("gradio_client", reason="gradio_client is not installed: pip install 'vlfau[app]'")
import httpx

from tests.app.serving import start_page
from tests.video.clips import moving, photograph, write_video
from vlfau.inference.predictor import Predictor

DOCUMENT = Path(__file__).parents[2] / "docs" / "app.md"
EVENT = re.compile(r"event: (complete|error)\ndata: (.*)\n")


class Caller:
    """Speaks the documented protocol, without a client."""

    def __init__(self, url):
        self.http = httpx.Client(base_url=url, timeout=60, trust_env=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.close()

    def upload(self, content, name="me.png"):
        response = self.http.post("gradio_api/upload", files={"files": (name, content)})
        response.raise_for_status()
        return response.json()[0]

    def call(self, endpoint, *data):
        """Return "complete" or "error", and what came with it."""
        response = self.http.post(f"gradio_api/call/{endpoint}", json={"data": list(data)})
        response.raise_for_status()
        stream = self.http.get(f"gradio_api/call/{endpoint}/{response.json()['event_id']}")
        kind, data = EVENT.search(stream.text).groups()
        return kind, json.loads(data)

    def picture(self, content, name="me.png", **said):
        return self.call("predict_picture", file(self.upload(content, name), orig_name=name, **said), True, "active")


def file(path, **said):
    return {"path": path, "meta": {"_type": "gradio.FileData"}, **said}


def encoded(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def portrait(tint=(1.0, 1.0, 1.0)):
    """The head of the photograph in another colour."""
    return np.clip(photograph()[0:256, 100:356] * np.array(tint), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def caller(page):
    with Caller(page.url) as caller:
        yield caller


def test_the_documented_commands_work(page, tmp_path, face_mp4, astronaut):
    """Run the Python and the curl example of docs/app.md as they stand."""
    (tmp_path / "photo.jpg").write_bytes(astronaut.read_bytes())
    (tmp_path / "clip.mp4").write_bytes(face_mp4.read_bytes())
    text = DOCUMENT.read_text("utf-8").replace("http://127.0.0.1:7860", page.url.rstrip("/"))
    (python,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (shell,) = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)

    def run(*words):
        done = subprocess.run(
            words,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
            env=os.environ | {"TMPDIR": str(tmp_path)},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    printed = run(sys.executable, "-c", python)
    assert "This person " in printed
    assert "1 face" in printed
    for ending in (".csv", ".jsonl", "-events.csv", "-report.html"):
        assert f"clip{ending}'" in printed
    printed = run("bash", "-euc", shell)
    kind, data = EVENT.search(printed).groups()
    assert (kind, json.loads(data)[0]["file"]) == ("complete", "photo.jpg")


def test_a_picture_is_answered_like_the_predictor(caller):
    kind, (answer,) = caller.picture(encoded(portrait()), "me.png")
    predictor = Predictor()
    (expected,) = predictor.predict(portrait())
    assert kind == "complete"
    assert answer["faces"] == [json.loads(json.dumps(expected.to_dict()))]
    assert answer["model"]["name"] == predictor.bundle.info.name
    assert answer["model"]["au_ids"] == list(predictor.au_ids)
    assert (answer["format"], answer["file"]) == (1, "me.png")


def test_a_video_is_answered_with_events_and_files(caller, face_mp4, page):
    path = caller.upload(face_mp4.read_bytes(), "clip.mp4")
    kind, (answer, files) = caller.call("predict_video", file(path, orig_name="clip.mp4"), 0.2, True, False)
    assert kind == "complete"
    assert (answer["file"], answer["frames"], answer["complete"]) == ("clip.mp4", 5, True)
    assert [face["face_id"] for face in answer["faces"]] == [1]
    assert answer["summary"].startswith("0:01.0, 5 frames, 1 face")
    assert {event["face_id"] for event in answer["events"]} <= {1}
    texts = {}
    for each in files:
        response = caller.http.get(each["url"])
        texts[each["orig_name"]] = response.text
        assert response.headers["content-disposition"].startswith("attachment")
        assert str(page.folder) not in response.text
    assert list(texts) == ["clip.csv", "clip.jsonl", "clip-events.csv", "clip-report.html"]
    rows = list(csv.DictReader(io.StringIO(texts["clip.csv"])))
    assert [row["frame"] for row in rows] == ["0", "4", "8", "12", "16"]
    assert {row["file"] for row in rows} == {"clip.mp4"}
    assert len(texts["clip.jsonl"].splitlines()) == 5
    assert "<html" in texts["clip-report.html"]


def test_an_annotated_video_is_the_fifth_file_if_asked_for(caller, face_mp4):
    path = caller.upload(face_mp4.read_bytes(), "clip.mp4")
    kind, (_, files) = caller.call("predict_video", file(path, orig_name="clip.mp4"), 0.2, True, True)
    assert kind == "complete"
    assert [each["orig_name"] for each in files][3:] == ["clip-report.html", "clip-vlfau.mp4"]
    with av.open(io.BytesIO(caller.http.get(files[-1]["url"]).content)) as drawn:
        assert sum(1 for _ in drawn.decode(video=0)) == 5


def test_a_video_that_breaks_off_is_answered_as_far_as_it_goes(caller, tmp_path):
    path = write_video(tmp_path / "a.mp4", moving(60), rate=20, faststart=True, options={"g": "10"})
    content = path.read_bytes()
    kind, (answer, _) = caller.call(
        "predict_video", file(caller.upload(content[: len(content) // 2], "a.mp4")), 0.2, True, False
    )
    assert (kind, answer["complete"]) == ("complete", False)
    assert 1 < answer["frames"] < 15


@pytest.mark.parametrize("name", ["long.mp4", "long.ts"])
def test_a_video_that_is_too_long_is_refused(caller, tmp_path, name):
    path = write_video(tmp_path / name, moving(50, size=(160, 96), zoom=0.5), rate=10)
    kind, answer = caller.call("predict_video", file(caller.upload(path.read_bytes(), name)), 0.5, True, False)
    assert kind == "error"
    assert f"video {name} is longer than the 4 s that this page takes" in json.dumps(answer)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((0.01, True, False), "every_s is 0.01; give 0.04 to 10"),
        (("often", True, False), "give a number of seconds"),
        ((None, True, False), "give a number"),
    ],
)
def test_parameters_out_of_range_are_refused(caller, face_mp4, data, message):
    kind, answer = caller.call("predict_video", file(caller.upload(face_mp4.read_bytes(), "a.mp4")), *data)
    assert kind == "error"
    assert message in json.dumps(answer)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("me.png", b"no picture"),
        ("me.jpg", b"<html><script>alert(1)</script></html>"),
        ("me.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("me.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n"),
        ("me.png", b"\x89PNG\r\n\x1a\n" + bytes(100)),
        ("me.png", encoded(portrait())[:5000]),
        ("me.png", b""),
    ],
    ids=["text", "html", "svg", "postscript", "damaged", "cut", "empty"],
)
def test_a_file_that_is_no_picture_is_refused_by_its_content(caller, page, name, content):
    kind, answer = caller.picture(content, name)
    assert kind == "error"
    assert "me." in answer["error"].lower()
    assert str(page.temporary) not in answer["error"]


@pytest.mark.parametrize(
    "content", [b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", b"ffconcat version 1.0\nfile /etc/passwd\n"]
)
def test_playlists_do_not_reach_other_files(caller, content):
    kind, answer = caller.call("predict_video", file(caller.upload(content, "a.mp4")), 0.1, True, False)
    assert (kind, "is not a supported video" in answer["error"]) == ("error", True)


def test_a_polyglot_is_taken_for_what_it_begins_with_and_never_shown_as_a_page(caller):
    content = encoded(portrait()) + b"<html><script>alert(document.cookie)</script></html>"
    path = caller.upload(content, "me.html")
    kind, (answer,) = caller.call("predict_picture", file(path), True, "never")
    assert (kind, len(answer["faces"])) == ("complete", 1)
    headers = caller.http.get(f"gradio_api/file={path}").headers
    assert headers["content-disposition"].startswith("attachment")
    assert headers["content-type"] == "application/octet-stream"
    assert headers["x-content-type-options"] == "nosniff"


def test_a_name_with_markup_stays_text(caller):
    kind, (answer,) = caller.picture(encoded(portrait()), "<img src=x onerror=alert(1)>.png")
    assert (kind, answer["file"]) == ("complete", "<img src=x onerror=alert(1)>.png")


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "/proc/self/environ", "{folder}/../log.txt", "{folder}", "../../etc/passwd", "~/.ssh/id_rsa", ""],
)
def test_no_other_file_is_opened_or_given_out(caller, page, path):
    path = path.format(folder=page.folder)
    for endpoint, more in (("predict_picture", (True, "active")), ("predict_video", (0.1, True, False))):
        kind, answer = caller.call(endpoint, file(path, orig_name="me.png"), *more)
        assert kind == "error"
        assert "root:" not in json.dumps(answer)
    response = caller.http.get(f"gradio_api/file={path}")
    assert response.status_code in {403, 404}


def test_a_file_elsewhere_on_the_network_is_not_fetched(caller, page):
    for path in ("http://127.0.0.1:1/a.png", page.url, "https://example.org/a.png"):
        response = caller.http.post("gradio_api/call/predict_picture", json={"data": [file(path), True, "active"]})
        assert response.status_code == 400


def test_an_upload_that_is_too_large_is_refused_at_once(caller, page):
    before = set(page.folder.rglob("*"))
    response = caller.http.post("gradio_api/upload", files={"files": ("big.png", bytes(3_000_000))})
    assert response.status_code == 413
    assert set(page.folder.rglob("*")) <= before


def test_an_upload_cannot_leave_its_folder(caller, page):
    path = Path(caller.upload(encoded(portrait()), "../../../../tmp/evil.png"))
    assert path.is_relative_to(page.folder)


def test_the_page_tells_of_two_endpoints(caller):
    info = caller.http.get("gradio_api/info").json()
    assert set(info["named_endpoints"]) == {"/predict_picture", "/predict_video"}
    assert info["unnamed_endpoints"] == {}
    names = [each["parameter_name"] for each in info["named_endpoints"]["/predict_picture"]["parameters"]]
    assert names == ["picture", "consistent", "describe"]


def test_an_unexpected_failure_shows_a_neutral_sentence_and_no_trace(caller, page):
    """A request with too few parts makes Gradio itself fail."""
    response = caller.http.post("gradio_api/call/predict_picture", json={"data": []})
    stream = caller.http.get(f"gradio_api/call/predict_picture/{response.json()['event_id']}").text
    assert "event: error" in stream
    assert "Traceback" not in stream
    assert "File " not in stream


@pytest.mark.slow
@pytest.mark.parametrize(("requests", "at_once", "rounds"), [(30, 30, 8), (200, 8, 3)])
def test_each_of_many_requests_gets_its_own_answer_at_flat_memory(page, requests, at_once, rounds):
    tints = [tuple(0.7 + 0.3 * share for share in np.random.default_rng(seed).random(3)) for seed in range(requests)]
    predictor = Predictor(describe="never")
    expected = [[au.prob for au in predictor.predict(portrait(tint))[0].aus] for tint in tints]
    contents = [encoded(portrait(tint)) for tint in tints]

    def ask(number):
        with Caller(page.url) as caller:
            kind, (answer,) = caller.picture(contents[number], f"{number}.png")
        assert (kind, answer["file"]) == ("complete", f"{number}.png")
        return [au["prob"] for au in answer["faces"][0]["aus"]]

    used = []
    for _ in range(rounds):
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            answers = list(pool.map(ask, range(requests)))
        np.testing.assert_allclose(answers, expected, atol=2e-3)
        used.append(page.resident_mb() if sys.platform == "linux" else 0)
    assert used[-1] < used[rounds // 2] + 30  # the first rounds fill the allocator's arenas, one per thread
    assert len({tuple(answer) for answer in answers}) == requests


@pytest.mark.slow
def test_the_page_leaves_nothing_behind_and_asks_no_proxy(tmp_path):
    nobody = "http://127.0.0.1:9"
    page = start_page(tmp_path, environment={"HTTP_PROXY": nobody, "HTTPS_PROXY": nobody, "ALL_PROXY": nobody})
    with Caller(page.url) as caller:
        caller.picture(encoded(portrait()))
    assert list(page.folder.rglob("me.png"))
    assert page.stop() == 0
    assert [path.name for path in tmp_path.iterdir()] == ["log.txt"]
    assert page.log.read_text() == ""
