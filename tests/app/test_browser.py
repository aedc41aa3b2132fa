"""The page in a browser: pictures and videos, and what is shown and downloaded."""

import csv
import json
import zipfile

import pytest

pytest.importorskip("gradio", reason="gradio is not installed: pip install 'vlfau[app]'")
pytest.importorskip("playwright", reason="playwright is not installed: pip install playwright")
import av
from PIL import Image
from pyarrow.parquet import read_table

from tests.app.browsing import give, press, visiting
from vlfau.drawing.theme import format_percent


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
            said = " ".join(text[-4 if text[-4] in "<>" else -3 : -1])
            assert said in {format_percent(au.prob + less) for less in (-0.002, 0, 0.002)}

        chosen = expected.aus[0]
        rows[0].click()
        reasons = face.locator("details[open]").filter(has_text=chosen.name)
        assert reasons.get_by_role("img").get_attribute("alt").startswith(f"Heat map of {chosen.label} over the face")
        assert "frontalis, pars medialis" in reasons.inner_text()
        assert "of the eye distance, resting faces" in reasons.locator("dl").inner_text()
        assert "no evidence" in reasons.locator("figcaption").inner_text()
        assert rows[0].locator(".share").inner_text() in reasons.locator("dd").all_inner_texts()
        assert face.locator("details[open]").count() == 1

        saved = {}
        for button in ("Annotated picture", "CSV", "JSON Lines", "Parquet"):
            with tab.expect_download() as download:
                press(tab, button)
            saved[button] = download.value.suggested_filename
            download.value.save_as(tmp_path / saved[button])
        assert list(saved.values()) == ["astronaut.vlfau.jpg", "astronaut.csv", "astronaut.jsonl", "astronaut.parquet"]
        with Image.open(tmp_path / "astronaut.vlfau.jpg") as drawn:
            assert min(drawn.size) > 300
        assert read_table(tmp_path / "astronaut.parquet")["AU12_state"].to_pylist() == [expected[12].state]
        with (tmp_path / "astronaut.csv").open(newline="") as stream:
            (row,) = csv.DictReader(stream)
        assert float(row["AU12_prob"]) == pytest.approx(
            next(au.prob for au in expected.aus if au.au_id == 12), abs=1e-3
        )
        lines = (tmp_path / "astronaut.jsonl").read_text().splitlines()
        assert [json.loads(line)["file"] for line in lines] == ["astronaut.png"]


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
        tab.get_by_text("fake", exact=True).wait_for()  # Gradio shows the ending apart.
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
    with zipfile.ZipFile(tmp_path / "pictures.zip") as archive:
        assert archive.namelist() == ["three.vlfau.jpg", "astronaut.vlfau.jpg"]
    with (tmp_path / "pictures.csv").open(newline="") as stream:
        files = [row["file"] for row in csv.DictReader(stream)]
    assert files == ["three.png"] * 3 + ["astronaut.png"]


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
            "Annotated video",
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
            *(
                "two-vlfau.mp4",
                "two-report.html",
                "two-events.csv",
                "two.csv",
                "two.jsonl",
                "two.parquet",
                "two-timeline.svg",
            )
        ]
        assert "<title>" in (tmp_path / "two-report.html").read_text()
        with av.open(str(tmp_path / "two-vlfau.mp4")) as drawn:
            assert sum(1 for _ in drawn.decode(video=0)) == 10
