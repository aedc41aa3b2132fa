import shutil

import numpy as np
import pytest
from PIL import Image

from tests.video.clips import number_of, numbered, write_sound, write_video
from vlfau.errors import ConfigError, VideoError
from vlfau.media.analysed import ANALYSED_SUFFIXES, is_video
from vlfau.media.inputs import expand_inputs
from vlfau.media.reader import VideoReader


def write_animation(path, count=12, *, shown_ms=40, size=(64, 48)):
    first, *others = [Image.fromarray(picture) for picture in numbered(count, size)]
    lossless = {"lossless": True} if path.suffix == ".webp" else {}
    kind = {".png": "PNG", ".apng": "PNG"}.get(path.suffix)
    first.save(path, kind, save_all=True, append_images=others, duration=shown_ms, loop=0, **lossless)
    return path


def numbers(frames):
    return [number_of(frame.pixels) for frame in frames]


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.apng", "a.webp", "A.GIF"])
def test_an_animated_picture_is_a_video(tmp_path, name):
    path = write_animation(tmp_path / name.lower())
    path = path.rename(tmp_path / name)
    assert is_video(path)
    reader = VideoReader(path)
    frames = list(reader)
    assert numbers(frames) == [frame.number for frame in frames] == list(range(12))
    assert [frame.time_s for frame in frames] == pytest.approx([0.04 * number for number in range(12)])
    assert (reader.info.width, reader.info.height, reader.info.frames) == (64, 48, 12)
    assert (reader.info.duration_s, reader.info.frame_rate) == pytest.approx((0.48, 25))
    assert numbers(VideoReader(path, start_s=0.2, end_s=0.4, every_s=0.08)) == [5, 7, 9]


def test_frames_of_no_duration_are_shown_as_browsers_show_them(tmp_path):
    frames = list(VideoReader(write_animation(tmp_path / "a.gif", 3, shown_ms=0)))
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.1, 0.2])


def test_transparent_parts_of_an_animation_are_white(tmp_path):
    pictures = [Image.new("RGBA", (16, 16), (255, 0, 0, 255)), Image.new("RGBA", (16, 16), (0, 0, 0, 0))]
    pictures[0].save(tmp_path / "a.png", save_all=True, append_images=pictures[1:], duration=40)
    frames = list(VideoReader(tmp_path / "a.png"))
    assert [frame.pixels[8, 8].tolist() for frame in frames] == [[255, 0, 0], [255, 255, 255]]


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp"])
def test_a_picture_of_one_frame_stays_a_picture(tmp_path, suffix):
    Image.fromarray(next(numbered(1))).save(tmp_path / f"a{suffix}")
    assert not is_video(tmp_path / f"a{suffix}")


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp"])
def test_a_truncated_animation_gives_what_there_is_or_is_refused(tmp_path, suffix):
    path = write_animation(tmp_path / f"a{suffix}", 40)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    frames = []
    with pytest.raises(VideoError, match=rf"a\{suffix}"):
        frames.extend(VideoReader(path))
    assert len(frames) < 40


def test_numbered_pictures_are_a_video_at_the_rate_that_is_given(tmp_path):
    for number, picture in enumerate(numbered(30)):
        if number != 4:
            Image.fromarray(picture).save(tmp_path / f"frames_{number + 1:05d}.png")
    pattern = tmp_path / "frames_%05d.png"
    assert is_video(pattern)
    reader = VideoReader(pattern, fps=10)
    frames = list(reader)
    assert [frame.number for frame in frames] == [*range(4), *range(5, 30)]
    assert numbers(frames) == [frame.number for frame in frames]
    assert [frame.time_s for frame in frames] == pytest.approx([frame.number / 10 for frame in frames])
    assert (reader.info.frames, reader.info.duration_s) == (30, 3.0)
    assert reader.info.notes == ("read 29 numbered pictures at 10 per second", "1 missing")
    assert numbers(VideoReader(pattern, fps=10, start_s=1, end_s=1.3)) == [10, 11, 12]
    with pytest.raises(ConfigError, match="frames_%05d.png stands for pictures without times.*--fps"):
        VideoReader(pattern)
    with pytest.raises(VideoError, match="there is no picture"):
        VideoReader(tmp_path / "other_%d.png", fps=10)


def test_numbers_without_leading_zeros_are_in_natural_order(tmp_path):
    for number, picture in enumerate(numbered(12)):
        Image.fromarray(picture).save(tmp_path / f"{number}.png")
    assert numbers(VideoReader(tmp_path / "%d.png", fps=25)) == list(range(12))


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """One video in every kind of file."""
    folder = tmp_path_factory.mktemp("films")
    for name in ("a.mp4", "a.mpg", "a.avi", "a.mkv", "a.ts"):
        write_video(folder / name, numbered(25), rate=25)
    return folder


@pytest.mark.parametrize(
    ("source", "name"),
    [
        *(("a.mpg", "MOV001.MOD"), ("a.mp4", "a.qt"), ("a.avi", "a.divx"), ("a.avi", "A.AVI")),
        *((f"a.{kind}", "recording") for kind in ("mp4", "mpg", "avi", "mkv", "ts")),
        ("a.mp4", "2024-05-01 12.30"),
    ],
)
def test_videos_are_known_by_their_content_where_their_names_do_not_tell(films, tmp_path, source, name):
    path = tmp_path / name
    shutil.copy(films / source, path)
    assert is_video(path)
    assert len(list(VideoReader(path))) == 25


def test_windows_media_files_are_videos(tmp_path):
    path = write_video(tmp_path / "a.asf", numbered(25), rate=25, codec="msmpeg4v3")
    assert is_video(path)
    assert len(list(VideoReader(path))) == 25


def test_a_folder_gives_the_files_that_are_videos_or_pictures_by_their_content(films, tmp_path):
    shutil.copy(films / "a.mpg", tmp_path / "M.MOD")
    shutil.copy(films / "a.mp4", tmp_path / "film")
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "photo", "JPEG")
    (tmp_path / "song.mod").write_bytes(b"a song" + bytes(1074) + b"M.K.")
    (tmp_path / "README").write_text("read me")
    write_sound(tmp_path / "sound.m4a")
    found = expand_inputs([tmp_path], suffixes=ANALYSED_SUFFIXES)
    assert [path.name for path in found] == ["film", "M.MOD", "photo"]
    assert [path.name for path in found if is_video(path)] == ["film", "M.MOD"]
