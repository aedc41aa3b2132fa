"""Pictures with broken bits, swapped parts and absurd sizes."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

from tests.fuzz.bases import FileKind
from tests.fuzz.mutate import NUMBERS, Rng, damaged_bytes, pick
from vlfau.media.images import WORKING_PIXELS, read_picture

SIZES = (0, 1, 2, 255, 4096, 12_000, 13_416, 20_000, 65_535, 65_536, 2**24, 2**31 - 1, 2**31, 2**32 - 1)


def drawing(width: int = 97, height: int = 61) -> Image.Image:
    """Colours and noise, so that every part of a file matters."""
    rng = np.random.default_rng(1)
    pixels = np.indices((height, width)).sum(0)[..., None] * [1, 2, 3] + rng.integers(0, 40, (height, width, 3))
    return Image.fromarray((pixels % 256).astype(np.uint8))


def exif() -> Image.Exif:
    found = Image.Exif()
    found[0x0112] = 6
    found[0x010E] = "a description"
    return found


class _Pictures(FileKind):
    max_taken = 450 << 20
    """With Python and the networks, a process stays below 600 MB."""

    def read(self, path):
        picture = read_picture(path)
        pixels = picture.pixels
        assert pixels.dtype == np.uint8
        assert pixels.ndim == 3
        assert pixels.shape[2] == 3
        assert 0 < pixels.size <= 3.1 * WORKING_PIXELS
        assert picture.reduction >= 1

    def save(self, name, image=None, **options):
        (image or drawing()).save(self.seeds / name, **options)


class Jpeg(_Pictures):
    def prepare(self):
        self.save("baseline.jpg", quality=80)
        self.save("progressive.jpg", progressive=True, exif=exif(), quality=70)
        self.save("cmyk.jpg", drawing().convert("CMYK"))
        self.save("grey.jpg", drawing().convert("L"), exif=exif(), restart_marker_blocks=4)

    def damage(self, name, content, rng):
        if rng.random() < 0.6:
            return damaged_bytes(content, rng)
        segments = _jpeg_segments(content)
        _shuffle(segments, rng)
        data = bytearray(b"".join(segments))
        if rng.random() < 0.5:
            frame = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
            if frame >= 0:
                data[frame + 5 : frame + 9] = struct.pack(">HH", *(pick(rng, SIZES) & 0xFFFF for _ in "hw"))
        return bytes(data)


class Png(_Pictures):
    def prepare(self):
        self.save("rgb.png", exif=exif())
        self.save("alpha.png", drawing().convert("RGBA"))
        self.save("palette.png", drawing().quantize(30), transparency=3)
        self.save("grey16.png", Image.fromarray(np.arange(6000, dtype=np.uint16).reshape(60, 100) * 10))
        self.save("bits.png", drawing().convert("1"))
        self.save("moving.png", save_all=True, append_images=[drawing().rotate(9)])

    def damage(self, name, content, rng):
        if rng.random() < 0.3:
            return damaged_bytes(content, rng)
        chunks = [list(chunk) for chunk in _png_chunks(content)]
        if rng.random() < 0.5:
            _shuffle(chunks, rng)
        for chunk in chunks:
            if chunk[0] == b"IHDR" and rng.random() < 0.4:
                chunk[1] = struct.pack(">II", pick(rng, SIZES), pick(rng, SIZES)) + chunk[1][8:]
            elif rng.random() < 0.3:
                chunk[1] = damaged_bytes(chunk[1], rng, 2)
            elif rng.random() < 0.05:
                chunk[0] = pick(rng, (b"zTXt", b"iTXt", b"iCCP", b"eXIf", b"acTL", b"fdAT", b"PLTE", b"tRNS"))
        keeps_sums = rng.random() < 0.8
        return content[:8] + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) if keeps_sums else 7)
            for kind, data in chunks
        )


class Webp(_Pictures):
    def prepare(self):
        self.save("lossy.webp", quality=70, exif=exif())
        self.save("lossless.webp", lossless=True)
        self.save("alpha.webp", drawing().convert("RGBA"))
        self.save("moving.webp", save_all=True, append_images=[drawing().rotate(9)], duration=50)


class Bmp(_Pictures):
    def prepare(self):
        self.save("rgb.bmp")
        self.save("palette.bmp", drawing().quantize(30))
        self.save("bits.bmp", drawing().convert("1"))
        self.save("alpha.bmp", drawing().convert("RGBA"))

    def damage(self, name, content, rng):
        data = bytearray(content)
        for _ in range(int(rng.integers(3))):
            where = pick(rng, (2, 10, 14, 18, 22, 26, 28, 30, 34, 46))  # Sizes, depth, compression, colours.
            data[where : where + 4] = struct.pack("<I", pick(rng, (*SIZES, *NUMBERS, 4, 8, 16, 24)))
        return damaged_bytes(bytes(data), rng, 3) if rng.random() < 0.7 or data == content else bytes(data)


class Others(_Pictures):
    """TIFF, GIF, PPM, JPEG 2000."""

    def prepare(self):
        self.save("plain.tiff", exif=exif())
        for compression in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits"):
            self.save(f"{compression}.tiff", compression=compression)
        self.save("float.tiff", Image.fromarray(np.ones((20, 30), np.float32)))
        self.save("moving.gif", drawing().quantize(30), save_all=True, append_images=[drawing().quantize(9)])
        self.save("colours.ppm")
        self.save("grey16.pgm", Image.fromarray(np.arange(600, dtype=np.uint16).reshape(20, 30)))
        self.save("waves.jp2")
        buffer = io.BytesIO()
        drawing().save(buffer, "JPEG2000", no_jp2=True)
        (self.seeds / "stream.jp2").write_bytes(buffer.getvalue())

    def damage(self, name, content, rng):
        if name.endswith("m") and rng.random() < 0.5:  # The header of PPM is text.
            kind, depth = pick(rng, (b"P1", b"P3", b"P4", b"P5", b"P6", b"Pf")), pick(rng, (b"255", b"65535", b"0"))
            return b"%s %d %d %s\n" % (kind, pick(rng, SIZES), pick(rng, SIZES), depth) + content[15:]
        return damaged_bytes(content, rng)


def _shuffle(parts: list, rng: Rng) -> None:
    one, other = (int(rng.integers(len(parts))) for _ in range(2))
    match int(rng.integers(3)):
        case 0:
            parts[one], parts[other] = parts[other], parts[one]
        case 1:
            parts.insert(other, parts[one])
        case _:
            del parts[one]


def _png_chunks(content: bytes):
    place = 8
    while place + 8 <= len(content):
        (size,) = struct.unpack(">I", content[place : place + 4])
        yield content[place + 4 : place + 8], content[place + 8 : place + 8 + size]
        place += size + 12


def _jpeg_segments(content: bytes) -> list[bytes]:
    """Cut a file before every marker of its header."""
    places, place = [0], 2
    while content[place : place + 1] == b"\xff" and content[place + 1] != 0xDA:
        places.append(place)
        place += 2 + int.from_bytes(content[place + 2 : place + 4], "big")
    return [content[start:end] for start, end in zip(places, [*places[1:], len(content)], strict=True)]
