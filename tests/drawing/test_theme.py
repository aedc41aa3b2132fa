import re
from pathlib import Path

import pytest

from vlfau.drawing.pages import stylesheet
from vlfau.drawing.theme import DARK, LIGHT, Palette, css_variables, face_colour, format_pose
from vlfau.faces import HeadPose

SOURCE = Path(__file__).parents[2] / "src" / "vlfau"
COLOUR = re.compile(r"#(?:[0-9a-f]{6}|[0-9a-f]{3})\b(?![-\w])", re.IGNORECASE)


def brightness(colour):
    """The relative luminance of WCAG, 0 (black) to 1 (white)."""
    shares = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    darker, lighter = sorted((brightness(one), brightness(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["ink", "muted", "ours", "right", "wrong"])
def test_text_can_be_read_on_cards_and_pages(palette, name):
    assert contrast(getattr(palette, name), palette.card) >= 4.5
    assert contrast(getattr(palette, name), palette.page) >= 4.5


def test_the_colours_of_faces_differ_and_white_numbers_can_be_read_on_them():
    colours = {face_colour(number) for number in range(1, 9)}
    assert len(colours) == 8
    assert all(contrast(colour, "#ffffff") >= 4 for colour in colours)
    assert face_colour(9) == face_colour(1)


def test_drawings_and_pages_name_no_colour_of_their_own():
    """Black and white aside: letters on badges, rims, and paper when printed."""
    files = [
        path
        for folder in ("drawing", "paper", "app")
        for ending in ("*.py", "*.css", "*.j2")
        for path in (SOURCE / folder).rglob(ending)
        if path.name != "theme.py"
    ]
    assert len(files) > 30
    named = {
        f"{path.name}: {colour}"
        for path in files
        for colour in COLOUR.findall(path.read_text(encoding="utf-8"))
        if colour.lower() not in {"#fff", "#ffffff"}
    }
    assert named == set()


def test_every_colour_of_both_palettes_is_a_variable_of_the_pages():
    names = [name.replace("_", "-") for name in Palette.__slots__]
    system, switched = css_variables(), css_variables(dark_class="dark")
    for name in names:
        assert f"--{name}: light-dark(" in system
        assert switched.count(f"--{name}: ") == 2
    assert f"--muted: {DARK.muted};" in switched.partition(".dark")[2]


def test_pages_use_no_variable_that_does_not_exist():
    known = set(re.findall(r"(--[\w-]+):", stylesheet()))
    for path in (SOURCE / "drawing/templates/report.css", SOURCE / "paper/page.html.j2"):
        assert set(re.findall(r"var\((--[\w-]+)", path.read_text(encoding="utf-8"))) <= known
    page = (SOURCE / "app/page.css").read_text(encoding="utf-8")
    own = {name for name in re.findall(r"var\((--[\w-]+)", page) if not re.match(r"--(body|border|background)-", name)}
    assert own <= known | {"--face", "--link-text-color"}  # the second is Gradio's


def test_an_angle_that_rounds_to_zero_has_no_sign():
    assert format_pose(HeadPose(yaw=-0.4, pitch=0.4, roll=-0.6), ", ") == "yaw 0°, pitch 0°, roll -1°"
