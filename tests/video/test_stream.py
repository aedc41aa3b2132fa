import gc
import itertools
import signal
import sys
import threading
import time
import tracemalloc
import weakref

import numpy as np
import pytest

from tests.inference.tiny_bundle import LOCAL_TEXTS, NEUTRAL_TEXTS
from tests.video.clips import moving, scene, truncated, write_video
from vlfau.errors import ConfigError, VideoError
from vlfau.inference.predictor import Predictor
from vlfau.media import camera
from vlfau.video.stream import stream


@pytest.fixture
def predictor(tiny_bundle, finder):
    predictor = Predictor(tiny_bundle)
    predictor.finder = finder
    return predictor


def test_every_frame_gives_its_faces_as_a_picture_would(predictor, face_mp4):
    results = list(stream(predictor, face_mp4))
    assert [frame.number for frame, _ in results] == list(range(30))
    assert [result.frame for _, result in results] == list(range(30))
    assert [result.time_s for _, result in results] == pytest.approx([number / 30 for number in range(30)])
    assert {result.file for _, result in results} == {str(face_mp4)}
    assert [[face.face_id for face in result.faces] for _, result in results] == [[1]] * 30
    frame, result = results[-1]
    (face,) = predictor.predict(frame.pixels)
    assert result.faces[0].face_box_xyxy == pytest.approx(face.face_box_xyxy, abs=3)
    assert [au.prob for au in result.faces[0].aus] == pytest.approx([au.prob for au in face.aus], abs=0.03)
    assert result.faces[0].crop.shape == (16, 16, 3)


def test_a_result_knows_its_model_and_keeps_no_frame(predictor, face_mp4):
    frames = []
    for frame, result in stream(predictor, face_mp4, every_s=0.2):
        assert result.source is None
        assert result.model is predictor.bundle.info
        assert result.plot(frame.pixels).width > frame.pixels.shape[1]
        frames.append(weakref.ref(frame.pixels))
        kept = result  # noqa: F841 - the last result stays, its frame does not
        del frame
    gc.collect()
    assert [reference() for reference in frames] == [None] * 5


def test_a_part_and_steps_can_be_chosen(predictor, face_mp4):
    results = list(stream(predictor, face_mp4, every_s=0.2, start_s=0.2, end_s=0.7))
    assert [result.frame for _, result in results] == [6, 12, 18]


class CountingCaptioner:
    """Says which face of all that it was asked about this is, and the states it had."""

    def __init__(self, predictor):
        self.whole, self.asked = predictor.describe, []

    def __call__(self, scores, rows, describe=None):
        self.asked += [(len(self.asked), tuple(scores.au_states[row].tolist())) for row in rows]
        return self.whole(scores, rows, describe)


@pytest.fixture
def changing_mp4(tmp_path):
    """A face that is tinted blue in the middle third: AU12 of the tiny bundle goes on and off."""
    tints = [np.array(tint) for tint in ((1, 1, 0), (1, 1, 1), (1, 1, 0))]
    pictures = (np.uint8(scene([(320, 180)]) * tint) for tint in tints for _ in range(5))
    return write_video(tmp_path / "a.mp4", pictures, options={"preset": "ultrafast", "crf": "10"})


def test_words_are_made_anew_only_when_the_active_aus_change(predictor, changing_mp4):
    predictor.describe = captioner = CountingCaptioner(predictor)
    results = [result for _, result in stream(predictor, changing_mp4)]
    states = [tuple(au.state for au in result.faces[0].aus) for result in results]
    changes = 1 + sum(one != other for one, other in itertools.pairwise(states))
    assert [state[2] for state in states] == [False] * 5 + [True] * 5 + [False] * 5
    assert [asked for _, asked in captioner.asked] == [state for state, _ in itertools.groupby(states)]
    assert len(captioner.asked) == changes < 15
    for result in results:
        face = result.faces[0]
        assert face.global_caption in NEUTRAL_TEXTS
        assert [au.local_caption for au in face.aus] == [
            text if au.state else None for au, text in zip(face.aus, LOCAL_TEXTS, strict=True)
        ]


@pytest.mark.parametrize(("describe", "count"), [("never", 0), ("active", None), ("every", 3), ("changes", None)])
def test_the_words_are_those_that_are_asked_for(predictor, face_mp4, describe, count):
    for _, result in stream(predictor, face_mp4, describe=describe, end_s=0.1):
        (face,) = result.faces
        captions = [au.local_caption for au in face.aus if au.local_caption is not None]
        assert len(captions) == (len(face.active_aus) if count is None else count)
        assert (face.global_caption is None) == (describe == "never")


def test_what_can_be_read_of_a_cut_file_comes_before_the_error(predictor, tmp_path):
    path = truncated(write_video(tmp_path / "a.mkv", moving(60)), 0.5)
    counts = []
    with pytest.raises(VideoError, match="breaks off after"):
        counts.extend(len(result.faces) for _, result in stream(predictor, path, describe="never"))
    assert len(counts) > 15
    assert set(counts) == {1}


def test_bad_sources_and_arguments_are_refused_before_the_first_frame(predictor, face_mp4, tmp_path):
    with pytest.raises(VideoError, match="does not exist"):
        stream(predictor, tmp_path / "nothing.mp4")
    with pytest.raises(ConfigError, match="describe is 'all'; give one of changes, active, every, never"):
        stream(predictor, face_mp4, describe="all")
    with pytest.raises(ConfigError, match="every is -1 s"):
        stream(predictor, face_mp4, every_s=-1)


def test_closing_early_ends_the_threads(predictor, face_mp4):
    before = threading.active_count()
    results = stream(predictor, face_mp4)
    next(results)
    results.close()
    assert threading.active_count() == before


@pytest.mark.usefixtures("_heeding_interrupts")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no signals to threads")
def test_ctrl_c_while_it_is_closed_stays_an_interruption(predictor, face_mp4, monkeypatch):
    working, frames, align = threading.Event(), itertools.count(), predictor.align

    def slowly(*arguments):
        if next(frames) > 4:
            working.set()
            time.sleep(1)
        return align(*arguments)

    monkeypatch.setattr(predictor, "align", slowly)
    results = stream(predictor, face_mp4)
    next(results)
    assert working.wait(30)
    pressed = threading.Timer(0.2, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT))
    pressed.start()
    with pytest.raises(KeyboardInterrupt):
        results.close()
    pressed.join()


def test_memory_does_not_grow_with_the_video(predictor, tmp_path):
    # A face for a moment and then none: 200 frames of 0.7 MB, 138 MB in all.
    pictures = itertools.chain(moving(20), itertools.repeat(np.zeros((360, 640, 3), np.uint8), 180))
    path = write_video(tmp_path / "a.mp4", pictures)
    frame_size = 360 * 640 * 3
    tracemalloc.start()
    try:
        for frame, result in stream(predictor, path, describe="never"):
            if frame.number == 20:
                tracemalloc.reset_peak()
                early = tracemalloc.get_traced_memory()[0]
            del frame, result
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak - early < 25 * frame_size


def test_a_camera_drops_frames_while_the_network_is_busy(predictor, monkeypatch):
    class Camera:
        def __init__(self, number):
            self.count = 0

        def isOpened(self):  # noqa: N802 - OpenCV's name
            return True

        def get(self, key):
            return 100.0

        def read(self):
            time.sleep(0.01)
            self.count += 1
            return True, np.full((120, 160, 3), self.count % 256, np.uint8)

        def release(self):
            pass

    monkeypatch.setattr(camera.cv2, "VideoCapture", Camera)
    results = stream(predictor, "camera:0")
    first, _ = next(results)
    time.sleep(0.5)
    second, result = next(results)
    results.close()
    assert first.number == 0
    assert second.number > 20
    assert second.pixels[0, 0, 0] == second.number + 1
    assert result.time_s == second.time_s > 0.2


def test_the_faces_of_four_frames_are_judged_together_and_as_one_by_one(predictor, face_mp4, monkeypatch):
    score, batches = predictor.score_crops, []
    monkeypatch.setattr(predictor, "score_crops", lambda crops: batches.append(len(crops)) or score(crops))
    together = [result.faces[0].probs for _, result in stream(predictor, face_mp4)]
    assert batches == [4] * 7 + [2]
    monkeypatch.setattr("vlfau.video.stream._GROUPED_FRAMES", 1)
    alone = [result.faces[0].probs for _, result in stream(predictor, face_mp4)]
    assert batches[8:] == [1] * 30
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_large_frames_are_judged_one_by_one(predictor, face_mp4, monkeypatch):
    score, batches = predictor.score_crops, []
    monkeypatch.setattr(predictor, "score_crops", lambda crops: batches.append(len(crops)) or score(crops))
    monkeypatch.setattr("vlfau.video.stream._GROUPED_BYTES", 640 * 360 * 3 * 2)  # two frames
    assert len(list(stream(predictor, face_mp4, end_s=0.3))) == 9
    assert batches == [2] * 4 + [1]
