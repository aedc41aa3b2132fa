import av
import numpy as np
import pytest

from tests.video.stage import AU_IDS, face, frame, result
from vlfau.drawing.annotate import VideoWriter
from vlfau.errors import ConfigError, InputError


def write(path, times, *, size=(160, 120), faces=(), **values):
    with VideoWriter(path, au_ids=AU_IDS, **values) as writer:
        for number, time_s in enumerate(times):
            writer.write(frame(number, time_s, size=size), result(number, time_s, *faces))


def boxes(path):
    """The names of the file's outermost boxes, in order."""
    content, place, names = path.read_bytes(), 0, []
    while place < len(content):
        names.append(content[place + 4 : place + 8].decode("ascii"))
        place += int.from_bytes(content[place : place + 4], "big")
    return names


@pytest.mark.parametrize(
    "times",
    [
        [number * 1001 / 30000 for number in range(40)],
        [number * 1001 / 24000 for number in range(20)],
        [0.0, 0.04, 0.05, 0.2, 1.7, 1.701, 30.0],
        [0.0],
    ],
    ids=["29.97", "23.976", "varying", "one frame"],
)
def test_every_frame_is_shown_when_the_source_shows_it(tmp_path, times):
    write(tmp_path / "a.mp4", times)
    with av.open(tmp_path / "a.mp4") as video:
        read = [each.time for each in video.decode(video=0)]
    np.testing.assert_allclose(read, times, atol=2e-6)


def test_a_part_of_a_video_begins_at_zero(tmp_path):
    write(tmp_path / "a.mp4", [12.0, 12.5, 13.5])
    with av.open(tmp_path / "a.mp4") as video:
        assert [each.time for each in video.decode(video=0)] == pytest.approx([0.0, 0.5, 1.5], abs=2e-6)


def test_times_that_do_not_grow_are_made_to(tmp_path):
    write(tmp_path / "a.mp4", [0.0, 0.0, 0.0, 0.1])
    with av.open(tmp_path / "a.mp4") as video:
        read = [each.pts for each in video.decode(video=0)]
    assert len(read) == 4
    assert sorted(set(read)) == read


def test_the_file_is_one_that_browsers_play(tmp_path):
    write(tmp_path / "a.mp4", [0.0, 0.1], size=(161, 121))
    with av.open(tmp_path / "a.mp4") as video:
        stream = video.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.pix_fmt, len(video.streams)) == ("h264", "yuv420p", 1)
        assert (context.width % 2, context.height % 2) == (0, 0)
        assert (context.profile, context.colorspace, context.color_range) == ("High", 1, 1)
    names = boxes(tmp_path / "a.mp4")
    assert names.index("moov") < names.index("mdat")


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 160, 0), (200, 120, 90)])
def test_colours_stay_what_they_were(tmp_path, colour):
    with VideoWriter(tmp_path / "a.mp4", au_ids=AU_IDS) as writer:
        writer.write(frame(0, 0.0, size=(640, 480), colour=colour), result(0, 0.0))
    with av.open(tmp_path / "a.mp4") as video:
        pixels = next(video.decode(video=0)).to_ndarray(format="rgb24")
    np.testing.assert_allclose(pixels[200:300, 200:300].mean((0, 1)), colour, atol=4)


def test_the_panel_has_a_column_for_each_face_of_the_first_frame_and_at_most_three(tmp_path):
    widths = []
    for count in (0, 1, 2, 5):
        faces = [face(face_id=number) for number in range(1, count + 1)]
        write(tmp_path / f"{count}.mp4", [0.0], size=(640, 480), faces=faces)
        with av.open(tmp_path / f"{count}.mp4") as video:
            widths.append(video.streams.video[0].width)
    column = widths[2] - widths[1]
    assert column > 300
    assert [width - widths[0] for width in widths] == [0, 0, column, 2 * column]


def test_frames_of_another_size_fit_in(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", au_ids=AU_IDS) as writer:
        writer.write(frame(0, 0.0), result(0, 0.0, face()))
        writer.write(frame(1, 0.1, size=(320, 90)), result(1, 0.1, face()))
    with av.open(tmp_path / "a.mp4") as video:
        assert len(list(video.decode(video=0))) == 2


def test_an_interrupted_video_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"old")

    def times():
        yield 0.0
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(path, times())
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_video_without_frames_is_not_written(tmp_path):
    with (
        pytest.raises(InputError, match=r"there was no frame for .*a\.mp4"),
        VideoWriter(tmp_path / "a.mp4", au_ids=AU_IDS),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot write .*missing.a\.mp4"):
        write(tmp_path / "missing" / "a.mp4", [0.0])


@pytest.mark.parametrize("columns", [0, 4])
def test_the_number_of_columns_is_checked(tmp_path, columns):
    with pytest.raises(ConfigError, match="give a number from 1 to 3"):
        VideoWriter(tmp_path / "a.mp4", au_ids=AU_IDS, columns=columns)
