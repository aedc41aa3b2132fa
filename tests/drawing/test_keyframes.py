import numpy as np
import pytest

from tests.video.stage import face, frame, result, smile
from vlfau.drawing.keyframes import KeyFrames
from vlfau.video.events import Event

PIXELS = np.zeros((720, 1280, 3), np.uint8)


def watch(key_frames, times, probs, *, face_id=1, au_id=12):
    for number, (time_s, prob) in enumerate(zip(times, probs, strict=True)):
        key_frames.add(PIXELS, result(number, time_s, face(prob, face_id=face_id, au_id=au_id)))


def an_event(onset_s, apex_s, offset_s, *, peak_prob=0.9, face_id=1, au_id=12):
    return Event(face_id=face_id, au_id=au_id, onset_s=onset_s, apex_s=apex_s, offset_s=offset_s, peak_prob=peak_prob)


def test_the_frame_kept_of_a_smile_is_its_strongest():
    key_frames, times = KeyFrames(), np.arange(60) / 10
    watch(key_frames, times, [smile(time_s) for time_s in times])
    ((_, kept),) = key_frames.choose([an_event(2.5, 3.0, 3.5)], 8)
    assert (kept.time_s, kept.strength) == (3.0, 0.9)
    assert (kept.face.crop == round(255 * 0.9)).all()
    assert [au.au_id for au in kept.face.aus if au.attention_map is not None] == [12]
    assert kept.thumbnail.shape == (180, 320, 3)
    assert kept.thumbnail_scale == 0.25


def test_two_smiles_give_two_frames_and_a_short_break_gives_one():
    key_frames = KeyFrames()
    watch(key_frames, [0.0, 0.3, 5.0, 5.1], [0.6, 0.8, 0.7, 0.9])
    events = [an_event(0.0, 0.3, 0.4), an_event(5.0, 5.1, 5.2)]
    assert [kept.time_s for _, kept in key_frames.choose(events, 8)] == [0.3, 5.1]
    assert len(key_frames) == 2


def test_memory_is_bounded_and_the_strongest_stay():
    key_frames = KeyFrames(limit=10)
    for place in range(200):
        prob = 0.5 + place % 50 / 100
        watch(key_frames, [2.0 * place, 2.0 * place + 0.1], [0.5, prob], face_id=place % 25 + 1)
        assert len(key_frames) <= 12
    events = [
        an_event(2.0 * place, 2.0 * place + 0.1, 2.0 * place + 0.2, face_id=place % 25 + 1) for place in range(190)
    ]
    assert min(kept.strength for _, kept in key_frames.choose(events, 10)) > 0.9


def test_what_is_kept_holds_on_to_no_array_of_the_frame():
    key_frames, batch = KeyFrames(), np.zeros((64, 16, 16, 3), np.uint8)
    shown = face(0.9)
    object.__setattr__(shown, "crop", batch[3])
    image = frame(0, 0.0)
    key_frames.add(image.pixels, result(0, 0.0, shown))
    ((_, kept),) = key_frames.choose([an_event(0, 0, 0.1)], 1)
    assert not np.shares_memory(kept.face.crop, batch)
    assert not np.shares_memory(kept.thumbnail, image.pixels)
    assert kept.face.landmarks_xy.size == 0


def test_each_au_comes_once_before_one_comes_twice():
    key_frames = KeyFrames()
    watch(key_frames, [0.0, 5.0, 10.0], [0.99, 0.98, 0.6])
    watch(key_frames, [20.0], [0.7], au_id=6)
    events = [
        an_event(0.0, 0.0, 0.1, peak_prob=0.99),
        an_event(5.0, 5.0, 5.1, peak_prob=0.98),
        an_event(20.0, 20.0, 20.1, peak_prob=0.7, au_id=6),
        an_event(90.0, 90.0, 90.1, peak_prob=1.0),  # no frame was kept of it
    ]
    assert [event.au_id for event, _ in key_frames.choose(events, 2)] == [12, 6]
    assert [kept.time_s for _, kept in key_frames.choose(events, 8)] == [0.0, 5.0, 20.0]


@pytest.mark.parametrize("face_id", [1, 2])
def test_a_frame_belongs_to_events_of_its_own_face(face_id):
    key_frames = KeyFrames()
    watch(key_frames, [0.0], [0.9], face_id=1)
    assert len(key_frames.choose([an_event(0, 0, 0.1, face_id=face_id)], 8)) == (face_id == 1)
