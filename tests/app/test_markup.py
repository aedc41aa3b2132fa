import dataclasses
import html
import pickle
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.measures.made_up import mean_mesh, measured
from tests.video.stage import face, smiling_track
from vlfau.app.markup import about_html, face_html, head_html, live_html, scenes_html, status_html, video_html
from vlfau.app.pictures import PictureAnswer, ShownFace
from vlfau.app.predictions import VideoAnswer
from vlfau.inference.bundle import load_bundle
from vlfau.inference.results import PictureResult
from vlfau.media.images import Picture
from vlfau.video.events import find_events


@pytest.fixture(scope="module")
def model(tiny_bundle):
    return load_bundle(tiny_bundle.folder).info


def text_of(markup):
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())


def shown(one):
    """One face of one picture."""
    return ShownFace.keep(one)


def test_a_bar_says_name_probability_and_state(model):
    text = text_of(face_html(shown(face(0.75)), model))
    assert "AU12 Lip Corner Puller 75 % active" in text
    assert "AU1 Inner Brow Raiser 10 % inactive" in text


def test_a_bar_is_as_long_as_the_probability_and_marked_where_the_au_becomes_active(model):
    markup = live_html([face(0.75)], model)
    assert re.findall(r'class="fill" style="width:([\d.]+)%', markup) == ["10.0", "10.0", "75.0"]
    assert re.findall(r'class="mark" style="left:([\d.]+)%', markup) == ["50.0", "50.0", "25.0"]


def test_an_au_opens_to_its_reasons(model):
    text = text_of(face_html(shown(face(0.75)), model))
    assert "Probability 75 % Active from 25 %" in text
    assert "Muscle zygomaticus major Region mouth" in text
    assert text.count("The lip corners rise, up.") == 1  # Its caption stands beside the bars.
    assert "It is coarse, and no evidence" in text


def test_the_heat_map_says_in_words_where_it_is_hottest(model):
    markup = face_html(shown(face(0.75)), model)
    assert "Heat map of AU12 over the face: hottest in the lower right of the picture" in markup
    assert markup.count("data:image/jpeg;base64,") == 4  # The face, and a map an AU.


def test_beside_the_heat_map_stands_how_much_of_the_score_it_can_show(model):
    text = text_of(face_html(shown(face(0.75)), model))
    assert "weighs" not in text  # The model does not record it.
    recorded = dataclasses.replace(model, training={"score_parts": {"12": [0.19, 0.65, 0.16]}})
    text = text_of(face_html(shown(face(0.75)), recorded))
    assert text.count("The geometry of the face weighs 65 % in this score, this map's branch 19 %. It is coarse") == 1


def test_an_au_opens_to_what_was_measured_with_rulers_over_the_face_if_it_is_active(model):
    one = dataclasses.replace(face(0.75), crop=np.full((160, 160, 3), 90, np.uint8)).measured_by(measured(mean_mesh()))
    markup = face_html(shown(one), model)
    lines = [f"a: {one[12].measurements[0].text}", f"b: {one[12].measurements[1].text}", one[6].measurements[0].text]
    assert all(f"<dd>{line}</dd>" in html.unescape(markup) for line in lines)
    assert markup.count("The face with rulers at what was measured of AU12") == 1
    assert markup.count("The face with rulers") == 1  # The others are inactive.
    turned = mean_mesh(turn=cv2.Rodrigues(np.array([0.0, 0.7, 0.0]))[0])
    assert "Not measured: the head is turned too far" in face_html(shown(one.measured_by(measured(turned))), model)
    assert "Measured" not in text_of(face_html(shown(face(0.75)), model))


def test_a_kept_face_keeps_its_measurements_and_no_pixels():
    crop = np.random.default_rng(0).integers(0, 255, (192, 192, 3), np.uint8)
    one = dataclasses.replace(face(0.75), crop=crop).measured_by(measured(mean_mesh(), crop=crop))
    kept = ShownFace.keep(one)
    assert kept.face.measurements == one.measurements
    assert kept.face[12].measured_text == one[12].measured_text
    assert crop.tobytes() in pickle.dumps(one)
    assert crop.tobytes() not in pickle.dumps(kept)


@pytest.mark.parametrize(
    ("place", "words"), [((0, 0), "upper left"), ((2, 2), "middle"), ((2, 4), "middle right"), ((4, 2), "lower middle")]
)
def test_places_have_names(model, place, words):
    attention = np.zeros((5, 5), np.float32)
    attention[place] = 1
    one = face(0.75)
    one = dataclasses.replace(one, aus=tuple(dataclasses.replace(au, attention_map=attention) for au in one.aus))
    assert f"hottest in the {words} of the picture" in face_html(shown(one), model)


def test_bars_come_first_and_all_are_closed(model):
    markup = face_html(shown(face(0.75)), model)
    assert re.findall(r'<details name="aus"( open)? class="(active)?">', markup) == [("", ""), ("", ""), ("", "active")]
    assert markup.index("Action units") < markup.index("In words")


def test_a_face_among_several_pictures_names_its_picture(model):
    text = text_of(face_html(ShownFace.keep(face(0.75), 2, 3, "group.jpg"), model))
    assert text.startswith("Face 2 of 3 group.jpg One action unit is active.")


def test_a_kept_face_is_small_and_shows_what_was_found():
    one = face(0.75)
    crop = np.tile(np.arange(192, dtype=np.uint8)[:, None, None], (1, 192, 3))
    one = dataclasses.replace(one, crop=crop)
    kept = ShownFace.keep(one)
    assert len(pickle.dumps(kept)) < crop.nbytes / 4
    assert kept.face.aus == one.aus
    assert np.abs(kept.face.crop.astype(int) - crop).max() <= 3


def test_what_visitors_should_know_names_units_model_and_rules(model):
    text = text_of(about_html(model, "Files stay here."))
    assert "AU12 Lip Corner Puller zygomaticus major" in text
    assert f"Name {model.name} {model.version}" in text
    assert "Learned from synthetic faces only" in text
    assert "Files stay here." in text


def test_a_face_at_rest_says_so(model):
    assert "No action unit is active." in text_of(face_html(shown(face(0.2)), model))


def test_texts_are_escaped(model):
    attack = "<script>alert(1)</script>"
    one = face(0.75, words=attack)
    for markup in (
        face_html(shown(one), model),
        status_html(attack),
        head_html(dataclasses.replace(model, note=attack, training={"synthetic": False})),
        about_html(dataclasses.replace(model, note=attack), ""),
    ):
        assert "<script" not in markup
        assert "&lt;script&gt;" in markup.lower()


def test_boxes_lie_over_the_faces_of_a_reduced_picture():
    picture = Picture(np.zeros((100, 200, 3), np.uint8), reduction=2.0)  # The file has 400 x 200 pixels.
    result = PictureResult("me.png", (face(box=(100, 50, 200, 150)),))
    markup = scenes_html([PictureAnswer("me.png", picture, result)])
    assert "left:25.00%;top:25.00%;width:25.00%;height:50.00%" in markup
    assert 'alt="Your picture with 1 face, numbered' in markup


def test_boxes_of_several_pictures_are_counted_through_and_numbered_by_picture():
    picture, two = Picture(np.zeros((100, 200, 3), np.uint8)), PictureResult("a.png", (face(), face()))
    markup = scenes_html([PictureAnswer("a.png", picture, two), PictureAnswer("b.png", picture, two)])
    assert re.findall(r'data-face="(\d)" aria-pressed="(\w+)" aria-label="Show (face \d of \w.png)"', markup) == [
        ("1", "true", "face 1 of a.png"),
        ("2", "false", "face 2 of a.png"),
        ("3", "false", "face 1 of b.png"),
        ("4", "false", "face 2 of b.png"),
    ]


@pytest.mark.parametrize("prob", [0.9999, 0.996, 0.0001, 0.004, 0.5])
def test_bar_and_details_say_the_same_number(model, prob):
    text = text_of(face_html(shown(face(prob)), model))
    (bar,) = re.findall(r"Lip Corner Puller (.*? %) (?:in)?active", text)
    assert f"Probability {bar} Active from" in text


def test_the_warning_of_a_synthetic_model_stands_on_the_page(model):
    assert "Don't rely on these results." in text_of(head_html(model))
    assert "rely" not in head_html(dataclasses.replace(model, training={"synthetic": False}))


def test_nobody_in_sight_is_said():
    assert "No face in sight" in live_html([], None)


def test_a_probability_is_never_shown_as_certain(model):
    assert "> 99 % active" in text_of(live_html([face(0.999)], model))
    assert "< 1 % inactive" in text_of(live_html([face(0.0001)], model))


def test_a_video_is_told_in_words_and_in_a_table(tmp_path):
    track = smiling_track()
    video = VideoAnswer(
        name="<me>.mp4",
        duration_s=6.0,
        frames=60,
        tracks=[track],
        events=[dataclasses.replace(event, doubtful=True) for event in find_events(track)],
        notes=("deinterlaced 640 x 480",),
        broken=None,
        tables={".csv": Path("me.csv")},
        files={},
    )
    markup = video_html(video)
    text = text_of(markup)
    assert "face 1 pulls the lip corners up (AU 12?), strongest at 0:03.0" in text
    assert "A question mark says that the AU could not be seen well enough" in text
    assert "Deinterlaced 640 x 480." in text
    assert re.search(r"1 AU12 Lip Corner Puller 0:02\.\d 0:03\.0 0:03\.\d 90 %", text)
    assert 'role="alert"' not in markup
