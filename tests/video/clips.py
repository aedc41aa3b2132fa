"""Makes small videos for tests: from arrays, and of the example photograph moved about.

A clip is any iterable of (H, W, 3) uint8 RGB pictures. `write_video` puts it into a file; `numbered`,
`crossing`, `coming_back` and `moving` make some.
"""

from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np

from vlfau.media.images import read_image

EXAMPLE = Path(__file__).parents[2] / "examples" / "astronaut.png"
FACE_CENTRE, FACE_SIDE = (225.0, 120.0), 103.0  # of the face in the example photograph, in its pixels
CODECS = {".webm": "libvpx-vp9", ".avi": "mpeg4", ".mpg": "mpeg2video"}
TICKS = 90_000


def write_video(
    path,
    pictures,
    *,
    rate=30,
    times_s=None,
    rotation=None,
    codec=None,
    options=None,
    faststart=False,
    pixel_shape=None,
    matrix=None,
):
    """Write pictures to a video.

    Args:
        path: The suffix decides the format: .mp4, .mkv, .webm, .avi, .ts, ...
        pictures: Each (H, W, 3) uint8 RGB, all of one even size.
        rate: Pictures a second.
        times_s: When each picture is shown, for a varying rate.
        rotation: Degrees counter-clockwise by which a player must turn the pictures, as metadata.
        codec: Another one than the format's usual one.
        options: Of the encoder.
        faststart: Put an MP4's index before its pictures, so that the file can be read up to where it was cut.
        pixel_shape: Width of a pixel by its height, as metadata.
        matrix: (a, b, c, d): the pixel (x, y) is to be shown at (a x + c y, b x + d y), as metadata.
    """
    path = Path(path)
    codec = codec or CODECS.get(path.suffix, "libx264")
    if options is None:
        options = {"libx264": {"preset": "ultrafast"}, "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"}}.get(
            codec
        )
    with av.open(str(path), "w", options={"movflags": "faststart"} if faststart else {}) as container:
        stream = None
        for number, picture in enumerate(pictures):
            if stream is None:
                stream = container.add_stream(codec, rate=rate, options=options or {})
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = "yuv420p"
                if times_s is not None:
                    stream.codec_context.time_base = Fraction(1, TICKS)
                if rotation is not None:
                    stream.set_display_rotation(rotation)
                if matrix is not None:
                    a, b, c, d = (value << 16 for value in matrix)
                    stream.set_display_matrix([a, b, 0, c, d, 0, 0, 0, 1 << 30])
                if pixel_shape is not None:
                    stream.codec_context.sample_aspect_ratio = pixel_shape
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.time_base = Fraction(1, rate) if times_s is None else Fraction(1, TICKS)
            frame.pts = number if times_s is None else round(times_s[number] * TICKS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def decoded(path):
    """Yield the time and the grey picture of every frame of a video."""
    with av.open(str(path)) as container:
        yield from ((frame.time, frame.to_ndarray(format="gray")) for frame in container.decode(video=0))


def write_sound(path, seconds=1):
    """Write a file that holds a tone and no video."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        wave = np.sin(np.arange(16_000 * seconds) / 10).astype(np.float32)[None]
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 16_000, 0, Fraction(1, 16_000)
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_late_video(path, pictures, *, rate=25, late_s=2.0, seconds=4):
    """Write a tone from 0 s on, and a video that starts later."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"preset": "ultrafast"})
        pictures = list(pictures)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=16_000, layout="mono")
        packets = []
        for number in range(16_000 * seconds // 1024):
            wave = np.sin((1024 * number + np.arange(1024)) / 10).astype(np.float32)[None]
            frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 16_000, 1024 * number, Fraction(1, 16_000)
            packets += sound.encode(frame)
        packets += sound.encode()
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts, frame.time_base = number + round(rate * late_s), Fraction(1, rate)
            packets += stream.encode(frame)
        for packet in sorted([*packets, *stream.encode()], key=lambda packet: packet.dts * packet.time_base):
            container.mux(packet)
    return path


def truncated(path, share, target=None):
    """Write the first part of a file, named like it with `-cut` unless told otherwise, and return its path."""
    target = target or path.with_name(f"{path.stem}-cut{path.suffix}")
    content = path.read_bytes()
    target.write_bytes(content[: int(share * len(content))])
    return target


def numbered(count, size=(64, 48)):
    """Yield pictures whose eight stripes, black or white, write their number in binary: see `number_of`."""
    for number in range(count):
        stripes = np.array([255 * (number >> bit & 1) for bit in range(8)], np.uint8)
        yield np.broadcast_to(stripes.repeat(size[0] // 8)[None, :, None], (size[1], size[0], 3)).copy()


def number_of(picture):
    """Return which one of `numbered` a decoded picture is, from 0 to 255."""
    means = np.array_split(picture.mean((0, 2)), 8)
    return sum((stripe.mean() > 128) << bit for bit, stripe in enumerate(means))


@cache
def photograph():
    """The example photograph, 512 x 512."""
    return read_image(EXAMPLE)


@cache
def head():
    """The head of the photograph, 200 x 200, and its soft outline, 0 to 1."""
    x, y = (round(value) for value in FACE_CENTRE)
    cut = photograph()[y - 100 : y + 100, x - 100 : x + 100].astype(np.float32)
    outline = np.zeros((200, 200), np.float32)
    cv2.ellipse(outline, (100, 95), (62, 85), 0, 0, 360, 1.0, -1)
    return cut, cv2.GaussianBlur(outline, (0, 0), 4)[..., None]


def scene(places, size=(640, 360), zoom=1.0, ground=90):
    """Draw heads on a plain ground, later ones in front.

    Args:
        places: Centres (x, y) of the faces; None draws nothing.
        size: Width and height.
        zoom: 1 makes faces of about 100 pixels; or one number per face.
        ground: Grey of the ground.
    """
    picture = np.full((size[1], size[0], 3), ground, np.float32)
    cut, outline = head()
    zooms = np.broadcast_to(zoom, len(places))
    for place, scale in zip(places, zooms, strict=True):
        if place is None:
            continue
        matrix = np.array([[scale, 0, place[0] - 100 * scale], [0, scale, place[1] - 100 * scale]])
        drawn = cv2.warpAffine(cut, matrix, size)
        share = cv2.warpAffine(outline, matrix, size)[..., None]
        picture += share * (drawn - picture)
    return np.clip(picture, 0, 255).astype(np.uint8)


def moving(count, size=(640, 360), zoom=1.0):
    """Yield one face that sways through the picture."""
    for number in range(count):
        x = size[0] / 2 + size[0] / 6 * np.sin(number / 12)
        y = size[1] / 2 + size[1] / 20 * np.cos(number / 9)
        yield scene([(x, y)], size, zoom * (1 + 0.1 * np.sin(number / 15)))


def crossing(count, size=(640, 360)):
    """Yield two faces that change places, the one that starts left behind the other."""
    for share in np.linspace(0, 1, count):
        left, right = 130 + 380 * share, 510 - 380 * share
        yield scene([(left, 170), (right, 190)], size)


def coming_back(count, away, size=(640, 360)):
    """Yield a face that stands still, is gone from picture `away[0]` up to `away[1]`, and is back nearby."""
    for number in range(count):
        place = (300.0, 180.0) if number < away[0] else None if number < away[1] else (330.0, 190.0)
        yield scene([place], size)
