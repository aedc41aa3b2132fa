import numpy as np
import pytest

from vlfau.errors import ConfigError, InputError
from vlfau.faces import HeadPose
from vlfau.inference.results import AUResult, FaceResult, PictureResult
from vlfau.video.tracks import Track, TrackBuilder, tracks


def a_face(face_id, *probs, au_ids=(1, 12), intensity=None):
    return FaceResult(
        aus=tuple(
            AUResult(au_id, "", prob, prob >= 0.5, intensity=intensity)
            for au_id, prob in zip(au_ids, probs, strict=True)
        ),
        face_box_xyxy=(0.0, 0.0, 1.0, 1.0),
        landmarks_xy=np.zeros((0, 2), np.float32),
        score=1.0,
        pose=HeadPose(0, 0, 0),
        crop=np.zeros((0, 0, 3), np.uint8),
        face_id=face_id,
    )


def a_frame(time_s, *faces):
    return PictureResult("a.mp4", faces, time_s=time_s)


def a_track(time_s, states, lost=None):
    states = np.array(states, bool).reshape(len(time_s), -1)
    au_ids = (1, 2, 4)[: states.shape[1]]
    return Track(1, np.array(time_s, float), np.float32(states), states, None, au_ids, lost)


def test_the_frames_of_each_face_are_gathered_and_its_losses_marked():
    frames = [
        a_frame(0.0, a_face(1, 0.25, 0.75), a_face(2, 0.5, 0.0)),
        a_frame(0.1, a_face(2, 1.0, 0.0)),
        a_frame(0.3),
        a_frame(0.4, a_face(1, 0.5, 0.0)),
        a_frame(0.5, a_face(1, 0.0, 0.125)),
    ]
    first, second = tracks(iter(frames), (1, 12))
    assert (first.face_id, second.face_id) == (1, 2)
    assert first.time_s.tolist() == [0.0, 0.4, 0.5]
    assert first.probs.tolist() == [[0.25, 0.75], [0.5, 0.0], [0.0, 0.125]]
    assert first.states.tolist() == [[False, True], [True, False], [False, False]]
    assert first.lost.tolist() == [False, True, False]
    assert second.time_s.tolist() == [0.0, 0.1]
    assert second.lost.tolist() == [False, False]
    assert first.intensities is None


def test_the_tracks_have_the_aus_that_were_asked_for_in_that_order():
    frame = a_frame(0.0, a_face(1, 0.25, 0.5, 0.75, au_ids=(1, 2, 4), intensity=2.5))
    (track,) = tracks([frame], (4, 1))
    assert track.au_ids == (4, 1)
    assert track.probs.tolist() == [[0.75, 0.25]]
    assert track.intensities.tolist() == [[2.5, 2.5]]


def test_the_builder_counts_also_the_frames_without_a_face():
    builder = TrackBuilder((1, 12))
    assert (builder.frames, builder.start_s, builder.build()) == (0, None, [])
    for time_s in (2.0, 2.5, 4.0):
        builder.add(a_frame(time_s))
    assert (builder.frames, builder.start_s, builder.end_s, builder.build()) == (3, 2.0, 4.0, [])


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([PictureResult("a.png", ())], "a.png: expected frames of a video"),
        ([a_frame(0.0, a_face(None, 0.5, 0.5))], "a.mp4: expected frames of a video"),
        ([a_frame(2.0), a_frame(1.5)], "a.mp4: the frame at 1.500 s follows one at 2.000 s"),
        ([a_frame(0.0, a_face(1, 0.5, au_ids=(1,)))], "a.mp4: a result lacks AU 12"),
    ],
)
def test_results_that_are_no_track_are_refused(frames, message):
    with pytest.raises(InputError, match=message):
        tracks(frames, (1, 12))


def test_an_unknown_au_is_refused():
    with pytest.raises(ConfigError, match="AU 99"):
        tracks([], (99,))


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"face 1: expected \(2, 1\) numbers.*\(3, 1\)"):
        Track(1, np.zeros(2), np.zeros((3, 1), np.float32), np.zeros((2, 1), bool), None, (12,))
    with pytest.raises(InputError, match="times of its frames decrease"):
        a_track([1.0, 0.5], [True, False])


def test_a_frame_lasts_until_the_next_one_and_the_last_of_a_stretch_as_long_as_most():
    track = a_track([0.0, 0.1, 0.2, 0.4, 9.0, 9.1], [0] * 6, np.array([0, 0, 0, 0, 1, 0], bool))
    assert track.frame_s.tolist() == pytest.approx([0.1, 0.1, 0.2, 0.1, 0.1, 0.1])
    assert track.starts.tolist() == [True, False, False, False, True, False]


def test_the_active_share_is_one_of_time_and_not_of_frames():
    # Two frames of 0.1 s at rest, one of 0.3 s and one of 0.1 s in action.
    track = a_track([0.0, 0.1, 0.2, 0.5], [[0, 0], [0, 0], [1, 0], [1, 0]])
    assert track.active_share.tolist() == pytest.approx([4 / 6, 0.0])
    assert a_track([3.0], [[1, 0]]).active_share.tolist() == [1.0, 0.0]
