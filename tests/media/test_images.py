import io
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from vlfau.errors import ImageError
from vlfau.media import images
from vlfau.media.images import read_image, read_picture

RED, GREEN = (200, 30, 30), (30, 200, 30)


def two_colours(width=8, height=4):
    """Red on the left, green on the right."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:, : width // 2], pixels[:, width // 2 :] = RED, GREEN
    return Image.fromarray(pixels)


def test_a_colour_picture_is_read_as_it_is(tmp_path):
    two_colours().save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), np.asarray(two_colours()))


@pytest.mark.parametrize("suffix", ["png", "tif", "pgm"])
def test_16_bit_grey_is_scaled_to_8_bits(tmp_path, suffix):
    path = tmp_path / f"deep.{suffix}"
    Image.fromarray(np.array([[0, 256, 0x8000, 0xFFFF]], np.uint16)).save(path)
    np.testing.assert_array_equal(read_image(path)[0, :, 0], [0, 1, 128, 255])
    assert read_image(path).shape == (1, 4, 3)


def test_16_bit_colour_is_scaled_to_8_bits(tmp_path):
    import cv2

    path = tmp_path / "deep.png"
    cv2.imwrite(str(path), np.full((2, 3, 3), (0x1000, 0x8000, 0xFF00), np.uint16))  # BGR
    np.testing.assert_array_equal(read_image(path)[0, 0], [255, 128, 16])


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "RGBA", "LA"])
def test_other_kinds_of_pictures_become_rgb(tmp_path, mode):
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    Image.new("RGB", (5, 3), "white").convert(mode).save(path)
    pixels = read_image(path)
    assert pixels.shape == (3, 5, 3)
    assert (pixels == 255).all()


def test_a_cmyk_jpeg_keeps_its_colours(tmp_path):
    two_colours(64, 32).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    np.testing.assert_allclose(read_image(tmp_path / "a.jpg")[16, 10], RED, atol=12)


def test_transparent_parts_become_white(tmp_path):
    image = two_colours().convert("RGBA")
    image.putalpha(Image.fromarray(np.repeat([[255] * 4 + [0] * 4], 4, 0).astype(np.uint8)))
    image.save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png")[0, [0, 7]], [RED, (255, 255, 255)])


def test_a_transparent_palette_entry_becomes_white(tmp_path):
    image = two_colours().quantize(2)
    transparent = image.getpixel((7, 0))
    image.save(tmp_path / "a.gif", transparency=transparent)
    np.testing.assert_array_equal(read_image(tmp_path / "a.gif")[0, 7], (255, 255, 255))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_exif_orientation_is_undone(tmp_path, orientation, suffix):
    upright = two_colours(64, 32)
    # The way the camera's sensor would have stored the upright scene.
    stored = {
        1: lambda image: image,
        2: lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: lambda image: image.rotate(180),
        4: lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
        6: lambda image: image.rotate(90, expand=True),
        7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
        8: lambda image: image.rotate(-90, expand=True),
    }[orientation](upright)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned.{suffix}"
    stored.save(path, exif=exif)
    pixels = read_image(path)
    assert pixels.shape == (32, 64, 3)
    np.testing.assert_allclose(pixels[16, [10, 54]], [RED, GREEN], atol=25)


def test_damaged_exif_data_is_ignored_in_silence(tmp_path):
    two_colours(16, 16).save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert read_image(tmp_path / "a.jpg").shape == (16, 16, 3)


def test_a_jpeg_20000_pixels_wide_is_reduced_and_says_by_how_much(tmp_path):
    Image.new("RGB", (20_000, 10_000), RED).save(tmp_path / "wide.jpg", quality=50)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        picture = read_picture(tmp_path / "wide.jpg")
    height, width, _ = picture.pixels.shape
    assert (width, height) == (8000, 4000)
    assert picture.reduction == 2.5
    assert caught == []


def test_a_png_20000_pixels_wide_is_reduced_too(tmp_path):
    Image.new("L", (20_000, 2_000), 90).save(tmp_path / "wide.png")
    picture = read_picture(tmp_path / "wide.png")
    assert picture.pixels.shape == (1789, 17_889, 3)
    assert picture.reduction == pytest.approx(20_000 / 17_889)


def test_a_picture_that_does_not_fit_in_memory_is_refused_by_name(tmp_path):
    path = tmp_path / "vast.png"
    Image.new("1", (20_000, 20_000)).save(path)
    with pytest.raises(
        ImageError, match=r"vast\.png has 20000 x 20000 pixels.* 400 MB .* 260 MB are allowed; make it smaller"
    ):
        read_image(path)


def test_a_progressive_jpeg_counts_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "WORKING_PIXELS", 100)
    monkeypatch.setattr(images, "DECODER_BYTES", 4000)
    two_colours(64, 32).save(tmp_path / "baseline.jpg")
    two_colours(64, 32).save(tmp_path / "progressive.jpg", progressive=True)
    assert read_picture(tmp_path / "baseline.jpg").reduction == pytest.approx(64 / 14)
    with pytest.raises(ImageError, match=r"progressive\.jpg has 64 x 32 pixels"):
        read_image(tmp_path / "progressive.jpg")


TURNED = Image.Exif()
TURNED[0x0112] = 6
READ_AND_TELL_PEAK = """
import sys
from pathlib import Path
from vlfau.errors import ImageError
from vlfau.media.images import read_image

def peak_kb():
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1])

before = peak_kb()
try:
    read_image(sys.argv[1])
except ImageError as error:
    print("refused", error)
else:
    print((peak_kb() - before) // 1000)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell their peak elsewhere")
@pytest.mark.parametrize(
    ("kind", "mode", "megapixels", "save"),
    [
        ("png", "RGB", 64, {}),
        ("png", "RGBA", 64, {}),
        ("png", "P", 255, {}),
        ("png", "1", 255, {}),
        ("png", "I;16", 127, {}),
        ("gif", "P", 86, {}),
        ("webp", "RGB", 19.5, {}),
        ("webp", "RGBA", 19.5, {"lossless": True}),
        ("jp2", "RGB", 16, {}),
        ("tif", "RGB", 43, {}),
        ("tif", "RGB", 43, {"compression": "tiff_lzw"}),
        ("jpg", "RGB", 400, {}),
        ("jpg", "L", 268, {"exif": TURNED}),
        ("jpg", "RGB", 36, {"progressive": True, "subsampling": 0}),
        ("bmp", "RGB", 64, {}),
    ],
)
def test_no_picture_that_is_accepted_takes_much_memory(tmp_path, kind, mode, megapixels, save):
    """Each is just below its limit, and one a quarter larger is refused, or reduced in decoding."""
    for factor in (1.0, 1.25):
        side = int((factor * megapixels * 1e6) ** 0.5)
        path = tmp_path / f"a.{kind}"
        image = Image.new("L", (side, side), 90)
        image = image if mode == "L" else Image.new(mode, (side, side), 1) if mode in {"P", "1", "I;16"} else image
        (image if image.mode == mode else image.convert(mode)).save(path, **save)
        del image
        command = [sys.executable, "-c", READ_AND_TELL_PEAK, str(path)]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        if factor == 1.0:
            assert int(told) < 450
        else:
            assert told.startswith("refused") or int(told) < 450


def test_bands_are_seamless(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (300, 200, 3), np.uint8)).filter(ImageFilter.GaussianBlur(2))
    image.save(tmp_path / "a.png")
    monkeypatch.setattr(images, "WORKING_PIXELS", 20_000)
    whole = read_image(tmp_path / "a.png")
    monkeypatch.setattr(images, "_BAND_ROWS", 16)
    banded = read_image(tmp_path / "a.png")
    assert banded.shape == whole.shape
    assert np.abs(banded.astype(int) - whole).max() <= 1


def test_a_picture_is_turned_without_copies_of_pillow(tmp_path, monkeypatch):
    def copy(*_):
        raise MemoryError("four bytes per pixel, twice")

    two_colours().save(tmp_path / "a.png", exif=TURNED)
    monkeypatch.setattr(Image.Image, "transpose", copy)
    assert read_image(tmp_path / "a.png").shape == (8, 4, 3)


def test_the_limit_of_pillow_is_left_as_it_was(tmp_path):
    before = Image.MAX_IMAGE_PIXELS
    two_colours().save(tmp_path / "a.png")
    read_image(tmp_path / "a.png")
    assert before == Image.MAX_IMAGE_PIXELS


def test_a_path_may_hold_any_letters(tmp_path):
    path = tmp_path / "größe 顔 🙂.png"
    two_colours().save(path)
    assert read_image(path).shape == (4, 8, 3)


def write_text(path):
    path.write_text("no picture")


def write_nothing(path):
    path.write_bytes(b"")


def write_half_a_jpeg(path):
    stream = io.BytesIO()
    Image.effect_noise((64, 64), 80).save(stream, "JPEG")
    path.write_bytes(stream.getvalue()[:1500])


def write_half_a_png(path):
    stream = io.BytesIO()
    Image.effect_noise((64, 64), 80).save(stream, "PNG")
    path.write_bytes(stream.getvalue()[:1500])


def write_floats(path):
    Image.fromarray(np.zeros((4, 4), np.float32)).save(path, "TIFF")


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (write_text, "is not a picture that vlfau can read .* save it as JPEG or PNG"),
        (write_nothing, "is empty; copy it again"),
        (write_half_a_jpeg, "is damaged or incomplete .* copy it again"),
        (write_half_a_png, "is damaged or incomplete .* copy it again"),
        (write_floats, "floating-point"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: None, "does not exist"),
    ],
    ids=["text", "empty", "half a JPEG", "half a PNG", "floats", "folder", "missing"],
)
def test_what_is_no_picture_is_refused_by_name(tmp_path, write, reason):
    path = tmp_path / "Bild ü.jpg"
    write(path)
    with pytest.raises(ImageError, match=reason) as caught:
        read_image(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", ["heic", "avif"])
def test_pictures_of_telephones_are_read_upright(tmp_path, suffix):
    path = tmp_path / "IMG_1.avif"
    if suffix == "heic":  # The picture below, written by libheif: the extra only reads.
        pytest.importorskip("pi_heif")
        path = Path(__file__).with_name("telephone.heic")
    else:
        exif = Image.Exif()
        exif[0x0112] = 6  # to be turned clockwise
        two_colours(64, 32).save(path, exif=exif.tobytes(), quality=95)
    pixels = read_image(path)
    assert pixels.shape == (64, 32, 3)
    np.testing.assert_allclose(pixels[10, 16], RED, atol=14)
    np.testing.assert_allclose(pixels[50, 16], GREEN, atol=14)


def test_without_the_extra_a_heic_picture_says_what_to_install(tmp_path, monkeypatch):
    path = tmp_path / "IMG_1.jpg"  # The content decides.
    path.write_bytes(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic")
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    with pytest.raises(ImageError, match=r"IMG_1\.jpg is HEIC; HEIC pictures need the extra 'heic'"):
        read_image(path)


def test_a_damaged_heic_picture_is_refused(tmp_path):
    pytest.importorskip("pi_heif")
    path = tmp_path / "a.heic"
    path.write_bytes(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100))
    with pytest.raises(ImageError, match=r"a\.heic"):
        read_image(path)
