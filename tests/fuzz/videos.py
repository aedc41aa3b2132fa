"""Videos with broken bits and absurd boxes."""

from contextlib import suppress
from fractions import Fraction

import av
import cv2
import numpy as np
from PIL import Image

from tests.fuzz.bases import FileKind
from tests.fuzz.mutate import NUMBERS, damaged_bytes, pick
from tests.video.clips import EXAMPLE, write_video
from vlfau.media.reader import VideoReader

MAX_FRAMES = 2000
"""What a file may promise and repeat, before it counts as one that never ends."""


def pictures(count: int = 12):
    rng = np.random.default_rng(2)
    for number in range(count):
        picture = np.full((48, 64, 3), 20 * number % 256, np.uint8)
        picture[8:24, 8:24] = rng.integers(0, 255, (16, 16, 3))
        yield picture


class _Videos(FileKind):
    marks: tuple[bytes, ...] = ()
    """Where fields lie that are worth an absurd number."""

    def damage(self, name, content, rng):
        data = bytearray(content)
        for _ in range(int(rng.integers(4))):
            where = data.find(pick(rng, self.marks), int(rng.integers(len(data))) if rng.random() < 0.3 else 0)
            if where >= 0:
                where += int(rng.integers(-4, 40))
                data[max(where, 0) : where + 4] = pick(rng, NUMBERS).to_bytes(4, pick(rng, ("big", "little")))
        return damaged_bytes(bytes(data), rng, 4) if rng.random() < 0.7 or data == content else bytes(data)

    def read(self, path):
        before = -1.0
        with VideoReader(path, threads=1) as reader:
            assert reader.info.width > 0
            assert reader.info.height > 0
            for number, frame in enumerate(reader):
                assert frame.pixels.dtype == np.uint8
                assert frame.pixels.ndim == 3
                assert np.isfinite(frame.time_s)
                assert frame.time_s >= before, f"{frame.time_s} s after {before} s"
                assert number < MAX_FRAMES
                before = frame.time_s


class Mp4(_Videos):
    marks = (
        *(b"moov", b"mvhd", b"trak", b"tkhd", b"edts", b"elst", b"mdia", b"mdhd", b"hdlr", b"minf", b"stbl", b"stsd"),
        *(b"avc1", b"avcC", b"stts", b"stss", b"ctts", b"stsc", b"stsz", b"stco", b"mdat", b"ftyp"),
    )

    def prepare(self):
        write_video(self.seeds / "plain.mp4", pictures())
        write_video(self.seeds / "start.mp4", pictures(), faststart=True, options={"g": "4", "preset": "ultrafast"})
        write_video(self.seeds / "turned.mov", pictures(), rotation=90)
        write_video(self.seeds / "varying.mp4", pictures(), times_s=[0.1 * number**1.2 for number in range(12)])
        write_video(self.seeds / "frames.mp4", pictures(), options={"bf": "2", "preset": "medium"})


class Mkv(_Videos):
    marks = (
        *(b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\x15\x49\xa9\x66", b"\x2a\xd7\xb1", b"\x44\x89"),
        *(b"\x16\x54\xae\x6b", b"\xb0", b"\xba", b"\x1f\x43\xb6\x75", b"\xe7", b"\xa3", b"\x1c\x53\xbb\x6b"),
        *(b"V_MPEG", b"DURATION"),
    )

    def prepare(self):
        write_video(self.seeds / "plain.mkv", pictures())
        write_video(self.seeds / "frames.mkv", pictures(), options={"bf": "2", "preset": "medium"})
        write_video(self.seeds / "nine.webm", pictures())


class Avi(_Videos):
    marks = (b"RIFF", b"LIST", b"avih", b"strh", b"strf", b"movi", b"idx1", b"00dc", b"vids")

    def prepare(self):
        write_video(self.seeds / "four.avi", pictures())
        writer = cv2.VideoWriter(str(self.seeds / "motion.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 20, (64, 48))
        for picture in pictures():
            writer.write(picture)
        writer.release()
        write_video(self.seeds / "h264.avi", pictures(), codec="libx264")


class Others(_Videos):
    """Streams without a table of contents."""

    marks = (b"\x47", b"\x00\x00\x01", b"FLV", b"YUV4MPEG2", b"FRAME", b"W64", b"H48")

    def prepare(self):
        write_video(self.seeds / "stream.ts", pictures())
        write_video(self.seeds / "two.mpg", pictures())
        write_video(self.seeds / "flash.flv", pictures())
        write_video(self.seeds / "raw.y4m", pictures(4), codec="wrapped_avframe")


class Changing(_Videos):
    """Videos whose later frames have another size or other colours than the first, or times that jump."""

    max_taken = 700 << 20
    sizes = (
        (64, 48),
        (48, 64),
        (320, 180),
        (322, 182),
        (16, 2),
        (1280, 720),
        (4000, 3000),
        (9000, 9000),
    )
    steps_ms = (40, 40, 40, 40, 0, 1, 1000, 10**6, 2**31, 2**40)

    def prepare(self):
        for width, height in self.sizes:
            picture = _face(width, height)
            for name, image in (("colour", picture), ("grey", picture.convert("L"))):
                image.save(self.seeds / f"{name}-{width}x{height}.jpg", quality=30, subsampling=0 if width == 48 else 2)
        for width, height in self.sizes[:4]:
            frames = (np.asarray(_face(width, height)) for _ in range(4))
            write_video(self.seeds / f"part-{width}x{height}.ts", frames, options={"preset": "ultrafast", "g": "2"})

    def write(self, folder, rng):
        if rng is None:
            return self._muxed(folder / "plain.mkv", ["colour-320x180.jpg"] * 4, [0, 40, 80, 120])
        self._names()
        if rng.random() < 0.3:
            path = folder / "joined.ts"
            parts = [name for name in self._contents if name.endswith(".ts")]
            path.write_bytes(b"".join(self._contents[pick(rng, parts)] for _ in range(int(rng.integers(2, 5)))))
        else:
            # The large ones are rare: each takes as long as hundreds of the others.
            pictures = [name for name in self._contents if name.endswith(".jpg")]
            small = [name for name in pictures if len(self._contents[name]) < 200_000]
            count = int(rng.integers(2, 7))
            names = [pick(rng, pictures if rng.random() < 0.1 else small) for _ in range(count)]
            times_ms = np.cumsum([0, *(pick(rng, self.steps_ms) for _ in range(count - 1))]).tolist()
            path = self._muxed(folder / pick(rng, ("pictures.mkv", "pictures.avi", "pictures.mov")), names, times_ms)
        if rng.random() < 0.3:
            path.write_bytes(damaged_bytes(path.read_bytes(), rng, 2))
        return path

    def _muxed(self, path, names, times_ms):
        """Put JPEG files into a video as they are; a time that the format cannot hold ends it."""
        self._names()
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mjpeg", rate=25)
            stream.width, stream.height, stream.pix_fmt = 320, 180, "yuvj420p"
            stream.time_base = Fraction(1, 1000)
            for name, time_ms in zip(names, times_ms, strict=True):
                packet = av.Packet(self._contents[name])
                packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, 1000), True
                packet.pts = packet.dts = time_ms
                with suppress(av.FFmpegError):
                    container.mux(packet)
        return path


def _face(width, height):
    """A photograph of a face in any size."""
    return Image.open(EXAMPLE).convert("RGB").resize((width, height))
