"""The page in a browser: by keyboard, to a screen reader, on a phone, in light and dark."""

import itertools

import numpy as np
import pytest

pytest.importorskip("gradio", reason="gradio is not installed: pip install 'vlfau[app]'")
pytest.importorskip("playwright", reason="playwright is not installed: pip install playwright")
from tests.app.browsing import DESK, PHONE, give, press, visiting
from vlfau.inference.predictor import Predictor


def test_links_lead_to_what_an_action_unit_is_to_the_model_and_to_ethics(browser, page):
    with visiting(browser, page, size=PHONE) as tab:
        for link, place, words in (
            ("What is an action unit?", "#about-aus", "Lip Corner Puller"),
            ("About the model", "#about-model", "Learned from"),
            ("Privacy and ethics", "#about-ethics", "A movement is not a feeling."),
        ):
            tab.get_by_role("link", name=link).click()
            tab.wait_for_function(IN_VIEW, arg=place)
            assert words in tab.locator(place).inner_text()


def test_all_tabs_fit_on_a_telephone(browser, page):
    with visiting(browser, page, size=PHONE) as tab:
        for name in ("Picture", "Several pictures", "Video", "Camera"):
            tab.get_by_role("tab", name=name, exact=True).click()


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
            assert tab.evaluate(OVERLAPPING) == []
            for place in PLACES:
                for element in tab.locator(place).all()[:2]:
                    assert contrast(element) >= 4.5, (scheme, place)


def has_overflow(tab):
    return tab.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


PLACES = (".notice", ".status", ".hint", ".words", "summary .name", ".active summary .state", ".why dt", "figcaption")
CLIPPED = """() => [...document.querySelectorAll('summary > span, .words, .status, .why *, h1, h2, h3')]
  .filter(e => e.offsetParent && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display != 'inline')
  .map(e => e.className || e.tagName)"""


OVERLAPPING = """() => [...document.querySelectorAll('summary')].flatMap(row => {
  const boxes = [...row.children].map(e => [e.className, e.getBoundingClientRect()]);
  const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  return boxes.flatMap(([name, a], at) =>
    boxes.slice(at + 1).filter(([, b]) => meet(a, b)).map(([other]) => name + other));
})"""


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
        for _ in range(100):
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
        assert tabs == ["Picture", "Several pictures", "Video", "Camera"]
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


IN_VIEW = """place => {
  const box = document.querySelector(place)?.getBoundingClientRect();
  return box && box.height > 0 && box.top >= 0 && box.top < innerHeight - 40;
}"""
