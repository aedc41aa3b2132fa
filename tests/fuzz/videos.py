"""Videos with broken bits and absurd boxes."""

import cv2
import numpy as np

from tests.fuzz.bases import FileKind
from tests.fuzz.mutate import NUMBERS, damaged_bytes, pick
from tests.video.clips import write_video
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
