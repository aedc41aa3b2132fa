import gc
import os
import sys

import av
import numpy as np
import pytest

from tests.video.clips import number_of, numbered, truncated, write_late_video, write_sound, write_video
from vlfau.errors import ConfigError, VideoError
from vlfau.media import camera, container, decoding
from vlfau.media.analysed import is_video
from vlfau.media.reader import VideoReader


def read(path, **options):
    with VideoReader(path, **options) as reader:
        return list(reader)


def numbers(frames):
    """The numbers of frames, checked against what their pictures show."""
    assert [number_of(frame.pixels) for frame in frames] == [frame.number for frame in frames]
    return [frame.number for frame in frames]


def test_all_frames_come_in_order_with_their_times(steps_mp4):
    frames = read(steps_mp4)
    assert numbers(frames) == list(range(50))
    assert [frame.time_s for frame in frames] == pytest.approx([number / 25 for number in range(50)])
    assert frames[0].pixels.shape == (48, 64, 3)
    assert frames[0].pixels.dtype == np.uint8


def test_decoded_frames_are_freed_at_once(steps_mp4):
    gc.collect()
    gc.disable()  # frames must not wait for the collector
    try:
        count = sum(1 for _ in VideoReader(steps_mp4))
        left = sum(type(thing) is av.VideoFrame for thing in gc.get_objects())
    finally:
        gc.enable()
    assert count > 10
    assert left <= 2


def test_the_file_says_what_to_expect(steps_mp4):
    info = VideoReader(steps_mp4).info
    assert (info.width, info.height, info.frame_rate, info.frames) == (64, 48, 25.0, 50)
    assert info.duration_s == pytest.approx(2.0)


def test_a_video_can_be_read_again(steps_mp4):
    with VideoReader(steps_mp4, end_s=0.1) as reader:
        assert numbers(reader) == numbers(reader) == [0, 1, 2]


@pytest.mark.parametrize("name", ["a.mkv", "a.webm", "a.avi", "a.ts", "a.mov", "a.mpg", "a.h264"])
def test_every_format_gives_every_frame_from_time_0_on(tmp_path, name):
    frames = read(write_video(tmp_path / name, numbered(40), rate=25))
    assert numbers(frames) == list(range(40))
    assert [frame.time_s for frame in frames] == pytest.approx([number / 25 for number in range(40)], abs=0.001)


def test_h264_in_avi_comes_in_order_though_its_times_are_wrong(tmp_path):
    options = {"preset": "fast", "bf": "3"}
    frames = read(write_video(tmp_path / "a.avi", numbered(40), rate=25, codec="libx264", options=options))
    assert numbers(frames) == list(range(40))
    assert frames[-1].time_s == pytest.approx(39 / 25)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_times_of_a_varying_rate_are_those_of_the_file(tmp_path, suffix):
    times_s = [0.0, 0.04, 0.5, 0.54, 1.2, 1.21]
    frames = read(write_video(tmp_path / f"a{suffix}", numbered(6), times_s=times_s))
    assert [frame.time_s for frame in frames] == pytest.approx(times_s, abs=0.001)


def test_times_count_from_the_first_frame(tmp_path):
    frames = read(write_video(tmp_path / "a.mkv", numbered(3), times_s=[0.7, 0.8, 1.0]))
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.1, 0.3], abs=0.001)


def test_steps_take_the_first_frame_of_each(steps_mp4):
    assert numbers(read(steps_mp4, every_s=0.2)) == list(range(0, 50, 5))
    assert numbers(read(steps_mp4, every_s=0.3)) == [0, 8, 15, 23, 30, 38, 45]
    assert numbers(read(steps_mp4, every_s=0.001)) == list(range(50))


def test_steps_follow_the_times_where_the_rate_varies(tmp_path):
    path = write_video(tmp_path / "a.mp4", numbered(8), times_s=[0, 0.04, 0.08, 0.5, 0.54, 0.9, 1.2, 1.3])
    assert numbers(read(path, every_s=0.5)) == [0, 3, 6]


def test_steps_of_one_frame_survive_times_that_are_rounded_to_milliseconds(tmp_path):
    path = write_video(tmp_path / "a.mkv", numbered(30), rate=30)
    assert len(read(path, every_s=1 / 30)) == 30


def test_a_part_has_the_numbers_and_times_of_the_whole(steps_mp4):
    frames = read(steps_mp4, start_s=1.2, end_s=1.4)
    assert numbers(frames) == [30, 31, 32, 33, 34]
    assert frames[0].time_s == pytest.approx(1.2)
    assert numbers(read(steps_mp4, start_s=0.5, every_s=0.4)) == [13, 23, 33, 43]


def decoded_packets(path, monkeypatch, **options):
    decoded = []
    whole = decoding._Reading._decoded

    def counting(self, packet):
        decoded.append(packet)
        return whole(self, packet)

    monkeypatch.setattr(decoding._Reading, "_decoded", counting)
    read(path, **options)
    return len([packet for packet in decoded if packet is not None])


def test_what_no_wanted_frame_needs_is_not_decoded(steps_mp4, monkeypatch):
    assert decoded_packets(steps_mp4, monkeypatch) == 50
    # Key frames are at 0 and at 1 s.
    assert decoded_packets(steps_mp4, monkeypatch, start_s=1.0) <= 25
    assert decoded_packets(steps_mp4, monkeypatch, every_s=1.0) <= 4


@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_frames_are_turned_upright(tmp_path, degrees):
    upright = np.zeros((64, 96, 3), np.uint8)
    upright[:32, :48] = 200  # top left
    stored = np.rot90(upright, -degrees // 90)
    path = write_video(tmp_path / "a.mp4", [stored] * 3, rotation=degrees)
    with VideoReader(path) as reader:
        assert (reader.info.width, reader.info.height) == (96, 64)
        frame = next(iter(reader)).pixels
    assert np.abs(frame.astype(int) - upright).mean() < 4


@pytest.mark.parametrize(("suffix", "options"), [(".mp4", {"faststart": True}), (".mkv", {}), (".avi", {})])
def test_a_file_that_was_cut_gives_what_there_is_and_says_how_far_it_came(tmp_path, suffix, options):
    rng = np.random.default_rng(0)
    pictures = (rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(100))
    path = truncated(write_video(tmp_path / f"a{suffix}", pictures, rate=25, **options), 0.5)
    came = []
    with pytest.raises(VideoError, match=r"a-cut.* breaks off after (1\.\d|2\.[01]) of 4\.0 s"):
        came.extend(frame.number for frame in VideoReader(path))
    assert 35 <= len(came) <= 55
    assert came == list(range(len(came)))


def test_bytes_that_were_damaged_cost_few_frames_and_are_named(tmp_path):
    rng = np.random.default_rng(0)
    pictures = (rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(60))
    path = write_video(tmp_path / "a.mp4", pictures, options={"preset": "ultrafast", "g": "10"}, faststart=True)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4000] = bytes(4000)
    path.write_bytes(content)
    came = []
    with pytest.raises(VideoError, match=r"a\.mp4 is damaged: \d+ packets"):
        came.extend(frame.number for frame in VideoReader(path))
    assert len(came) >= 45
    assert came == sorted(came)
    assert came[-1] == 59


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("text.mp4", b"not a video\n" * 50, "text.mp4 is not a video that can be read"),
        ("empty.mp4", b"", "empty.mp4 is empty"),
        (
            "list.mp4",
            b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n",
            "not a video that can be",
        ),
    ],
)
def test_files_that_are_no_videos_are_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(VideoError, match=message):
        VideoReader(tmp_path / name)


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{name}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {name}\n",
    ],
    ids=["hls", "concat"],
)
@pytest.mark.parametrize("suffix", [".mp4", ".m3u8"])
def test_playlists_open_no_other_file(tmp_path, text, suffix):
    other = write_video(tmp_path / "other.mp4", numbered(3))
    path = tmp_path / f"list{suffix}"
    path.write_text(text.format(name=other.name))
    with pytest.raises(VideoError, match="is not a video that can be read"):
        container.probe(path)


def test_folders_missing_files_and_sound_are_refused(tmp_path):
    with pytest.raises(VideoError, match="is a folder, not a video"):
        VideoReader(tmp_path)
    with pytest.raises(VideoError, match=r"nothing\.mp4 does not exist"):
        VideoReader(tmp_path / "nothing.mp4")
    with pytest.raises(VideoError, match=r"a\.m4a has sound or other data, but no video"):
        VideoReader(write_sound(tmp_path / "a.m4a"))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems allow no such names")
def test_a_name_may_be_any_bytes(tmp_path, steps_mp4):
    for name in (b"a:b%2F?.mp4", b"\xff\xfe.mp4"):
        path = tmp_path / os.fsdecode(name)
        path.write_bytes(steps_mp4.read_bytes())
        assert len(read(path, end_s=0.2)) == 5


def test_a_start_after_the_end_is_an_error(steps_mp4):
    with pytest.raises(VideoError, match="has no frame from 10 s on"):
        read(steps_mp4, start_s=10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every_s": 0}, "every is 0 s"),
        ({"start_s": -1}, "start is -1 s"),
        ({"start_s": 2, "end_s": 2}, "end is 2 s and start 2 s"),
        ({"every_s": float("nan")}, "every is nan s"),
    ],
)
def test_times_out_of_range_are_refused(steps_mp4, options, message):
    with pytest.raises(ConfigError, match=message):
        VideoReader(steps_mp4, **options)


def test_videos_and_cameras_are_known_by_their_names():
    assert all(map(is_video, ["a.mp4", "B.MOV", "c.webm", "camera:0", "camera:12"]))
    assert not any(map(is_video, ["a.jpg", "mp4", "camera:", "camera:x", "folder"]))


class FakeCamera:
    """Three blue pictures, and then none."""

    def __init__(self, number):
        self.left, self.number = 3, number

    def isOpened(self):  # noqa: N802 - OpenCV's name
        return self.number == 0

    def get(self, key):
        return 30.0

    def read(self):
        self.left -= 1
        blue = np.zeros((4, 6, 3), np.uint8)
        blue[..., 0] = 255  # OpenCV gives blue, green, red.
        return (True, blue) if self.left >= 0 else (False, None)

    def release(self):
        pass


def test_a_camera_gives_rgb_at_the_time_of_the_clock(monkeypatch):
    clock = iter([50.0, 50.5, 51.25])
    monkeypatch.setattr(camera.cv2, "VideoCapture", FakeCamera)
    monkeypatch.setattr(camera.time, "monotonic", lambda: next(clock))
    frames = []
    with pytest.raises(VideoError, match="camera:0 gave 3 frames and then no more"):
        frames.extend(VideoReader("camera:0"))
    assert [(frame.number, frame.time_s) for frame in frames] == [(0, 0.0), (1, 0.5), (2, 1.25)]
    assert frames[0].pixels[0, 0].tolist() == [0, 0, 255]
    assert VideoReader("camera:0").info.duration_s is None


def test_a_missing_camera_is_named(capfd):
    with pytest.raises(VideoError, match="camera:99 cannot be opened; connect a camera"):
        VideoReader("camera:99")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("every_s", [None, 0.4])
def test_recordings_that_were_joined_byte_by_byte_are_read_on_one_clock(tmp_path, every_s):
    """As a camcorder's split recording is put together: `cat a.ts b.ts`."""
    parts = [write_video(tmp_path / f"{name}.ts", numbered(40), rate=25) for name in "ab"]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames = read(joined, every_s=every_s)
    times_s = [frame.time_s for frame in frames]
    assert times_s == sorted(times_s)
    assert len(frames) == (80 if every_s is None else 8)
    assert times_s[-1] == pytest.approx(79 / 25 if every_s is None else 2.8, abs=0.05)


def test_a_frame_that_grows_too_large_is_never_decoded(tmp_path):
    """The first frames of a file say nothing of the later ones."""
    options = {"codec": "mjpeg", "options": {"strict": "unofficial"}}
    small, large = (write_video(tmp_path / f"{side}.mkv", numbered(3, (side, 48)), **options) for side in (64, 640))
    joined = tmp_path / "joined.mkv"
    with av.open(str(joined), "w") as made:
        with av.open(str(small)) as first:
            stream = made.add_stream_from_template(first.streams.video[0])
        for number, path in enumerate((small, large)):
            with av.open(str(path)) as part:
                for packet in part.demux(video=0):
                    if packet.size:
                        packet.pts = packet.dts = packet.pts + 1000 * number
                        packet.stream = stream
                        made.mux(packet)
    with VideoReader(joined, max_pixels=64 * 48) as reader:
        frames = iter(reader)
        assert [next(frames).pixels.shape[1] for _ in range(3)] == [64] * 3
        with pytest.raises(VideoError, match="3 packets cannot be decoded"):
            next(frames)
    assert len(read(joined)) == 6


def test_short_recordings_of_other_sizes_that_were_joined_stay_in_order(tmp_path):
    parts = [write_video(tmp_path / f"{side}.ts", numbered(4, (side, 48)), rate=30) for side in (64, 96, 64)]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    times_s = [frame.time_s for frame in read(joined)]
    assert times_s == sorted(set(times_s))
    assert len(times_s) == 12


# A transport stream keeps the 64 ms that an AAC encoder puts before the sound.
@pytest.mark.parametrize(("suffix", "late_s"), [(".mp4", 2.0), (".mkv", 2.0), (".mov", 2.0), (".ts", 2.064)])
def test_a_video_that_starts_after_its_sound_is_on_the_clock_of_the_sound(tmp_path, suffix, late_s):
    path = write_late_video(tmp_path / f"a{suffix}", numbered(50), late_s=2.0)
    frames = read(path)
    assert numbers(frames) == list(range(50))
    assert [frame.time_s for frame in frames] == pytest.approx([late_s + number / 25 for number in range(50)], abs=2e-3)
    assert [frame.since_first_s for frame in frames] == pytest.approx([number / 25 for number in range(50)], abs=1e-3)
    assert numbers(read(path, start_s=2.0)) == list(range(50))
    assert numbers(read(path, start_s=late_s + 1)) == list(range(25, 50))
    assert numbers(read(path, end_s=late_s + 1)) == list(range(25))


def test_times_of_an_ordinary_video_begin_at_zero(tmp_path):
    for suffix in (".mp4", ".mkv", ".ts", ".avi", ".mpg", ".webm"):
        frames = read(write_video(tmp_path / f"a{suffix}", numbered(20), rate=25))
        times_s = [frame.time_s for frame in frames]
        assert times_s == pytest.approx([number / 25 for number in range(20)], abs=2e-3), suffix
        assert frames[0].time_s == frames[0].since_first_s == 0
