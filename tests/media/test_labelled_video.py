import cv2
import numpy as np
import pytest

from vlfau.errors import VideoError
from vlfau.media.labelled_video import count_frames, read_numbered_frames

LABELS = "the labels go to 9"


@pytest.fixture(params=["MJPG", "XVID"])
def video(request, tmp_path):
    """Six frames; frame n is grey, 30 * n."""
    path = tmp_path / "video.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*request.param), 20, (64, 48))
    for number in range(1, 7):
        writer.write(np.full((48, 64, 3), 30 * number, np.uint8))
    writer.release()
    return path


def test_frames_are_counted_from_one(video):
    frames = list(read_numbered_frames(video, [1, 4, 6], needed_by=LABELS))
    assert [round(frame.mean() / 30) for frame in frames] == [1, 4, 6]
    assert {frame.shape for frame in frames} == {(48, 64, 3)}
    assert count_frames(video) == 6


def test_the_pixels_are_those_of_opencv_in_rgb(video):
    capture = cv2.VideoCapture(str(video))
    expected = [capture.read()[1][..., ::-1] for _ in range(6)]
    capture.release()
    assert np.array_equal(list(read_numbered_frames(video, range(1, 7), needed_by=LABELS)), expected)


def test_a_video_that_ends_early_says_who_needs_more(video):
    frames = read_numbered_frames(video, [6, 9], needed_by=LABELS)
    next(frames)
    with pytest.raises(
        VideoError, match=r"video\.avi ends after frame 6, but the labels go to 9; copy the video again"
    ):
        next(frames)


@pytest.mark.parametrize("content", [b"text", b"#EXTM3U\n#EXTINF:1,\nother.ts\n", b""])
def test_what_is_not_a_video_is_refused(tmp_path, content):
    path = tmp_path / "a.avi"
    path.write_bytes(content)
    for read in (count_frames, lambda path: next(read_numbered_frames(path, [1], needed_by=LABELS))):
        with pytest.raises(VideoError, match=r"a\.avi is (not a video that can be read|empty)"):
            read(path)
