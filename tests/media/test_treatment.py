"""Square pixels, whole frames, display matrices and HDR, each in a small clip."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from tests.video.clips import numbered, photograph, write_video
from vlfau.media.reader import VideoReader

FINE = {"preset": "ultrafast", "crf": "8"}


def read(path, **options):
    with VideoReader(path, **options) as reader:
        return reader.info, list(reader)


def disc(width, height, shape=1.0):
    """A white disc of 80 pixels on black, as stored with pixels that are `shape` times as wide as high."""
    picture = np.zeros((height, width, 3), np.uint8)
    cv2.ellipse(picture, (width // 2, height // 2), (round(40 / shape), 40), 0, 0, 360, (255, 255, 255), -1)
    return picture


@pytest.mark.parametrize(
    ("shape", "size", "square"),
    [
        (Fraction(4, 3), (240, 180), (320, 180)),  # HDV
        (Fraction(16, 15), (180, 144), (192, 144)),  # PAL
        (Fraction(8, 9), (180, 120), (180, 135)),  # NTSC
    ],
)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_pixels_become_square(tmp_path, shape, size, square, suffix):
    path = write_video(tmp_path / f"a{suffix}", [disc(*size, float(shape))] * 3, pixel_shape=shape, options=FINE)
    info, frames = read(path)
    assert (info.width, info.height) == square
    assert frames[0].pixels.shape == (square[1], square[0], 3)
    across, down = ((frames[0].pixels[..., 0] > 128).any(axis).sum() for axis in (0, 1))
    assert across / down == pytest.approx(1, abs=0.03)
    assert info.notes == (f"made the pixels square ({size[0]} x {size[1]} to {square[0]} x {square[1]})",)


@pytest.mark.parametrize("shape", [Fraction(0), Fraction(1, 50), Fraction(1000, 1001)])
def test_a_pixel_shape_that_says_nothing_changes_nothing(tmp_path, shape):
    path = write_video(tmp_path / "a.mp4", numbered(3), pixel_shape=shape)
    info, frames = read(path)
    assert (info.width, info.height, info.notes) == (64, 48, ())
    assert frames[0].pixels.shape == (48, 64, 3)


def bars_in_fields(count):
    """A white bar of 24 pixels that moves 16 pixels from frame to frame; the lower field is half a frame later."""
    for number in range(count):
        picture = np.zeros((96, 256, 3), np.uint8)
        for field in (0, 1):
            left = 20 + 16 * number + 8 * field
            picture[field::2, left : left + 24] = 255
        yield picture


def combing(pixels):
    """How much neighbouring lines differ, in grey levels; a comb differs in every line."""
    lines = pixels[8:-8, :, 0].astype(float)
    return np.abs(np.diff(lines, axis=0)).mean()


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.ts", "mpeg2video", {"flags": "+ildct+ilme", "b": "8M"}),
        ("a.mp4", "libx264", FINE | {"x264-params": "tff=1"}),
    ],
)
def test_the_two_fields_of_a_frame_become_one_picture(tmp_path, name, codec, options):
    path = write_video(tmp_path / name, bars_in_fields(12), rate=25, codec=codec, options=options)
    info, frames = read(path)
    assert info.notes == ("deinterlaced 256 x 96",)
    assert [frame.number for frame in frames] == list(range(12))
    assert [frame.time_s for frame in frames] == pytest.approx([number / 25 for number in range(12)])
    with av.open(str(path)) as container:
        stored = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert min(map(combing, stored[2:])) > 10
    assert max(combing(frame.pixels) for frame in frames[2:-1]) < 2


def test_a_chosen_interlaced_frame_looks_as_when_all_are_read(tmp_path):
    options = FINE | {"x264-params": "tff=1:keyint=10"}
    pictures = (np.roll(picture, 3 * number, 0) for number, picture in enumerate(bars_in_fields(14)))
    path = write_video(
        tmp_path / "a.mp4", (*pictures, *bars_in_fields(14), *bars_in_fields(14)), rate=25, options=options
    )
    every = {frame.number: frame.pixels for frame in read(path)[1]}
    assert len(every) == 42
    for part in ({"every_s": 0.2}, {"start_s": 0.8, "end_s": 1.3}, {"every_s": 0.9}):
        chosen = read(path, **part)[1]
        assert chosen
        for frame in chosen:
            np.testing.assert_array_equal(frame.pixels, every[frame.number])


@pytest.mark.parametrize("a", [1, -1])
@pytest.mark.parametrize("d", [1, -1])
@pytest.mark.parametrize("is_turned", [False, True])
def test_every_display_matrix_is_followed(tmp_path, a, d, is_turned):
    stored = np.zeros((64, 96, 3), np.uint8)
    stored[:32, :48] = 220  # top left
    stored[:32, 48:] = 110  # top right
    matrix = (0, a, d, 0) if is_turned else (a, 0, 0, d)
    path = write_video(tmp_path / "a.mp4", [stored] * 2, matrix=matrix, options=FINE)
    info, frames = read(path)
    shown = np.zeros((96, 64, 3) if is_turned else (64, 96, 3), np.uint8)
    y, x = np.mgrid[:64, :96]
    new_x, new_y = matrix[0] * x + matrix[2] * y, matrix[1] * x + matrix[3] * y
    shown[new_y - new_y.min(), new_x - new_x.min()] = stored
    assert (info.height, info.width) == shown.shape[:2]
    assert np.abs(frames[0].pixels.astype(int) - shown).mean() < 3
    is_mirrored = matrix[0] * matrix[3] - matrix[1] * matrix[2] < 0
    assert info.notes == (("mirrored as the file says",) if is_mirrored else ())


def linear(picture):
    """Light of sRGB pixels, white 1.0."""
    values = picture / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def pq(nits):
    """SMPTE ST 2084."""
    powered = (nits / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * powered) / (1 + 18.6875 * powered)) ** 78.84375


def hlg(nits):
    """BT.2100 for a display of 1000 cd/m2: inverse OOTF, then OETF."""
    light = nits / 1000
    luminance = (light @ [0.2627, 0.6780, 0.0593])[..., None]
    scene = light * np.maximum(luminance, 1e-9) ** (1 / 1.2 - 1)
    above = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), above)


@pytest.mark.parametrize(("name", "encode", "trc"), [("PQ", pq, 16), ("HLG", hlg, 18)])
def test_hdr_looks_like_the_sdr_picture_that_it_was_made_of(tmp_path, name, encode, trc):
    sdr = photograph()[56:184, 160:288]
    to_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
    signal = encode(203 * linear(sdr) @ to_2020.T)  # white at 203 cd/m2, BT.2408
    wide = av.VideoFrame.from_ndarray(np.rint(65535 * signal.clip(0, 1)).astype(np.uint16), format="rgb48le")
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options=FINE)
        stream.width, stream.height, stream.pix_fmt = 128, 128, "yuv420p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries, context.colorspace, context.color_range = trc, 9, 9, 1
        for number in range(2):
            frame = wide.reformat(format="yuv420p10le", dst_colorspace=9, dst_color_range=1)
            frame.color_trc, frame.color_primaries, frame.colorspace, frame.color_range = trc, 9, 9, 1
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    info, frames = read(path)
    assert info.notes == (f"tone-mapped {name} to SDR",)
    with av.open(str(path)) as container:
        untouched = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert np.abs(untouched.astype(int) - sdr).mean() > 15
    assert np.abs(frames[0].pixels.astype(int) - sdr).mean() < 6
    assert np.abs(frames[0].pixels.mean((0, 1)) - sdr.mean((0, 1))).max() < 3


@pytest.mark.parametrize(
    ("name", "options"), [("a.mp4", {}), ("a.mkv", {}), ("a.webm", {}), ("a.mp4", {"rotation": 90})]
)
def test_an_ordinary_file_is_converted_and_nothing_else(tmp_path, name, options):
    path = write_video(tmp_path / name, numbered(4), **options)
    info, frames = read(path)
    with av.open(str(path)) as container:
        plain = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert info.notes == ()
    for frame, expected in zip(frames, plain, strict=True):
        np.testing.assert_array_equal(frame.pixels, np.rot90(expected) if options else expected)
