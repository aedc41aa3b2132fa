import base64
import dataclasses
import hashlib
import html
import io
import itertools
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from tests.inference.tiny_bundle import write_tiny_bundle
from tests.measures.made_up import mean_mesh, measured
from tests.video.stage import face, frame, result, smile, smiling_track
from vlfau.drawing.report import ReportBuilder
from vlfau.drawing.svg_timeline import face_plot, ticks
from vlfau.errors import InputError

HOSTILE = "<script>alert(1)</script>\"'&{{ 7 * 7 }}.mp4"


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return write_tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny", thresholds=(0.5, 0.5, 0.45)).info


@pytest.fixture
def page(model):
    return smiling_report(model).render()


def smiling_report(model, *, name=HOSTILE, seconds=6, **changes):
    builder = ReportBuilder(name, dataclasses.replace(model, **changes))
    for number in range(10 * seconds):
        time_s = number / 10
        builder.add(frame(number, time_s), result(number, time_s, face(smile(time_s))))
    return builder


class Outline(HTMLParser):
    """What a page holds, and whether its elements close in order."""

    EMPTY = frozenset({"meta", "img", "path", "rect", "br"})

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.attributes, self.texts = [], [], [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append(dict(attrs))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append(dict(attrs))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in {"style", "script"}:
            self.texts.append(data.strip())

    def all(self, tag):
        return [given for name, given in zip(self.tags, self.attributes, strict=True) if name == tag]


def test_a_hostile_name_is_shown_and_not_run(page):
    outline = Outline(page)
    assert page.count("<script>") == 1
    assert HOSTILE in outline.texts
    assert html.escape(HOSTILE, quote=False).split("&lt;/script")[0] in page


def test_the_page_needs_no_network(page):
    outline = Outline(page)
    links = [value for given in outline.attributes for key, value in given.items() if key in {"src", "href"}]
    assert links
    assert all(link.startswith("data:image/jpeg;base64,") for link in links)
    assert not {"link", "iframe", "object", "base"} & set(outline.tags)
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest", page)


def test_the_script_is_the_one_that_the_policy_allows(page):
    script = page.partition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "default-src 'none'" in page


def test_the_smile_is_in_the_summary_the_timeline_the_moments_and_the_table(page):
    outline = Outline(page)
    (event,) = [text for text in outline.texts if "strongest at" in text]
    assert "(AU 12), strongest at 0:03.0" in event
    (row,) = outline.all("svg")
    assert row["aria-label"] == "AU12 Lip Corner Puller of face 1: 1 event, highest probability 0.90 at 0:03.0"
    assert "AU12 0:02.5 to 0:03.7, apex 0:03.0, probability 0.90" in outline.texts
    assert [image["alt"] for image in outline.all("img")] == [
        "Face 1 at 0:03.0, aligned",
        "Heat map of AU12 Lip Corner Puller over the face",
        "The whole frame, face 1 boxed",
    ]
    assert "The lip corners rise, up." in outline.texts
    assert outline.texts.count("0:03.0") == 1  # the apex in the table


def test_the_moments_list_measurements_where_they_are_wanted(model):
    pages = []
    for wanted in (False, True):
        builder = ReportBuilder("me.mp4", model, measurements=wanted)
        for number in range(60):
            smiling = dataclasses.replace(face(smile(number / 10)), crop=np.full((160, 160, 3), 90, np.uint8))
            smiling = smiling.measured_by(measured(mean_mesh()))
            builder.add(frame(number, number / 10), result(number, number / 10, smiling))
        pages.append(Outline(builder.render()))
    lines = [[text for text in page.texts if "resting faces" in text] for page in pages]
    assert lines[0] == []
    assert lines[1][0].startswith("a: lip corners above the middle of the lips ")
    assert lines[1][1].startswith("b: mouth width ")
    assert len(lines[1]) == 3
    sides = []
    for page in pages:
        (shown,) = (image["src"] for image in page.all("img") if image["alt"].endswith(", aligned"))
        with Image.open(io.BytesIO(base64.b64decode(shown.partition(",")[2]))) as picture:
            sides.append((picture.width, int(np.ptp(np.asarray(picture.convert("L"))))))
    assert [width for width, _ in sides] == [240, 480]
    assert sides[1][1] > sides[0][1] + 100  # The plain face has black and white rulers.


def test_a_screen_reader_finds_headings_in_order_and_a_text_for_every_picture(page):
    outline = Outline(page)
    levels = [int(tag[1]) for tag in outline.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))
    assert all(image.get("alt") for image in outline.all("img"))
    assert outline.all("html") == [{"lang": "en"}]


@pytest.mark.parametrize("synthetic", [False, True])
def test_a_model_of_synthetic_faces_warns(model, synthetic):
    page = smiling_report(model, training={"synthetic": synthetic}).render()
    assert ("learned its action units from synthetic faces only" in page) == synthetic


def test_a_video_without_faces_still_gives_a_page(model, tmp_path):
    builder = ReportBuilder("empty.mp4", model, duration_s=2.0)
    builder.add(frame(0, 0.0), result(0, 0.0))
    builder.write(tmp_path / "a.html")
    outline = Outline((tmp_path / "a.html").read_text("utf-8"))
    assert "No face was found in any frame." in outline.texts
    assert "0:02.0" in outline.texts
    assert "table" not in outline.tags


def test_a_face_at_rest_has_no_events(model):
    builder = ReportBuilder("calm.mp4", model)
    builder.add(frame(0, 0.0), result(0, 0.0, face(0.2)))
    outline = Outline(builder.render())
    assert "No action unit acted long enough to count as an event." in outline.texts
    assert "No action unit moved." in outline.texts


def test_a_face_without_attention_maps_or_words_is_shown_without(model):
    builder = ReportBuilder("a.mp4", model)
    for number in range(10):
        shown = face(0.9, words=None)
        aus = tuple(dataclasses.replace(au, attention_map=None) for au in shown.aus)
        shown = dataclasses.replace(shown, aus=aus, global_caption=None)
        builder.add(frame(number, number / 10), result(number, number / 10, shown))
    assert [image["alt"] for image in Outline(builder.render()).all("img")] == [
        "Face 1 at 0:00.0, aligned",
        "The whole frame, face 1 boxed",
    ]


def test_below_a_heat_map_stands_how_much_of_the_score_it_can_show(model):
    assert "attention" in Outline(smiling_report(model).render()).texts
    page = smiling_report(model, training={"score_parts": {"12": [0.19, 0.65, 0.16]}}).render()
    noted = "attention. The geometry of the face weighs 65 % in this score, this map's branch 19 %."
    assert [text for text in Outline(page).texts if text.startswith("attention")].count(noted) == 1


def test_tracks_that_were_changed_since_are_the_ones_shown(model):
    corrected = [smiling_track(start_s=0.0)]
    page = smiling_report(model).render(tracks=corrected, events=[])
    assert "AU6 Cheek Raiser of face 1: 0 events, highest probability 0.40 at 0:03.0" in page


def test_a_long_video_gives_a_small_page(model):
    times = np.arange(18_000) / 30
    builder = ReportBuilder("long.mp4", model)
    image = frame(0, 0.0)
    for number, time_s in enumerate(times.tolist()):
        prob = 0.5 + 0.45 * np.sin(time_s)
        builder.add(image, result(number, time_s, face(prob)))
    page = builder.render()
    assert len(page) < 400_000
    assert "10:00" in Outline(page).texts


def test_frames_out_of_order_are_refused(model):
    builder = smiling_report(model)
    with pytest.raises(InputError, match="in order of time"):
        builder.add(frame(0, 1.0), result(0, 1.0))


def test_a_page_that_cannot_be_written_leaves_nothing(model, tmp_path):
    with pytest.raises(InputError, match="cannot write"):
        smiling_report(model).write(tmp_path / "missing" / "a.html")
    assert list(tmp_path.iterdir()) == []


def test_a_curve_ends_where_the_face_is_lost(model):
    lost = np.zeros(60, bool)
    lost[30] = True
    plot = face_plot(smiling_track(lost=lost), [], model, (0.0, 6.0))
    row = plot.rows[-1]
    assert (row.line.count("M"), row.area.count("Z")) == (2, 2)
    assert row.line.startswith("M0 ")
    assert (max(row.percents), plot.centiseconds[30]) == (90, 300)
    assert [unit.label for unit in plot.resting] == ["AU1"]


def test_the_ticks_of_a_part_of_a_video_lie_where_they_should():
    assert [(tick.text, tick.percent) for tick in ticks((61.0, 71.0))] == [
        (f"1:{second:02d}", 10.0 * (second - 1)) for second in (2, 4, 6, 8, 10)
    ]
