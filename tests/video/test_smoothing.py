import dataclasses

import numpy as np
import pytest

from tests.video.clips import photograph, write_video
from tests.video.stage import face, frame, result
from vlfau.inference.au_scores import logit, sigmoid
from vlfau.inference.predictor import Predictor
from vlfau.video.smoothing import OneEuro, parabola_at, smoothed, steady
from vlfau.video.stream import stream

THRESHOLDS = (0.5, 0.5, 0.5)


def filmed(probs, *, rate=25.0, **face_values):
    """Frames of one face whose AU 12 has these probabilities; None is a frame without a face."""
    for number, prob in enumerate(probs):
        faces = () if prob is None else (face(prob, **face_values),)
        yield frame(number, number / rate), result(number, number / rate, *faces)


def of_au12(results):
    return [None if not each.faces else each.faces[0][12] for _, each in results]


def changes(states):
    return int(np.abs(np.diff(np.asarray(states, int))).sum())


@pytest.fixture
def trembling():
    """Probabilities of a face that rests just below the threshold."""
    return sigmoid(-0.15 + 0.3 * np.random.default_rng(0).standard_normal(250)).tolist()


def test_every_frame_comes_once_and_in_order(trembling):
    frames = list(smoothed(filmed(trembling), THRESHOLDS))
    assert [shown.number for shown, _ in frames] == [each.frame for _, each in frames] == list(range(250))
    assert [au.prob for au in of_au12(frames)] == pytest.approx(trembling)


def test_flicker_around_a_threshold_goes(trembling):
    aus = of_au12(smoothed(filmed(trembling), THRESHOLDS))
    raw = changes([au.state for au in aus])
    assert raw > 60
    assert changes([au.state_centred for au in aus]) < raw / 3
    assert changes([au.prob_causal >= 0.5 for au in aus]) < raw / 3


def test_the_centred_filter_keeps_the_time_and_the_height_of_a_smile():
    probs = [0.02 + 0.93 * np.exp(-(((number / 25 - 2) / 0.5) ** 2)) for number in range(100)]
    aus = of_au12(smoothed(filmed(probs), THRESHOLDS))
    assert np.argmax([au.prob_centred for au in aus]) == np.argmax(probs) == 50
    assert aus[50].prob_centred == pytest.approx(0.95, abs=0.03)
    onset = [
        next(place for place, prob in enumerate(some) if prob >= 0.5)
        for some in (probs, [au.prob_centred for au in aus], [au.prob_causal for au in aus])
    ]
    assert onset[1] == pytest.approx(onset[0], abs=1)
    assert onset[0] < onset[2] <= onset[0] + 8  # The causal one is late.


def test_the_causal_filter_never_looks_ahead(trembling):
    whole = of_au12(smoothed(filmed(trembling), THRESHOLDS))
    half = of_au12(smoothed(filmed(trembling[:125]), THRESHOLDS))
    assert [au.prob_causal for au in half] == [au.prob_causal for au in whole[:125]]


def test_a_lost_face_begins_anew():
    aus = of_au12(smoothed(filmed([0.1] * 20 + [None] * 3 + [0.9] * 20), THRESHOLDS))
    assert aus[20:23] == [None] * 3
    for au in (au for au in aus if au is not None):
        assert au.prob_centred == pytest.approx(au.prob) == pytest.approx(au.prob_causal)


def test_a_parabola_is_followed_exactly_at_uneven_times():
    times_s = np.array([0.0, 0.1, 0.15, 0.4, 0.5, 0.9])
    values = np.stack([3 * times_s**2 - times_s + 1, np.full(6, 2.0)], axis=1)
    assert parabola_at(values, times_s, 0.4) == pytest.approx([3 * 0.16 - 0.4 + 1, 2.0])


def test_one_euro_follows_what_is_fast_and_smooths_what_is_slow():
    slow, fast = OneEuro(), OneEuro()
    for number in range(50):
        small = slow(np.array([0.1 * (-1) ** number]), number / 25)
        large = fast(np.array([0.0 if number < 40 else 6.0]), number / 25)
    assert abs(small[0]) < 0.03
    assert large[0] > 4.5


def test_events_and_drawings_take_the_centred_probabilities(trembling):
    _, each = next(smoothed(filmed(trembling), THRESHOLDS))
    taken, raw = steady(each).faces[0][12], each.faces[0][12]
    assert (taken.prob, taken.state) == (raw.prob_centred, raw.state_centred)
    plain = dataclasses.replace(each, faces=(face(0.75),))
    assert steady(plain) == plain


def test_a_still_face_after_compression_flickers_less(tmp_path, tiny_bundle, finder):
    """50 identical frames after H.264; the thresholds are set to where the scores of this face rest."""
    pictures = [np.pad(photograph()[:300, 75:375], ((0, 0), (0, 0), (0, 0)))] * 50
    path = write_video(tmp_path / "a.mp4", pictures, rate=25, options={"preset": "veryfast", "crf": "35"})
    predictor = Predictor(tiny_bundle)
    predictor.finder = finder
    plain = list(stream(predictor, path, describe="never"))
    logits = np.array([logit(each.faces[0].probs) for _, each in plain])
    thresholds = sigmoid(np.median(logits, axis=0)).tolist()
    after = [each.faces[0] for _, each in smoothed(iter(plain), thresholds)]
    before = sum(changes(logits[:, column] >= logit(thresholds[column])) for column in range(3))
    smooth = sum(changes([one.aus[column].state_centred for one in after]) for column in range(3))
    assert before > 0
    assert smooth < before
