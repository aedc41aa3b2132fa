import re

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from tests.video.stage import smiling_track
from vlfau.drawing.timeline import draw_timeline, write_timeline
from vlfau.errors import ConfigError, InputError
from vlfau.video.events import find_events

THRESHOLDS = (0.5, 0.5, 0.5)


def timeline(*tracks, **values):
    events = [event for track in tracks for event in find_events(track, thresholds=THRESHOLDS)]
    return draw_timeline(tracks, events, thresholds=THRESHOLDS, **values)


def row_names(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def test_a_face_has_a_row_for_each_au_that_moved():
    (axes,) = timeline(smiling_track()).axes
    assert axes.get_title(loc="left") == "Face 1"
    assert row_names(axes) == ["Cheek Raiser  AU6", "Lip Corner Puller  AU12"]
    assert len(row_names(timeline(smiling_track(), level=None).axes[0])) == 3


def test_events_are_drawn_from_onset_to_offset_with_the_apex_on_the_curve():
    smiling = smiling_track()
    (event,) = find_events(smiling, thresholds=THRESHOLDS)
    (axes,) = timeline(smiling).axes
    bars = [path.vertices[:, 0] for each in axes.collections for path in each.get_paths() if len(path.vertices) == 5]
    assert [(bar.min(), bar.max()) for bar in bars] == [(event.onset_s, event.offset_s)]
    (apex,) = [line for line in axes.lines if line.get_marker() == "D" and len(line.get_xdata())]
    curve = next(line for line in axes.lines if len(line.get_xdata()) == 60 and line.get_ydata().max() < 1)
    assert apex.get_xdata()[0] == pytest.approx(3.0)
    assert apex.get_ydata()[0] == pytest.approx(curve.get_ydata().max())


def test_faces_share_the_axis_of_time_and_are_not_drawn_while_lost():
    lost = np.zeros(60, bool)
    lost[30] = True
    figure = timeline(smiling_track(), smiling_track(face_id=2, start_s=100, lost=lost))
    one, two = figure.axes
    assert one.get_xlim() == two.get_xlim() == pytest.approx((0, 106))
    curves = [line for line in two.lines if len(line.get_xdata()) == 30]
    assert len(curves) == 2 * 2  # two rows in two parts


@pytest.mark.parametrize(("seconds", "expected"), [(0.5, "0:00.2"), (10.0, "0:04"), (600.0, "2:00")])
def test_times_read_as_minutes_and_seconds(seconds, expected):
    figure = timeline(smiling_track(seconds))
    figure.canvas.draw()
    assert expected in [label.get_text() for label in figure.axes[0].get_xticklabels()]


def test_of_a_crowd_the_faces_seen_longest_are_drawn():
    figure = timeline(*[smiling_track(1.0 + number, face_id=number) for number in range(1, 12)])
    assert [axes.get_title(loc="left") for axes in figure.axes] == [f"Face {number}" for number in range(4, 12)]
    assert any("3 more faces" in text.get_text() for text in figure.texts)


@pytest.mark.parametrize("dark", [False, True])
def test_dark_paper_is_dark_and_light_paper_light(tmp_path, dark):
    figure = timeline(smiling_track(), dark=dark)
    write_timeline(tmp_path / "a.png", figure)
    corner = np.asarray(Image.open(tmp_path / "a.png").convert("L"))[0, 0]
    assert (corner < 40) == dark
    ink, paper = to_rgb(figure.axes[0].title.get_color()), to_rgb(figure.get_facecolor())
    assert abs(sum(ink) - sum(paper)) > 2


def test_the_svg_keeps_text_as_text_and_a_hostile_name_harmless(tmp_path):
    figure = timeline(smiling_track(), title="<script>$x_{\\alert(1)</script>", note="a note")
    write_timeline(tmp_path / "a.svg", figure)
    first = (tmp_path / "a.svg").read_text("utf-8")
    assert "&lt;script&gt;$x_{\\alert(1)&lt;/script&gt;" in first
    assert "<script" not in first
    assert re.search(r">Lip Corner Puller +AU12<", first)
    write_timeline(
        tmp_path / "b.svg", timeline(smiling_track(), title="<script>$x_{\\alert(1)</script>", note="a note")
    )
    assert (tmp_path / "b.svg").read_text("utf-8") == first


def test_a_video_without_faces_or_another_ending_is_refused(tmp_path):
    with pytest.raises(InputError, match="no face was found"):
        timeline()
    with pytest.raises(ConfigError, match=r"\.svg or \.png, not as a\.pdf"):
        write_timeline(tmp_path / "a.pdf", timeline(smiling_track()))


def test_a_face_at_rest_and_one_of_a_single_frame_can_be_drawn(tmp_path):
    figure = timeline(smiling_track(0.1, face_id=1), smiling_track(0.1, face_id=2), level=0.9)
    assert [text.get_text() for axes in figure.axes for text in axes.texts] == ["no AU moved"] * 2
    write_timeline(tmp_path / "a.png", timeline(smiling_track(0.1), level=None))
    assert (tmp_path / "a.png").stat().st_size > 1000
