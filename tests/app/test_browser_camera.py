"""The page in a browser with a camera, or with one that fails."""

import csv

import pytest

pytest.importorskip("gradio", reason="gradio is not installed: pip install 'vlfau[app]'")
pytest.importorskip("playwright", reason="playwright is not installed: pip install playwright")
from tests.app.browsing import press, visiting


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
        tab.get_by_role("tab", name="Camera").click()
        tab.get_by_text("Click to Access Webcam").last.click()
        tab.get_by_role("button", name="Record").click()
        tab.locator(".live li").first.wait_for()
        assert tab.locator(".live li").count() == len(expected.aus)
        tab.get_by_role("button", name="Stop").click()
        assert not list(page.folder.glob("*.frame"))


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
        tab.get_by_role("tab", name="Camera").click()
        tab.get_by_text("Click to Access Webcam").last.click()
        tab.get_by_role("alert").get_by_text(message).wait_for()


def test_a_page_without_https_says_that_it_gets_no_camera(browser, page):
    script = """
      Object.defineProperty(window, 'isSecureContext', {value: false});
      Object.defineProperty(navigator, 'mediaDevices', {value: undefined});
    """
    with visiting(browser, page, may_fail=True, script=script) as tab:
        press(tab, "Capture from camera")
        tab.get_by_role("alert").get_by_text("only on pages with https").wait_for()
