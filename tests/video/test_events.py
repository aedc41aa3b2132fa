import csv
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlfau.errors import ConfigError, InputError
from vlfau.video.events import EVENT_COLUMNS, Event, find_events, write_events_csv
from vlfau.video.tracks import Track

RAW = {"smooth_s": 0, "release": 1, "bridge_s": 0, "min_s": 0}


def a_track(probs, fps=10, *, time_s=None, intensities=None, lost=None, au_ids=(12,)):
    probs = np.array(probs, np.float32).reshape(-1, len(au_ids))
    time_s = np.arange(len(probs)) / fps if time_s is None else np.array(time_s, float)
    intensities = None if intensities is None else np.array(intensities, np.float32).reshape(probs.shape)
    lost = None if lost is None else np.array(lost, bool)
    return Track(1, time_s, probs, probs >= 0.5, intensities, au_ids, lost)


def times(events):
    return [(round(event.onset_s, 6), round(event.apex_s, 6), round(event.offset_s, 6)) for event in events]


def test_onset_is_the_first_active_frame_and_offset_the_first_inactive_one_after_the_apex():
    (event,) = find_events(a_track([0, 0.1, 0.6, 0.9, 0.7, 0.2, 0]), **RAW)
    assert times([event]) == [(0.2, 0.3, 0.5)]
    assert event.peak_prob == pytest.approx(0.9)
    assert (event.peak_intensity, event.open_start, event.open_end) == (None, False, False)
    assert event.duration_s == pytest.approx(0.3)


def test_the_apex_is_where_the_intensity_is_highest_if_there_is_one():
    track = a_track([0, 0.9, 0.8, 0.7, 0], intensities=[0, 1.5, 2, 3.5, 4])
    (event,) = find_events(track, **RAW)
    assert (event.apex_s, event.peak_intensity, event.peak_prob) == (0.3, 3.5, pytest.approx(0.7))


def test_times_come_from_the_timestamps_of_a_varying_frame_rate():
    track = a_track([0, 0.6, 0.9, 0.6, 0], time_s=[0, 0.04, 0.5, 0.51, 2])
    assert times(find_events(track)) == [(0.04, 0.5, 2.0)]


def test_an_event_at_the_clips_start_and_one_at_its_end_are_open():
    first, last = find_events(a_track([0.9, 0.8, 0, 0, 0, 0.7, 0.8]))
    assert (first.open_start, first.open_end, last.open_start, last.open_end) == (True, False, False, True)
    assert (first.onset_s, last.offset_s) == (0.0, 0.6)


def test_an_active_last_frame_lasts_as_long_as_other_frames_do():
    assert times(find_events(a_track([0, 0, 0.9], fps=1))) == [(2.0, 2.0, 2.0)]


def test_a_long_loss_ends_the_event_at_the_last_frame_seen_and_a_short_one_is_bridged():
    track = a_track([0, 0.9, 0.9, 0.9, 0.9, 0], time_s=[0, 0.1, 0.2, 0.5, 0.6, 0.7], lost=[0, 0, 0, 1, 0, 0])
    first, second = find_events(track)
    assert times([first, second]) == [(0.1, 0.1, 0.2), (0.5, 0.5, 0.7)]
    assert (first.open_start, first.open_end, second.open_start, second.open_end) == (False, True, True, False)
    (bridged,) = find_events(track, bridge_s=0.4)
    assert times([bridged]) == [(0.1, 0.1, 0.7)]
    assert not bridged.open_end


def test_a_gap_is_bridged_if_it_is_shorter_than_asked():
    track = a_track([0, 0.9, 0.9, 0.1, 0.1, 0.8, 0.9, 0])  # inactive from 0.3 to 0.5 s
    assert times(find_events(track, bridge_s=0.2)) == [(0.1, 0.1, 0.3), (0.5, 0.6, 0.7)]
    assert times(find_events(track, bridge_s=0.21)) == [(0.1, 0.1, 0.7)]


def test_an_event_is_dropped_if_it_is_shorter_than_asked():
    track = a_track([0, 0.9, 0.9, 0, 0, 0])
    assert len(find_events(track, min_s=0.2)) == 1
    assert find_events(track, min_s=0.21) == []


def test_hysteresis_holds_an_event_down_to_a_share_of_the_threshold():
    track = a_track([0.45, 0.45, 0.6, 0.45, 0.45, 0.39, 0.45, 0.45])
    assert times(find_events(track, thresholds=[0.5], release=0.8)) == [(0.2, 0.2, 0.5)]
    assert times(find_events(track, thresholds=[0.5], release=1)) == [(0.2, 0.2, 0.3)]


def test_each_au_has_its_own_threshold_and_events_go_by_onset():
    track = a_track([[0, 0], [0, 0.3], [0.6, 0.3], [0.6, 0]], au_ids=(12, 1))
    events = find_events(track, thresholds=[0.5, 0.25])
    assert [(event.au_id, event.onset_s) for event in events] == [(1, 0.1), (12, 0.2)]
    assert [event.au_id for event in find_events(track)] == [12]


def test_smoothing_takes_out_a_flicker_and_leaves_a_rise_where_it_is():
    flicker = a_track([0, 0, 0.9, 0, 0, 0, 0.3, 0.6, 0.9, 0.9, 0.4, 0], fps=30)
    assert times(find_events(flicker, smooth_s=0.1, min_s=0)) == [
        (round(7 / 30, 6), round(8 / 30, 6), round(10 / 30, 6))
    ]
    assert len(find_events(flicker, **RAW)) == 2


def test_smoothing_looks_through_no_loss():
    # Without the loss the median of three would take the lone active frame out.
    track = a_track([0, 0, 0.9, 0, 0], time_s=[0, 0.1, 0.2, 0.9, 1.0], lost=[0, 0, 0, 1, 0])
    assert len(find_events(track, smooth_s=2)) == 1


@given(
    st.lists(st.tuples(st.floats(0, 1, width=32), st.floats(0.001, 2), st.booleans()), min_size=1, max_size=40),
    st.booleans(),
)
def test_without_parameters_events_are_the_runs_of_active_frames(frames, with_thresholds):
    probs, steps, lost = zip(*frames, strict=True)
    track = a_track(probs, time_s=np.cumsum(steps), lost=[False, *lost[1:]])
    events = find_events(track, thresholds=[0.5] if with_thresholds else None, **RAW)
    covered = np.zeros(len(probs), bool)
    for event in events:
        inside = (track.time_s >= event.onset_s) & (track.time_s < event.offset_s)
        covered |= inside | (event.open_end & (track.time_s == event.offset_s))
        assert event.onset_s <= event.apex_s <= event.offset_s
    assert covered.tolist() == track.states[:, 0].tolist()


@given(
    st.lists(st.floats(0, 1, width=32), min_size=1, max_size=60),
    st.floats(0, 1),
    st.floats(0.1, 1),
    st.floats(0, 0.5),
    st.floats(0, 0.5),
)
def test_events_of_an_au_never_meet_and_keep_their_order(probs, smooth_s, release, bridge_s, min_s):
    track = a_track(probs, fps=25)
    settings = {"smooth_s": smooth_s, "release": release, "bridge_s": bridge_s, "min_s": min_s}
    events = find_events(track, thresholds=[0.5], **settings)
    for event in events:
        assert event.onset_s <= event.apex_s <= event.offset_s
        assert event.duration_s + 1 / 25 * event.open_end >= min_s - 1e-5
    for before, after in pairwise(events):
        assert after.onset_s - before.offset_s >= bridge_s - 1e-5


def noisy_actions(rng, fps, noise, actions=40):
    """Return logits that rise through the threshold in 0.2 to 0.4 s, and the true onsets in frames."""
    pieces, onsets, length = [], [], 0
    for _ in range(actions):
        rise = np.linspace(-3.5, 3, int(rng.uniform(0.2, 0.4) * fps))
        rest = np.full(int(rng.uniform(1, 2) * fps), -3.5)
        held = np.full(int(rng.uniform(0.3, 1.5) * fps), 3.0)
        onsets.append(length + len(rest) + int((rise >= 0).argmax()))
        pieces += [rest, rise, held, rise[::-1]]
        length = sum(map(len, pieces))
    logits = np.concatenate([*pieces, np.full(fps, -3.5)])
    return logits + rng.normal(0, noise, len(logits)), np.array(onsets)


@pytest.mark.parametrize("smooth_s", [0.1, 0.3])
@pytest.mark.parametrize("fps", [25, 30, 60])
def test_onsets_of_noisy_ramps_are_found_within_two_frames_and_not_shifted(fps, smooth_s):
    logits, onsets = noisy_actions(np.random.default_rng(fps), fps, noise=1.0)
    events = find_events(a_track(1 / (1 + np.exp(-logits)), fps), thresholds=[0.5], smooth_s=smooth_s)
    found = np.round([event.onset_s * fps for event in events])
    errors = np.array([found[np.abs(found - onset).argmin()] - onset for onset in onsets])
    assert len(events) == len(onsets)
    assert (np.abs(errors) <= 2).mean() >= 0.9
    assert abs(errors.mean()) <= 0.7


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"smooth_s": -1}, "smooth_s is -1; give seconds"),
        ({"min_s": float("nan")}, "min_s is nan"),
        ({"release": 0}, "release is 0; give a share"),
        ({"thresholds": [0.5, 0.5]}, "2 thresholds for 1 AUs"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        find_events(a_track([0, 1]), **settings)


EVENTS = [
    Event(face_id=1, au_id=12, onset_s=0.1, apex_s=0.2, offset_s=1 / 3, peak_prob=0.87654, peak_intensity=3.14159),
    Event(
        face_id=2,
        au_id=1,
        onset_s=0.0,
        apex_s=0.0,
        offset_s=0.0,
        peak_prob=0.5,
        open_start=True,
        open_end=True,
        doubtful=True,
    ),
]


def test_an_event_is_doubtful_if_half_of_its_frames_are():
    track = a_track([0, 0.9, 0.9, 0.9, 0.9, 0])
    for hidden, is_doubtful in ([1, 1, 1, 0, 0, 0], True), ([1, 1, 0, 0, 0, 1], False):
        (event,) = find_events(replace(track, doubtful=np.array(hidden, bool).reshape(-1, 1)), smooth_s=0)
        assert event.doubtful is is_doubtful
    assert not find_events(track)[0].doubtful


def test_the_table_has_one_row_an_event_and_the_documented_columns(tmp_path):
    write_events_csv(tmp_path / "events.csv", EVENTS)
    with (tmp_path / "events.csv").open(encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    assert tuple(header) == EVENT_COLUMNS
    assert rows == [
        ["1", "12", "Lip Corner Puller", "0.100", "0.200", "0.333", "0.233", "0.8765", "3.14", "0", "0", "0"],
        ["2", "1", "Inner Brow Raiser", "0.000", "0.000", "0.000", "0.000", "0.5000", "", "1", "1", "1"],
    ]


def test_a_table_that_cannot_be_finished_leaves_the_old_one(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("old")

    def broken():
        yield EVENTS[0]
        raise InputError("the video ends in the middle")

    with pytest.raises(InputError, match="in the middle"):
        write_events_csv(path, broken())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
