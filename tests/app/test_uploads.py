import base64
import io
import logging

import numpy as np
import pytest
from PIL import Image

from tests.video.clips import numbered, write_sound, write_video
from vlfau.app.uploads import NEUTRAL, PublicError, Upload, camera_picture, check_is_video, for_visitors, received
from vlfau.errors import BundleError, ImageError, InputError, MissingExtraError, VideoError
from vlfau.media.images import read_picture


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "uploads"
    folder.mkdir()
    (folder / "me.jpg").write_bytes(b"a picture")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


def test_a_request_names_a_file_among_the_uploads(folder):
    upload = received({"path": str(folder / "me.jpg"), "orig_name": "holiday/Me & you.jpg"}, folder)
    assert (upload.path, upload.name, upload.stem) == (folder / "me.jpg", "Me & you.jpg", "Me_you")


@pytest.mark.parametrize(
    "path",
    [
        "{folder}/../secret.txt",
        "{folder}/link.txt",
        "{folder}",
        "{folder}/missing.jpg",
        "/etc/passwd",
        "/proc/self/environ",
        "file://{folder}/me.jpg",
        "http://127.0.0.1/me.jpg",
        "{folder}/me.jpg\0.png",
        "",
        None,
        7,
        ["{folder}/me.jpg"],
    ],
)
def test_a_request_names_no_other_file(folder, path):
    (folder / "link.txt").symlink_to(folder.parent / "secret.txt")
    path = path.format(folder=folder) if isinstance(path, str) else path
    with pytest.raises(InputError, match="does not name a file that was uploaded here") as caught:
        received({"path": path}, folder)
    assert str(folder) not in str(caught.value)


@pytest.mark.parametrize("payload", ["text", 7, [], {}])
def test_a_request_of_another_kind_is_refused(folder, payload):
    with pytest.raises(InputError, match="does not name a file"):
        received(payload, folder)


def test_a_request_without_a_file_says_so(folder):
    with pytest.raises(InputError, match="choose one first"):
        received(None, folder)


@pytest.mark.parametrize(
    ("said", "shown", "stem"),
    [
        ("../../etc/passwd", "passwd", "passwd"),
        ("C:\\pictures\\me.png", "me.png", "me"),
        ("\u202e\x00\n", "me.jpg", "me"),
        ("<b>.png", "<b>.png", "b"),
        ("é" * 200, "é" * 80, "é" * 40),
        ("...", "...", "upload"),
        ({"a": 1}, "me.jpg", "me"),
    ],
)
def test_what_a_visitor_calls_a_file_is_made_fit_to_show(folder, said, shown, stem):
    upload = received({"path": str(folder / "me.jpg"), "orig_name": said}, folder)
    assert (upload.name, upload.stem) == (shown, stem)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mpg"])
def test_videos_are_known_by_their_content(tmp_path, suffix):
    path = write_video(tmp_path / f"clip{suffix}", numbered(4))
    check_is_video(Upload(path.rename(tmp_path / "clip.jpg"), "clip.jpg"))


@pytest.mark.parametrize(
    "content",
    [
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile other.mp4\n",
        b"<?xml version='1.0'?><MPD/>",
        b"[playlist]\nFile1=a.mp4\n",
        b"",
        b"GGGG",
        b"\x89PNG\r\n\x1a\n" + 800 * b"\0",
    ],
)
def test_playlists_and_other_files_are_no_videos(tmp_path, content):
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(VideoError, match=r"clip\.mp4 is not a supported video"):
        check_is_video(Upload(path, "clip.mp4"))


def test_sound_in_a_container_of_videos_is_left_to_the_reader(tmp_path):
    check_is_video(Upload(write_sound(tmp_path / "sound.mp4"), "sound.mp4"))


def data_url(image, kind="jpeg"):
    file = io.BytesIO()
    image.save(file, kind)
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"


def test_a_frame_of_a_camera_becomes_pixels_and_leaves_no_file(tmp_path):
    frame = Image.new("RGB", (32, 24), "red")
    picture = camera_picture({"path": None, "url": data_url(frame)}, tmp_path)
    assert picture.pixels.shape == (24, 32, 3)
    np.testing.assert_allclose(picture.pixels.mean((0, 1)), [254, 0, 0], atol=2)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "payload",
    [
        None,
        {"url": None},
        {"url": "http://127.0.0.1/a.jpg"},
        {"url": "data:text/html;base64,PGI+"},
        {"url": "data:image/jpeg;base64,%%%"},
        {"url": "data:image/jpeg;base64,"},
        {"url": "data:image/svg+xml;base64,PHN2Zy8+"},
        {"url": 7},
    ],
)
def test_another_thing_than_a_frame_is_refused(tmp_path, payload):
    with pytest.raises(ImageError):
        camera_picture(payload, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_message_speaks_of_the_name_and_not_of_the_place(tmp_path):
    path = tmp_path / "deep" / "me.png"
    path.parent.mkdir()
    path.write_text("no picture")
    with pytest.raises(PublicError) as caught, for_visitors(Upload(path, "holiday.png")):
        read_picture(path)
    assert str(caught.value).startswith("holiday.png is not a picture that vlfau can read")
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("error", [RuntimeError("secret"), OSError("secret"), MissingExtraError("gradio", "app")])
def test_of_other_errors_a_visitor_learns_nothing_and_the_log_everything(caplog, error):
    with caplog.at_level(logging.ERROR), pytest.raises(PublicError) as caught, for_visitors():
        raise error
    assert str(caught.value) == NEUTRAL
    assert caught.value.__cause__ is None
    assert str(error) in caplog.text


@pytest.mark.parametrize("error", [BundleError("/srv/model fails"), InputError("cannot write /srv/a.csv (disk full)")])
def test_errors_of_the_model_and_the_disk_are_no_visitors_business(caplog, error):
    with pytest.raises(PublicError, match="went wrong on the server"), for_visitors():
        raise error
    assert "/srv/" in caplog.text


def test_a_public_error_passes_unchanged():
    with pytest.raises(PublicError, match="^one.$"), for_visitors(), for_visitors():
        raise ImageError("one")
