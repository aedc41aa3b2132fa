import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlfau.errors import ImageError
from vlfau.media.images import Picture
from vlfau.media.pixels import as_picture

ROW = np.uint8([[[250, 0, 10], [1, 2, 3]]])  # one row of two pixels


def pixels_of(image):
    return as_picture(image).pixels


def test_an_array_is_taken_as_it_is():
    assert pixels_of(ROW).tolist() == [[[250, 0, 10], [1, 2, 3]]]


@pytest.mark.parametrize("shape", [(1, 2), (1, 2, 1)])
def test_grey_arrays_get_three_equal_channels(shape):
    assert pixels_of(np.uint8([7, 9]).reshape(shape)).tolist() == [[[7, 7, 7], [9, 9, 9]]]


def test_a_picture_stays_itself_with_its_reduction():
    picture = Picture(ROW, reduction=2.0)
    assert as_picture(picture) is picture


@pytest.mark.parametrize("kind", [str, Path])
def test_a_file_may_be_text_or_any_path(tmp_path, kind):
    Image.fromarray(ROW).save(tmp_path / "a.png")
    np.testing.assert_array_equal(pixels_of(kind(tmp_path / "a.png")), ROW)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("RGB", (2, 1), (250, 0, 10)), (250, 0, 10)),
        (Image.new("L", (2, 1), 7), (7, 7, 7)),
        (Image.new("1", (2, 1), 1), (255, 255, 255)),
        (Image.new("RGBA", (2, 1), (250, 0, 10, 0)), (255, 255, 255)),
        (Image.new("RGBA", (2, 1), (250, 0, 10, 255)), (250, 0, 10)),
        (Image.new("LA", (2, 1), (7, 255)), (7, 7, 7)),
        (Image.new("CMYK", (2, 1), (0, 255, 255, 0)), (255, 0, 0)),
        (Image.new("I;16", (2, 1), 0x0700), (7, 7, 7)),
        (Image.new("RGB", (2, 1), (250, 0, 10)).convert("P"), (255, 0, 0)),
    ],
    ids=["RGB", "grey", "black and white", "transparent", "opaque", "grey with alpha", "CMYK", "16 bits", "palette"],
)
def test_a_pil_picture_of_any_mode_becomes_rgb(image, expected):
    assert pixels_of(image).shape == (1, 2, 3)
    assert tuple(pixels_of(image)[0, 0]) == expected


def test_a_pil_picture_is_turned_as_its_exif_orientation_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # The camera was turned, so that the top row is the right column.
    Image.fromarray(ROW).save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as image:
        assert pixels_of(image).tolist() == [[[250, 0, 10]], [[1, 2, 3]]]


def test_a_pil_picture_from_bytes_is_read(tmp_path):
    encoded = io.BytesIO()
    Image.fromarray(ROW).save(encoded, "PNG")
    np.testing.assert_array_equal(pixels_of(Image.open(encoded)), ROW)


def test_a_very_large_pil_picture_is_reduced_like_its_file():
    picture = as_picture(Image.new("L", (10_000, 4000)))
    assert picture.pixels.shape == (3578, 8944, 3)
    assert picture.reduction == pytest.approx(1.118, abs=1e-3)


def test_a_damaged_pil_picture_is_refused(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (99, 99, 3), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:9999])
    with Image.open(path) as image, pytest.raises(ImageError, match="the PIL picture of mode RGB cannot be used"):
        as_picture(image)


def test_tensors_of_bytes_and_of_floats_are_the_same_picture():
    torch = pytest.importorskip("torch")
    tensor = torch.from_numpy(ROW).permute(2, 0, 1)
    assert tensor.shape == (3, 1, 2)
    np.testing.assert_array_equal(pixels_of(tensor), ROW)
    for floats in (tensor / 255, (tensor / 255).double(), (tensor / 255).requires_grad_()):
        np.testing.assert_array_equal(pixels_of(floats), ROW)
    assert pixels_of(torch.tensor([[[0.0, 1.0]]])).tolist() == [[[0, 0, 0], [255, 255, 255]]]
    np.testing.assert_allclose(pixels_of((tensor / 255).bfloat16()), ROW, atol=1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda torch: torch.zeros(3, 4, 4).to_sparse(), r"cannot be read \(.*give a dense tensor that holds data"),
        (lambda torch: torch.zeros(3, 4, 4, device="meta"), r"cannot be read \(.*give a dense tensor that holds data"),
        (lambda torch: torch.zeros(4, 4), r"expected a tensor of a picture as \(C, H, W\) .*, got \(4, 4\)"),
        (lambda torch: torch.zeros(4, 4, 3), r"got \(4, 4, 3\)"),
        (lambda torch: torch.zeros(3, 0, 4), r"got \(3, 0, 4\)"),
        (lambda torch: torch.tensor([[[-1.5, 2.0]]]), "floats from 0 to 1, got values from -1.5 to 2; undo"),
        (lambda torch: torch.tensor([[[float("nan"), 0.5]]]), "floats from 0 to 1, got values from nan"),
        (lambda torch: torch.zeros(3, 4, 4, dtype=torch.int64), "got int64; convert it to uint8"),
    ],
    ids=["sparse", "meta", "flat", "channels last", "nothing", "normalised", "not a number", "int64"],
)
def test_tensors_of_another_kind_are_refused(make, message):
    with pytest.raises(ImageError, match=message):
        as_picture(make(pytest.importorskip("torch")))


@pytest.mark.parametrize(
    ("pixels", "remedy"),
    [
        (np.zeros((4, 4, 4), np.uint8), r"leave out the alpha channel: pixels\[\.\.\., :3\]"),
        (np.zeros((4, 4, 3)), "bring the values to 0 to 255"),
        (np.zeros((0, 4, 3), np.uint8), "give pixels"),
        (np.zeros((3, 4, 5), np.uint8), r"move the channels to the end: pixels\.transpose\(1, 2, 0\)"),
        (np.zeros((2, 4, 4, 3), np.uint8), "give several pictures as a list"),
        (np.zeros((4, 4, 3), np.int64), "convert it first"),
    ],
    ids=["RGBA", "floats", "nothing", "channels first", "several", "int64"],
)
def test_arrays_of_another_kind_are_refused_with_a_remedy(pixels, remedy):
    with pytest.raises(ImageError, match=r"expected a picture as \(H, W, 3\) uint8 RGB or \(H, W\) .*; " + remedy):
        as_picture(pixels)


@pytest.mark.parametrize("data", [b"\xff\xd8", bytearray(b"\xff\xd8"), memoryview(b"\xff\xd8")])
def test_bytes_are_refused_with_what_opens_them(data):
    with pytest.raises(ImageError, match=r"got bytes; give the path of the file, or open them: PIL\.Image\.open\(io"):
        as_picture(data)


def test_an_open_file_is_refused_with_what_opens_it():
    with pytest.raises(ImageError, match=r"got an open file; give its path, or open it with PIL\.Image\.open\(file\)"):
        as_picture(io.BytesIO(b"\xff\xd8"))


@pytest.mark.parametrize("thing", [None, 3, {}])
def test_what_is_no_picture_at_all_is_named_by_its_type(thing):
    with pytest.raises(ImageError, match=f"got {type(thing).__name__}; convert it"):
        as_picture(thing)


@pytest.mark.parametrize("kind", [str, Path])
def test_a_web_address_is_refused_and_nothing_is_fetched(kind):
    with pytest.raises(
        ImageError, match=r"^https://example\.org/me\.jpg is a web address, and vlfau downloads nothing; download the"
    ):
        as_picture(kind("https://example.org/me.jpg"))
