import os

import pytest

from vlfau.errors import InputError
from vlfau.files.names import printable
from vlfau.media.inputs import OWN_ENDINGS, expand_inputs


def touch(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def test_a_folder_gives_its_pictures_in_natural_order(tmp_path):
    touch(*(tmp_path / name for name in ("img10.png", "img2.JPG", "b/img1.webp", "notes.txt")))
    found = [str(path.relative_to(tmp_path)) for path in expand_inputs([tmp_path])]
    assert found == ["b/img1.webp", "img2.JPG", "img10.png"]


def test_hidden_files_and_own_drawings_are_left_out(tmp_path):
    touch(*(tmp_path / name for name in ("a.jpg", "._a.jpg", ".cache/b.jpg")))
    touch(*(tmp_path / f"a{ending}" for ending in OWN_ENDINGS))
    assert expand_inputs([tmp_path], suffixes={".jpg", ".mp4", ".png"}) == [tmp_path / "a.jpg"]


def test_other_kinds_of_files_can_be_asked_for(tmp_path):
    touch(*(tmp_path / name for name in ("a.jpg", "b/film.MP4", "notes.txt")))
    assert expand_inputs([tmp_path], suffixes={".mp4"}) == [tmp_path / "b" / "film.MP4"]


def test_files_are_kept_in_the_order_given_and_once(tmp_path):
    touch(tmp_path / "a.jpg", tmp_path / "b.jpg")
    given = [tmp_path / "missing", tmp_path / "b.jpg", tmp_path, tmp_path / "b.jpg"]
    assert expand_inputs(given) == [tmp_path / "missing", tmp_path / "b.jpg", tmp_path / "a.jpg"]


def test_a_folder_without_pictures_is_refused_by_name(tmp_path):
    touch(tmp_path / "notes.txt")
    with pytest.raises(InputError, match=r"has no file that ends in \.avif, .* name another folder") as caught:
        expand_inputs([tmp_path])
    assert str(tmp_path) in str(caught.value)


def test_a_name_that_is_no_unicode_can_be_printed():
    assert printable(os.fsdecode(b"f\xff.jpg")) == "f\ufffd{FF}.jpg"
