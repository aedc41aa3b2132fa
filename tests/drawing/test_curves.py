import numpy as np
import pytest

from tests.video.stage import smiling_track, track
from vlfau.drawing.curves import longest_seen, moving_columns, seconds_between_ticks, stretches, thinned
from vlfau.video.events import Event


def test_thinning_keeps_every_peak_and_the_span():
    probs = np.full((9000, 3), 0.1)
    probs[[17, 4444, 8998], [0, 1, 2]] = 0.9
    whole = track(probs, rate=30)
    thin = thinned(whole, 100)
    assert len(thin.time_s) == 100
    np.testing.assert_allclose(thin.probs.max(0), 0.9)
    assert thin.time_s[thin.probs[:, 1].argmax()] == pytest.approx(4444 / 30, abs=1.5)
    assert (thin.time_s[0], thin.time_s[-1]) == pytest.approx((1.5, 298.5), abs=0.1)


def test_a_short_track_is_left_as_it_is():
    short = smiling_track()
    assert thinned(short, 60) is short


def test_thinning_does_not_join_what_a_loss_parts():
    lost = np.zeros(1000, bool)
    lost[[333, 777]] = True
    probs = np.full((1000, 3), 0.1)
    probs[333:777] = 0.8
    thin = thinned(track(probs, lost=lost), 10)
    assert [thin.probs[part].mean().round(2) for part in stretches(thin.starts)] == [0.1, 0.8, 0.1]


def test_a_row_is_worth_it_from_the_level_on_or_with_an_event():
    smiling = smiling_track()  # AU1 stays at 0.05, AU6 reaches 0.4, AU12 reaches 0.9
    event = Event(face_id=1, au_id=1, onset_s=0, apex_s=0, offset_s=1, peak_prob=0.05)
    other = Event(face_id=2, au_id=1, onset_s=0, apex_s=0, offset_s=1, peak_prob=0.05)
    assert moving_columns(smiling, [], 0.3) == (1, 2)
    assert moving_columns(smiling, [other], 0.5) == (2,)
    assert moving_columns(smiling, [event], 0.5) == (0, 2)
    assert moving_columns(smiling, [], None) == (0, 1, 2)


def test_the_faces_seen_longest_keep_their_order():
    faces = [smiling_track(seconds, face_id=number) for number, seconds in enumerate([2.0, 9.0, 1.0, 3.0], start=1)]
    kept, left_out = longest_seen(faces, 2)
    assert ([face.face_id for face in kept], left_out) == ([2, 4], 2)


@pytest.mark.parametrize(("span_s", "step"), [(0.5, 0.1), (10, 2), (61, 10), (3600, 600), (1e7, 1.25e6)])
def test_ticks_are_round_and_few(span_s, step):
    assert seconds_between_ticks(span_s, 8) == step
