from dataclasses import replace

import numpy as np
import pytest

from vlfau.errors import ConfigError, InputError
from vlfau.evaluation.au_metrics import Confusion
from vlfau.evaluation.probability_metrics import roc_auc_per_au
from vlfau.inference.results import AUResult, CropResult
from vlfau.language import face_note, local_description, parse_local, parse_note
from vlfau.video.baseline import Baseline
from vlfau.video.tracks import Track

AU_IDS = (4, 15)
THRESHOLDS = (0.5, 0.5)


def prob_of(logits):
    return 1 / (1 + np.exp(-np.asarray(logits, float)))


def logit_of(probs):
    return np.log(probs) - np.log1p(-np.asarray(probs, float))


def a_track(logits, *, fps=10, time_s=None, intensities=None):
    probs = np.float32(prob_of(logits))
    time_s = np.arange(len(probs)) / fps if time_s is None else time_s
    intensities = None if intensities is None else np.float32(intensities)
    return Track(1, time_s, probs, probs >= 0.5, intensities, AU_IDS)


def a_face(*probs, intensities=(None, None), words=None):
    aus = tuple(
        AUResult(au_id, "", prob, prob >= 0.5, words, intensity)
        for au_id, prob, intensity in zip(AU_IDS, probs, intensities, strict=True)
    )
    return CropResult(aus=aus, global_caption=words)


def people(seed, shift, count=20, share=0.3):
    """Return made-up people of 30 s, whose AUs rest at a logit of -2 and higher, and their true states."""
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(count):
        occurrence = np.repeat(rng.random((30, 2)) < share, 10, axis=0)
        rest = np.maximum(0, rng.normal(0, shift, 2))
        logits = np.where(occurrence, 1.5, -2.0) + rest + rng.normal(0, 1.2, occurrence.shape)
        pairs.append((a_track(logits), occurrence.astype(np.int8)))
    return pairs


def scores(some, occurrence):
    """Return the AUC and the F1 of each AU over the frames of all people together."""
    probs = np.concatenate([track.probs for track in some])
    return np.array(
        [roc_auc_per_au(probs, occurrence), Confusion.of(probs, occurrence, np.array(THRESHOLDS)).f1_per_au]
    )


def gains(pairs, baseline):
    """Return by how much the AUC and the F1 of each AU grow with baselines, (2, N)."""
    occurrence = np.concatenate([labels for _, labels in pairs])
    without = [track for track, _ in pairs]
    return scores([baseline(track).apply(track) for track in without], occurrence) - scores(without, occurrence)


def test_a_neutral_face_is_brought_to_a_quarter_of_the_thresholds_odds():
    neutral = [a_face(0.5, 0.1), a_face(0.8, 0.1)]  # logits 0 and 1.386 of the first AU: 0.693 on average
    baseline = Baseline.from_faces(neutral, THRESHOLDS)
    assert baseline.shifts.tolist() == pytest.approx([0.693147 + 1.386294, 0.0])
    corrected = baseline.correct(a_face(2 / 3, 0.1))
    assert [au.prob for au in corrected.aus] == pytest.approx([0.2, 0.1])
    assert [au.state for au in corrected.aus] == [False, False]


def test_the_margin_follows_the_threshold():
    # Odds of 1/4 at a threshold of 0.2, a quarter of them is 1/16: a rest at 1/8 is twice as high.
    baseline = Baseline.from_faces([a_face(1 / 9, 1 / 9)], (0.2, 0.5))
    assert baseline.shifts.tolist() == pytest.approx([np.log(2), 0.0])


def test_a_person_who_rests_low_stays_untouched_to_the_last_digit():
    track = a_track(np.random.default_rng(0).normal(-3, 0.5, (200, 2)))
    corrected = Baseline.from_track(track, THRESHOLDS).apply(track)
    assert np.array_equal(corrected.probs, track.probs)
    assert np.array_equal(corrected.states, track.states)
    face = a_face(0.123456789, 0.7)
    assert Baseline.from_faces([a_face(0.05, 0.1)], THRESHOLDS).correct(face) == face


def test_a_track_is_corrected_by_the_low_quantile_of_its_logits():
    logits = np.array([[1.0, -3.0]] * 60 + [[4.0, -3.0]] * 40)
    track = a_track(logits)
    corrected = Baseline.from_track(track, THRESHOLDS, quantile=0.2).apply(track)
    assert logit_of(corrected.probs[[0, 99], 0]).tolist() == pytest.approx([-np.log(4), 3 - np.log(4)], abs=1e-4)
    assert corrected.states[:, 0].tolist() == [False] * 60 + [True] * 40
    assert track.states[:, 0].all()


def test_the_quantile_is_one_of_time_and_not_of_frames():
    # One frame a second at rest for 30 s, then 100 frames a second in action for 10 s.
    time_s = np.concatenate([np.arange(30), 30 + np.arange(1000) / 100])
    logits = np.repeat([[0.5, -3.0], [5.0, -3.0]], [30, 1000], axis=0)
    baseline = Baseline.from_track(a_track(logits, time_s=time_s), THRESHOLDS, quantile=0.5)
    assert baseline.shifts[0] == pytest.approx(0.5 + np.log(4), abs=1e-4)


def test_a_short_clip_changes_nothing():
    track = a_track(np.full((50, 2), 2.0), intensities=np.full((50, 2), 2.0))
    corrected = Baseline.from_track(track, THRESHOLDS).apply(track)
    assert np.array_equal(corrected.probs, track.probs)
    assert np.array_equal(corrected.intensities, track.intensities)
    assert not Baseline.from_track(track, THRESHOLDS, min_s=5).apply(track).states.any()


def test_an_au_that_acts_all_along_looks_like_rest_unless_it_acts_clearly():
    track = a_track(np.tile([2.0, 4.0], (200, 1)))
    corrected = Baseline.from_track(track, THRESHOLDS, max_shift=3.0).apply(track)
    assert corrected.states[0].tolist() == [False, True]
    assert logit_of(corrected.probs[0, 1]) == pytest.approx(1.0, abs=1e-4)


def test_intensities_are_measured_on_what_is_left_above_rest():
    baseline = Baseline.from_faces([a_face(0.1, 0.1, intensities=(1.5, 0.4))], THRESHOLDS)
    corrected = baseline.correct(a_face(0.1, 0.1, intensities=(3.0, 0.4)))
    assert [au.intensity for au in corrected.aus] == pytest.approx([5 * 2.0 / 4.0, 0.4])
    strongest = baseline.correct(a_face(0.1, 0.1, intensities=(5.0, 5.0)))
    assert [au.intensity for au in strongest.aus] == pytest.approx([5.0, 5.0])
    weakest = baseline.correct(a_face(0.1, 0.1, intensities=(0.2, 0.2)))
    assert [au.intensity for au in weakest.aus] == pytest.approx([0.0, 0.2])
    assert [au.intensity for au in baseline.correct(a_face(0.1, 0.1)).aus] == [None, None]


def test_a_track_and_its_faces_are_corrected_alike():
    rng = np.random.default_rng(1)
    track = a_track(rng.normal(0.5, 1, (150, 2)), intensities=rng.uniform(1, 4, (150, 2)))
    baseline = Baseline.from_track(track, THRESHOLDS)
    corrected = baseline.apply(track)
    face = baseline.correct(a_face(*track.probs[7].tolist(), intensities=track.intensities[7].tolist()))
    assert [au.prob for au in face.aus] == pytest.approx(corrected.probs[7].tolist(), abs=1e-6)
    assert [au.state for au in face.aus] == corrected.states[7].tolist()
    assert [au.intensity for au in face.aus] == pytest.approx(corrected.intensities[7].tolist(), abs=1e-5)
    assert baseline.shifts.min() > 0
    assert baseline.intensity_shifts.min() > 0


def test_words_that_told_another_state_are_dropped():
    baseline = Baseline.from_faces([a_face(0.6, 0.1)], THRESHOLDS)
    changed = baseline.correct(a_face(0.6, 0.9, words="The brows are lowered."))
    assert [au.local_caption for au in changed.aus] == [None, "The brows are lowered."]
    assert changed.global_caption is None
    assert baseline.correct(a_face(0.99, 0.1, words="Kept.")).global_caption == "Kept."


def test_baselines_help_where_people_rest_differently():
    auc, f1 = gains(people(0, shift=2.0), lambda track: Baseline.from_track(track, THRESHOLDS))
    assert (auc > 0.01).all()
    assert (f1 > 0.03).all()


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_baselines_hardly_hurt_where_people_rest_alike(share):
    pairs = people(0, shift=0.0, share=share)
    auc, f1 = gains(pairs, lambda track: Baseline.from_track(track, THRESHOLDS))
    assert (auc > -0.003).all()
    assert (f1 > -0.01).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Baseline.from_faces([], THRESHOLDS), InputError, "at least one neutral face"),
        (lambda: Baseline.from_faces([a_face(0.1, 0.1)], (0.5,)), ConfigError, "1 thresholds for 2 AUs"),
        (lambda: Baseline.from_faces([a_face(0.1, 0.1)], (0.5, 1.5)), ConfigError, "1.5 is not a threshold"),
        (lambda: Baseline.from_track(a_track([[0, 0]]), THRESHOLDS, quantile=1), ConfigError, "quantile is 1"),
    ],
)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_baseline_of_another_model_is_refused():
    baseline = Baseline.from_faces([a_face(0.1, 0.1)], THRESHOLDS)
    other = Track(1, np.zeros(1), np.zeros((1, 1), np.float32), np.zeros((1, 1), bool), None, (12,))
    with pytest.raises(InputError, match=r"has the AUs \[4, 15\], this face has \[12\]"):
        baseline.apply(other)


def test_words_that_say_the_numbers_are_changed_to_the_corrected_ones():
    baseline = Baseline.from_faces([a_face(0.1, 0.6, intensities=(1.5, 0.4))], THRESHOLDS)
    face = a_face(0.99, 0.55, intensities=(3.0, 1.0))
    aus = tuple(replace(au, local_caption=local_description(au.facs_state)) for au in face.aus)
    told = replace(face, aus=aus, global_caption=face_note([au.facs_state for au in aus]))
    changed = baseline.correct(told)
    assert [au.facs_state for au in changed.aus] != [au.facs_state for au in aus]
    assert [parse_local(au.local_caption).state for au in changed.aus] == [au.facs_state for au in changed.aus]
    assert parse_note(changed.global_caption).states == tuple(au.facs_state for au in changed.active_aus)
