import itertools

import numpy as np
import pytest

from vlfau.facs import all_au_ids
from vlfau.language import parse_global
from vlfau.video.events import Event
from vlfau.video.summary import clock, event_lines, summary
from vlfau.video.tracks import Track


def an_event(au_id, onset_s, offset_s, *, face_id=1, apex_s=None, **values):
    apex_s = onset_s if apex_s is None else apex_s
    values = {"peak_prob": 0.9, **values}
    return Event(face_id=face_id, au_id=au_id, onset_s=onset_s, apex_s=apex_s, offset_s=offset_s, **values)


def test_an_event_is_told_with_its_times_its_face_and_its_au():
    assert event_lines([an_event(1, 3.2, 4.0, apex_s=3.6)]) == [
        "0:03.2 to 0:04.0  face 1  raises the inner brows (AU 1), strongest at 0:03.6"
    ]


def test_simultaneous_aus_are_told_together_by_the_strongest_and_each_with_its_own_time():
    events = [
        an_event(25, 3.3, 4.1, apex_s=3.5),
        an_event(2, 3.2, 4.0, apex_s=3.7, peak_prob=0.95),
        an_event(1, 3.2, 4.0, apex_s=3.6),
        an_event(12, 3.9, 6.0),
    ]
    assert event_lines(events) == [
        "0:03.2 to 0:04.1  face 1  raises the inner and outer brows and parts the lips "
        "(AU 1 0:03.2 to 0:04.0, 2 0:03.2 to 0:04.0, 25 0:03.3 to 0:04.1), strongest at 0:03.7",
        "0:03.9 to 0:06.0  face 1  pulls the lip corners up (AU 12), strongest at 0:03.9",
    ]


def test_an_action_that_ends_earlier_has_its_own_line():
    events = [an_event(1, 0.0, 3.6), an_event(4, 0.0, 6.0)]
    assert [line.split("  ")[0] for line in event_lines(events)] == ["0:00.0 to 0:03.6", "0:00.0 to 0:06.0"]


def test_events_share_a_line_only_if_each_is_near_each():
    chain = [an_event(1, 0.0, 5.0), an_event(4, 0.25, 5.25), an_event(12, 0.5, 5.5)]
    assert [line.split("(AU ")[1][:2].strip() for line in event_lines(chain)] == ["1", "12"]
    assert len(event_lines(chain, within_s=0.5)) == 1


def test_lines_go_by_face_and_then_by_time_and_faces_are_never_mixed():
    events = [an_event(1, 5, 6), an_event(1, 1, 2, face_id=2), an_event(2, 5, 6, face_id=2), an_event(1, 0, 1)]
    assert [line[:26] for line in event_lines(events)] == [
        "0:00.0 to 0:01.0  face 1  ",
        "0:05.0 to 0:06.0  face 1  ",
        "0:01.0 to 0:02.0  face 2  ",
        "0:05.0 to 0:06.0  face 2  ",
    ]


def test_intensities_are_told_by_their_letters():
    events = [an_event(1, 0, 1, peak_intensity=2.6), an_event(4, 0, 1, apex_s=0.5, peak_intensity=5.3)]
    (line,) = [*event_lines(events)]
    assert line.endswith("raises the inner brows and pulls the brows down (AU 1C, 4E), strongest at 0:00.5")
    (line,) = event_lines([an_event(1, 0, 1, peak_intensity=0.2)])
    assert "(AU 1A)" in line


def test_open_ends_are_told():
    (line,) = event_lines([an_event(43, 0.0, 2.0, open_start=True, open_end=True)])
    assert line.endswith("strongest at 0:00.0, already so when first seen, still so when last seen")


def words_of(*au_ids):
    (line,) = event_lines([an_event(au_id, 0, 1) for au_id in au_ids])
    return line.split("  ")[2].split(" (AU")[0]


def test_closed_eyes_are_told_once_if_they_may_be_a_blink():
    assert words_of(7, 43, 45) == "tightens the lids and closes the eyes"
    assert "(AU 43, 45)" in event_lines([an_event(43, 0, 1), an_event(45, 0, 1)])[0]


@pytest.mark.parametrize("au_id", all_au_ids())
def test_the_words_of_an_au_are_read_back_as_this_au(au_id):
    parsed = parse_global(f"This person {words_of(au_id)}.")
    assert [state.au_id for state in parsed.states if state.active] == [au_id]


def test_two_aus_share_their_words_where_a_single_one_differs_before_the_last_or_one_holds_the_other():
    shared = {
        au_ids: words_of(*au_ids)
        for au_ids in itertools.combinations(all_au_ids(), 2)
        if words_of(*au_ids) != " and ".join(map(words_of, au_ids))
    }
    assert shared == {
        (1, 2): "raises the inner and outer brows",
        (18, 22): "puckers and funnels the lips",
        (18, 23): "puckers and tightens the lips",
        (18, 25): "puckers and parts the lips",
        (22, 23): "funnels and tightens the lips",
        (22, 25): "funnels and parts the lips",
        (23, 25): "tightens and parts the lips",
        (43, 45): "closes the eyes",
    }


def test_the_head_tells_length_frames_faces_and_shares_of_time():
    time_s = np.arange(10) / 10
    states = np.zeros((10, 3), bool)
    states[2:5, 0] = states[:, 2] = True
    one = Track(1, time_s, np.float32(states), states, None, (12, 1, 4))
    two = Track(2, time_s[:5] + 0.5, np.zeros((5, 3), np.float32), np.zeros((5, 3), bool), None, (12, 1, 4))
    text = summary([one, two], [an_event(12, 0.2, 0.5)], duration_s=61.0, frames=1200)
    assert text.splitlines() == [
        "1:01.0, 1,200 frames, 2 faces",
        "face 1  seen from 0:00.0 to 0:00.9  "
        "acts: Brow Lowerer (AU 4) 100 %, Lip Corner Puller (AU 12) 30 % of the time",
        "face 2  seen from 0:00.5 to 0:00.9  at rest",
        "",
        "0:00.2 to 0:00.5  face 1  pulls the lip corners up (AU 12), strongest at 0:00.2",
    ]
    assert summary([one], []).splitlines()[0] == "0:00.9, 10 frames, 1 face"


def test_letters_are_explained_where_there_are_any():
    with_letters = summary([], [an_event(12, 0.2, 0.5, peak_intensity=2.0)])
    assert with_letters.endswith(
        "\n\nLetters give the greatest intensity: A trace, B slight, C marked, D severe, E maximum.\n"
    )
    assert "Letters" not in summary([], [an_event(12, 0.2, 0.5)])


def test_a_video_without_a_face_has_a_head_line_alone():
    assert summary([], [], duration_s=2.0, frames=50) == "0:02.0, 50 frames, 0 faces\n"


def test_a_clock_carries_rounded_seconds():
    assert [clock(0.04), clock(59.96), clock(3599.97), clock(36000.5)] == [
        "0:00.0",
        "1:00.0",
        "1:00:00.0",
        "10:00:00.5",
    ]
