"""The page in a browser: what is shown, by keyboard, to a screen reader, on a phone, with a camera, and offline."""

import csv
import itertools
import json
import zipfile
from contextlib import contextmanager
from fractions import Fraction

import av
import numpy as np
import pytest

pytest.importorskip("gradio", reason="gradio is not installed: pip install 'vlfau[app]'")
pytest.importorskip("playwright", reason="playwright is not installed: pip install playwright")
from PIL import Image
from playwright.sync_api import sync_playwright
from pyarrow.parquet import read_table

from tests.video.clips import photograph
from vlfau.drawing.theme import format_percent
from vlfau.inference.predictor import Predictor

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def browser(chromium, tmp_path_factory):
    """A browser whose camera shows the left 512 of its 640 pixels of the photograph, and black beside it."""
    film = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    scene = np.zeros((480, 640, 3), np.uint8)
    scene[:, :512] = photograph()[:480]
    with av.open(str(film), "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuvj420p"
        for number in range(10):
            frame = av.VideoFrame.from_ndarray(scene, format="rgb24").reformat(format="yuvj420p")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                f"--use-file-for-fake-video-capture={film}",
            ],
        )
        yield browser
        browser.close()


@contextmanager
def visiting(browser, page, *, size=DESK, may_fail=False, script=""):
    """Open the page in a browser that reaches only this computer; at the end nothing must have failed there."""
    context = browser.new_context(viewport=size, permissions=["camera"])
    context.add_init_script(script)
    context.set_default_timeout(PATIENCE_MS)
    tab = context.new_page()
    wrong = []

    def only_here(route):
        if route.request.url.startswith((page.url, "data:", "blob:")):
            route.continue_()
        else:
            wrong.append(f"asked for {route.request.url}")
            route.abort()

    context.route("**/*", only_here)
    # An answer or a film that is not wanted any more is broken off.
    tab.on("requestfailed", lambda request: request.failure == "net::ERR_ABORTED" or wrong.append(request.url))
    tab.on("response", lambda response: response.status < 400 or wrong.append(f"{response.status} {response.url}"))
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("console", lambda message: message.type != "error" or wrong.append(message.text))
    tab.goto(page.url)
    tab.get_by_role("heading", level=1).wait_for()
    yield tab
    context.close()
    assert may_fail or wrong == []


def give(tab, path):
    """Choose a file on the tab that is shown."""
    tab.locator("[role=tabpanel]:visible input[type=file]").first.set_input_files(path)


def press(tab, name):
    tab.get_by_role("button", name=name, exact=True).click()


def has_overflow(tab):
    return tab.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


@pytest.fixture(scope="module")
def expected(astronaut):
    (face,) = Predictor().predict(astronaut)
    return face


def test_a_picture_gives_bars_words_reasons_and_tables(browser, page, astronaut, expected, tmp_path):
    with visiting(browser, page) as tab:
        give(tab, astronaut)
        face = tab.get_by_role("region", name="Face 1")
        face.wait_for()
        assert f"{len(expected.active_aus)} of {len(expected.aus)} action units are active" in face.inner_text()
        for words in (expected.global_caption, *(au.local_caption for au in expected.active_aus)):
            assert tab.locator("body").inner_text().count(words) == 1
        rows = face.locator("summary").all()
        assert len(rows) == len(expected.aus)
        for row, au in zip(rows, expected.aus, strict=True):
            text = row.inner_text().split()
            assert (text[0], text[-1]) == (au.label, "active" if au.state else "inactive")
            assert " ".join(text[-4 if text[-4] in "<>" else -3 : -1]) == format_percent(au.prob)

        chosen = expected.aus[0]
        rows[0].click()
        reasons = face.locator("details[open]").filter(has_text=chosen.name)
        assert reasons.get_by_role("img").get_attribute("alt").startswith(f"Heat map of {chosen.label} over the face")
        assert "frontalis, pars medialis" in reasons.inner_text()
        assert "no evidence" in reasons.locator("figcaption").inner_text()
        assert format_percent(chosen.prob) in reasons.locator("dd").all_inner_texts()
        assert face.locator("details[open]").count() == 1

        saved = {}
        for button in ("Annotated picture", "CSV", "JSON Lines", "Parquet"):
            with tab.expect_download() as download:
                press(tab, button)
            saved[button] = download.value.suggested_filename
            download.value.save_as(tmp_path / saved[button])
        assert list(saved.values()) == ["astronaut.vlfau.jpg", "astronaut.csv", "astronaut.jsonl", "astronaut.parquet"]
        assert min(Image.open(tmp_path / "astronaut.vlfau.jpg").size) > 300
        assert read_table(tmp_path / "astronaut.parquet")["AU12_state"].to_pylist() == [expected[12].state]
        with (tmp_path / "astronaut.csv").open(newline="") as stream:
            (row,) = csv.DictReader(stream)
        assert float(row["AU12_prob"]) == pytest.approx(
            next(au.prob for au in expected.aus if au.au_id == 12), abs=1e-3
        )
        lines = (tmp_path / "astronaut.jsonl").read_text().splitlines()
        assert [json.loads(line)["file"] for line in lines[1:]] == ["astronaut.png"]


def test_of_several_faces_one_is_chosen_by_its_name_or_a_click_on_it(browser, page, three_png):
    with visiting(browser, page) as tab:
        give(tab, three_png)
        tab.get_by_role("heading", name="Face 1 of 3").wait_for()
        assert tab.get_by_alt_text("Your picture with 3 faces").count() == 1
        boxes = tab.locator(".scene .box")
        assert boxes.count() == 3
        tab.get_by_role("radio", name="Face 3", exact=True).check()
        tab.get_by_role("heading", name="Face 3 of 3").wait_for()
        assert tab.get_by_role("heading", name="Face 1 of 3").count() == 0
        boxes.nth(1).click()
        tab.get_by_role("heading", name="Face 2 of 3").wait_for()
        assert tab.get_by_role("radio", name="Face 2", exact=True).is_checked()
        assert [box.get_attribute("aria-pressed") for box in boxes.all()] == ["false", "true", "false"]


def test_the_example_picture_is_analysed(browser, page):
    with visiting(browser, page) as tab:
        press(tab, "Try an example picture")
        tab.get_by_role("region", name="Face 1").wait_for()
        assert tab.get_by_alt_text("Your picture").is_visible()


def test_several_pictures_are_answered_together_and_one_that_is_none_costs_only_itself(
    browser, page, three_png, astronaut, tmp_path
):
    (tmp_path / "fake.png").write_text("no picture")
    Image.new("RGB", (200, 200), "grey").save(tmp_path / "grey.png")
    with visiting(browser, page) as tab:
        tab.get_by_role("tab", name="Several pictures").click()
        give(tab, [three_png, astronaut, tmp_path / "grey.png", tmp_path / "fake.png"])
        tab.get_by_text("fake.png").first.wait_for()
        press(tab, "Look at the pictures")
        tab.get_by_role("heading", name="Face 1 of 3 three.png").wait_for()
        alert = tab.get_by_role("alert").inner_text()
        assert alert.startswith("4 faces were found in 3 pictures. fake.png is not a picture")
        assert tab.get_by_text("grey.png: no face found").count() == 1
        tab.get_by_role("button", name="Show face 1 of astronaut.png").click()
        tab.get_by_role("heading", name="Face 1 astronaut.png").wait_for()
        for button, name in (("Annotated pictures", "pictures.zip"), ("CSV", "pictures.csv")):
            with tab.expect_download() as download:
                press(tab, button)
            assert download.value.suggested_filename == name
            download.value.save_as(tmp_path / name)
    assert zipfile.ZipFile(tmp_path / "pictures.zip").namelist() == ["three.vlfau.jpg", "astronaut.vlfau.jpg"]
    with (tmp_path / "pictures.csv").open(newline="") as stream:
        files = [row["file"] for row in csv.DictReader(stream)]
    assert files == ["three.png"] * 3 + ["astronaut.png", "grey.png"]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ("NotAllowedError", "The camera was refused"),
        ("NotFoundError", "No camera was found"),
        ("NotReadableError", "another program may be using it"),
        ("TypeError", "The camera cannot be used (TypeError)"),
    ],
)
def test_a_camera_that_fails_says_why(browser, page, error, message):
    script = f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('', '{error}') }}"
    with visiting(browser, page, may_fail=True, script=script) as tab:
        tab.get_by_role("tab", name="Live camera").click()
        tab.get_by_text("Click to Access Webcam").last.click()
        tab.get_by_role("alert").get_by_text(message).wait_for()


def test_a_page_without_https_says_that_it_gets_no_camera(browser, page):
    script = """
      Object.defineProperty(window, 'isSecureContext', {value: false});
      Object.defineProperty(navigator, 'mediaDevices', {value: undefined});
    """
    with visiting(browser, page, may_fail=True, script=script) as tab:
        press(tab, "Capture from camera")
        tab.get_by_text("Click to Access Webcam").first.click()
        tab.get_by_role("alert").get_by_text("only on pages with https").wait_for()


@pytest.mark.parametrize(
    ("link", "heading"),
    [
        ("What is an action unit?", "What is an action unit?"),
        ("About the model", "About the model"),
        ("Privacy and ethics", "Privacy and ethics"),
    ],
)
def test_links_lead_to_what_an_action_unit_is_to_the_model_and_to_ethics(browser, page, link, heading):
    with visiting(browser, page, size=PHONE) as tab:
        tab.get_by_role("link", name=link).click()
        tab.wait_for_function(IN_VIEW, arg=f"#{tab.get_by_role('heading', name=heading).get_attribute('id')}")
        assert tab.get_by_role("tab", name="About").get_attribute("aria-selected") == "true"
        assert "lip corner puller" in tab.get_by_role("region", name="Action units of the model").inner_text().lower()


IN_VIEW = """place => {
  const box = document.querySelector(place)?.getBoundingClientRect();
  return box && box.height > 0 && box.top >= 0 && box.top < innerHeight - 40;
}"""


def test_on_a_telephone_the_answer_scrolls_into_view(browser, page, astronaut):
    with visiting(browser, page, size=PHONE) as tab:
        give(tab, astronaut)
        tab.wait_for_function(IN_VIEW, arg=".face")


def test_progress_is_not_printed_over_other_text(browser, page, two_mp4):
    with visiting(browser, page) as tab:
        tab.get_by_role("tab", name="Video").click()
        give(tab, two_mp4)
        tab.locator("video").wait_for()
        hint = tab.get_by_text("Upload a video or record one")
        assert hint.is_visible()
        press(tab, "Look at the video")
        tab.locator(".status-line:visible .progress-text").first.wait_for()
        assert not hint.is_visible()
        tab.get_by_role("heading", name="What happened").wait_for()


def test_words_for_inactive_action_units_are_given_when_asked_for(browser, page, astronaut, expected):
    inactive = next(au for au in expected.aus if not au.state)
    with visiting(browser, page) as tab:
        give(tab, astronaut)
        row = tab.locator("summary").filter(has=tab.get_by_text(inactive.label, exact=True))
        row.click()
        reasons = tab.locator("details[open]")
        assert "Not requested" in reasons.inner_text()
        tab.get_by_label("Captions for inactive action units too").check()
        tab.locator("details:not([open])").filter(has=row).wait_for()  # The answer is shown anew.
        row.click()
        assert "Not requested" not in reasons.inner_text()


def test_a_picture_that_is_none_says_so_and_the_next_one_works(browser, page, tmp_path, astronaut):
    (tmp_path / "fake.png").write_text("no picture")
    with visiting(browser, page) as tab:
        give(tab, tmp_path / "fake.png")
        alert = tab.get_by_role("alert")
        alert.wait_for()
        assert alert.inner_text().startswith("fake.png is not a picture that vlfau can read")
        tab.get_by_label("Remove Image").click()
        tab.get_by_text("Upload, paste or take a picture").wait_for()
        give(tab, astronaut)
        tab.get_by_role("region", name="Face 1").wait_for()


def test_a_picture_without_a_face_says_so(browser, page, tmp_path):
    Image.new("RGB", (200, 200), "grey").save(tmp_path / "grey.png")
    with visiting(browser, page) as tab:
        give(tab, tmp_path / "grey.png")
        tab.get_by_role("alert").get_by_text("No face found").wait_for()


def test_a_file_that_is_too_large_is_refused_in_words(browser, page, tmp_path):
    (tmp_path / "big.png").write_bytes(b"\x89PNG" + bytes(3_000_000))
    with visiting(browser, page, may_fail=True) as tab:
        give(tab, tmp_path / "big.png")
        tab.get_by_text("exceed the maximum allowed size").wait_for()


def test_a_video_gives_summary_timeline_events_and_report(browser, page, two_mp4, tmp_path):
    with visiting(browser, page) as tab:
        tab.get_by_role("tab", name="Video").click()
        press(tab, "Look at the video")
        tab.get_by_role("alert").get_by_text("choose one first").wait_for()
        give(tab, two_mp4)
        tab.locator("video").wait_for()
        tab.get_by_label("5 frames per second", exact=True).check()
        press(tab, "Look at the video")
        tab.get_by_role("heading", name="What happened").wait_for()
        assert "10 frames analysed: 2 faces were found" in tab.locator("[role=tabpanel]:visible").inner_text()
        assert tab.locator("img.timeline:visible").count() == 1
        assert tab.get_by_role("columnheader").all_inner_texts()[:6] == [
            *("Face", "Action unit", "Onset", "Apex", "Offset", "Peak")
        ]
        names = {}
        for button in (
            "Report HTML",
            "Events CSV",
            "Frames CSV",
            "Frames JSON Lines",
            "Frames Parquet",
            "Timeline SVG",
        ):
            with tab.expect_download() as download:
                press(tab, button)
            names[button] = download.value.suggested_filename
            download.value.save_as(tmp_path / names[button])
        assert list(names.values()) == [
            *("two-report.html", "two-events.csv", "two.csv", "two.jsonl", "two.parquet", "two-timeline.svg")
        ]
        assert "<title>" in (tmp_path / "two-report.html").read_text()


def test_a_snapshot_of_the_camera_is_judged_unmirrored(browser, page, tmp_path):
    with visiting(browser, page) as tab:
        press(tab, "Capture from camera")
        tab.get_by_text("Click to Access Webcam").first.click()
        press(tab, "capture photo")
        tab.get_by_role("region", name="Face 1").wait_for()
        with tab.expect_download() as download:
            press(tab, "CSV")
        with download.value.path().open(newline="") as stream:
            (row,) = csv.DictReader(stream)
        # The face is at 177 to 274 of 512 pixels in the photograph, so left of the middle of 640; mirrored, right.
        assert float(row["box_x1"]) == pytest.approx(177, abs=8)
        assert float(row["box_x2"]) == pytest.approx(274, abs=8)


@pytest.mark.slow
def test_a_recording_of_the_camera_is_judged(browser, page):
    with visiting(browser, page) as tab:
        tab.get_by_role("tab", name="Video").click()
        panel = tab.locator("[role=tabpanel]:visible")
        panel.get_by_label("Capture from camera").click()
        panel.get_by_text("Click to Access Webcam").click()
        panel.get_by_role("button", name="Record").click()
        tab.wait_for_timeout(1500)
        panel.get_by_role("button", name="Stop").click()
        panel.locator("video[src]").first.wait_for()
        tab.wait_for_timeout(500)
        press(tab, "Look at the video")
        tab.get_by_role("heading", name="What happened").wait_for()
        assert "one face was found" in panel.inner_text()


def test_the_live_camera_moves_the_bars(browser, page, expected):
    with visiting(browser, page) as tab:
        tab.get_by_role("tab", name="Live camera").click()
        tab.get_by_text("Click to Access Webcam").last.click()
        tab.get_by_role("button", name="Record").click()
        tab.locator(".live li").first.wait_for()
        assert tab.locator(".live li").count() == len(expected.aus)
        tab.get_by_role("button", name="Stop").click()
        assert not list(page.folder.glob("*.frame"))


def test_nothing_is_cut_off_and_text_stands_out_in_light_and_dark_on_desk_and_phone(browser, page, astronaut):
    with visiting(browser, page) as tab:
        tab.add_style_tag(content="*, *::before, *::after { transition: none !important }")  # Colours change at once.
        give(tab, astronaut)
        tab.get_by_role("region", name="Face 1").wait_for()
        tab.locator("summary").first.click()
        for scheme, size in itertools.product(("light", "dark"), (DESK, PHONE)):
            tab.set_viewport_size(size)
            tab.emulate_media(color_scheme=scheme)
            tab.locator("body.dark" if scheme == "dark" else "body:not(.dark)").wait_for()
            assert not has_overflow(tab)
            assert tab.evaluate(CLIPPED) == []
            for place in PLACES:
                for element in tab.locator(place).all()[:2]:
                    assert contrast(element) >= 4.5, (scheme, place)


PLACES = (".notice", ".status", ".hint", ".words", "summary .name", ".active summary .state", ".why dt", "figcaption")
CLIPPED = """() => [...document.querySelectorAll('summary > span, .words, .status, .why *, h1, h2, h3')]
  .filter(e => e.offsetParent && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display != 'inline')
  .map(e => e.className || e.tagName)"""


COLOURS = """element => {
  const canvas = document.createElement('canvas').getContext('2d');
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const ground = at => rgba(getComputedStyle(at).backgroundColor);
  let behind = element;
  while (behind.parentElement && ground(behind)[3] == 0) behind = behind.parentElement;
  return [rgba(getComputedStyle(element).color), ground(behind)];
}"""


def contrast(element):
    """The contrast of a text with what is behind it, by WCAG: 1 to 21."""
    dark, light = sorted(luminance(colour) for colour in element.evaluate(COLOURS))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    shares = np.array(colour[:3]) / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_the_page_is_used_by_keyboard_and_shows_where_the_focus_is(browser, page, three_png):
    with visiting(browser, page) as tab:
        give(tab, three_png)
        tab.get_by_role("region", name="Face 1").wait_for()
        tab.locator("body").click(position={"x": 5, "y": 5})
        stops = []
        for _ in range(40):
            tab.keyboard.press("Tab")
            stop = tab.evaluate(
                """() => { const e = document.activeElement, style = getComputedStyle(e);
                  return {text: (e.innerText || e.ariaLabel || e.labels?.[0]?.innerText || '').split('\\n')[0].trim(),
                    tag: e.tagName, visible: style.outlineStyle != 'none' && parseFloat(style.outlineWidth) >= 2}; }"""
            )
            stops.append(stop)
            if stop["text"] == "Parquet":
                break
        texts = [stop["text"] for stop in stops]
        order = [
            next(number for number, text in enumerate(texts) if text.startswith(name))
            for name in ("Picture", "Upload file", "Captions must agree", "Face 1", "AU1", "Annotated")
        ]
        assert order == sorted(order)
        assert [stop for stop in stops if stop["tag"] != "BODY" and not stop["visible"]] == []

        tab.locator("summary").first.focus()
        tab.keyboard.press("Enter")
        assert tab.locator("details[open] summary").inner_text().startswith("AU1")
        tab.get_by_role("radio", name="Face 1", exact=True).focus()
        tab.keyboard.press("ArrowRight")
        tab.get_by_role("heading", name="Face 2 of 3").wait_for()


UNNAMED = """() => [...document.querySelectorAll('button, input, summary, [tabindex="0"]')]
  .filter(e => e.offsetParent && !(e.innerText || e.ariaLabel || e.title || e.labels?.[0]?.innerText || '').trim())
  .map(e => e.outerHTML.slice(0, 120))"""


def test_a_screen_reader_finds_names_roles_and_language(browser, page, astronaut):
    with visiting(browser, page) as tab:
        give(tab, astronaut)
        tab.get_by_role("region", name="Face 1").wait_for()
        assert tab.locator("html").get_attribute("lang") == "en"
        assert tab.title() == "vlfau: facial action units"
        assert [
            heading.inner_text().split()[0] for heading in tab.locator("h1:visible, h2:visible, h3:visible").all()
        ] == [
            "vlfau",
            "Face",
            "Action",
            "In",
        ]
        tabs = tab.get_by_role("tab").all_inner_texts()
        assert tabs == ["Picture", "Several pictures", "Video", "Live camera", "About"]
        tab.locator("summary").first.click()
        assert tab.locator("main img:not([alt])").count() == 0
        unnamed = tab.evaluate(UNNAMED)
        assert unnamed == []
        tree = tab.locator("main").aria_snapshot()
        for line in ('heading "Face 1" [level=2]', 'img "Face 1, cut out and turned upright"', 'img "Heat map of AU'):
            assert line in tree


def test_a_synthetic_models_warning_stands_on_the_page(browser, page):
    with visiting(browser, page, size=PHONE) as tab:
        is_synthetic = Predictor().bundle.info.is_synthetic
        assert tab.get_by_role("note").get_by_text("Don't rely on these results.").count() == int(is_synthetic)
