"""Reading pictures: which are read, how, and which are refused.

* A picture is turned upright by its EXIF orientation and converted to 8-bit RGB. 16-bit grey is scaled, CMYK and
  palettes are converted, transparent parts become white, and an animation gives its first frame. HEIC, which telephones
  write, needs the extra `heic`.
* A picture of more than `WORKING_PIXELS` is reduced to about that many; `Picture.reduction` is the factor, so that
  results can be given in pixels of the file. It is converted band by band, so that memory never holds it twice at full
  size.
* A picture whose decoder would need more than `DECODER_BYTES` is refused. Baseline JPEG files are reduced while they
  are decoded, so they may have 64 times as many pixels.
"""

import math
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from vlfau.errors import ImageError, MissingExtraError
from vlfau.files.names import printable
from vlfau.media.inputs import check_is_file

__all__ = [
    "DECODER_BYTES",
    "WORKING_PIXELS",
    "Picture",
    "opened_picture",
    "read_image",
    "read_picture",
    "reduction_of",
    "upright_rgb",
]

WORKING_PIXELS: Final = 32_000_000
DECODER_BYTES: Final = 260_000_000
"""With the reduced picture, the networks and Python itself, a process stays below 600 MB."""

_PIXEL_BYTES: Final = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2}
"""Bytes that Pillow stores per pixel, by mode; four for any other mode."""
_WORKING_BYTES: Final = {"WEBP": 9, "JPEG2000": 12, "TIFF": 2, "GIF": 2, "AVIF": 12, "HEIF": 12}
"""Bytes that a decoder needs per pixel in addition, as measured."""
_PROGRESSIVE_BYTES: Final = 6
"""A progressive JPEG keeps the coefficients of the whole picture, at whatever size it is decoded."""
_JPEG_REDUCTIONS: Final = tuple(2**power for power in range(4))
_BAND_ROWS: Final = 256
_MARGIN_ROWS: Final = 4
"""Around a band; the filter of the reduction reaches two rows of the result beyond it."""

# Plain decoders only: some others in Pillow start programs. The first five do not need all plugins to be imported.
_FORMATS: Final = ("JPEG", "PNG", "BMP", "GIF", "PPM", "WEBP", "TIFF", "JPEG2000", "AVIF")
_HEIF: Final = "HEIF"
_HEIF_BRANDS: Final = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
"""Bytes 8 to 11 of a HEIF file; mif1 and msf1 may hold AVIF, too."""
_ORIENTATION_TAG: Final = 0x0112
_ORIENTATIONS: Final[Mapping[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90,
}
"""How EXIF orientations are undone, as views: Pillow would make copies of four bytes per pixel."""
_PILLOW_LIMIT = threading.Lock()


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded picture.

    Attributes:
        pixels: (H, W, 3) uint8, RGB, upright.
        reduction: Pixels of the file per pixel of `pixels`, along one side; 1.0 unless the picture was reduced.
    """

    pixels: NDArray[np.uint8]
    reduction: float = 1.0


def read_image(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """Read a picture, reduced if it is very large.

    Returns:
        (H, W, 3) uint8, RGB, upright.

    Raises:
        ImageError: The file is missing, empty, damaged, too large, or not a picture.
    """
    return read_picture(path).pixels


def read_picture(path: str | os.PathLike[str]) -> Picture:
    """Read a picture together with the factor by which it was reduced.

    Raises:
        ImageError: The file is missing, empty, damaged, too large, or not a picture.
    """
    path = Path(path)
    check_is_file(path, "picture", ImageError)
    with warnings.catch_warnings():
        # Pillow warns about odd metadata and large pictures; this module has limits of its own.
        warnings.simplefilter("ignore")
        with opened_picture(path) as image:
            width, height = image.size
            _draft(image)
            _check_size(path, image, (width, height))
            try:
                pixels = upright_rgb(image)
            except ImageError:
                raise
            except Exception as error:  # A damaged file makes decoders raise almost anything.
                raise ImageError(
                    f"picture {printable(path)} is damaged or incomplete ({error}); copy it again, or re-save it"
                ) from None
    return Picture(pixels, reduction=reduction_of((width, height), pixels))


def reduction_of(file_size: tuple[int, int], pixels: NDArray[np.uint8]) -> float:
    """Return the pixels of a file of some width and height along one pixel of (H, W, 3), turned or not."""
    return float(max(file_size) / max(pixels.shape[:2]))


@contextmanager
def opened_picture(path: Path) -> Iterator[Image.Image]:
    """Open a picture whose pixels are not decoded yet.

    Raises:
        ImageError: It is not a picture, or cannot be read.
    """
    try:
        with _PILLOW_LIMIT:
            limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            try:
                Image.preinit()
                image = Image.open(path, formats=_formats_of(path))
            finally:
                Image.MAX_IMAGE_PIXELS = limit
    except UnidentifiedImageError:
        raise ImageError(
            f"{printable(path)} is not a picture that vlfau can read ({', '.join((*_FORMATS, _HEIF))}); save it as "
            "JPEG or PNG"
        ) from None
    except MissingExtraError as error:
        raise ImageError(f"picture {printable(path)} is HEIC; {error}") from None
    except PermissionError:
        raise ImageError(
            f"picture {printable(path)} cannot be read for lack of permission; change its permissions"
        ) from None
    except Exception as error:  # A damaged header makes decoders raise almost anything.
        raise ImageError(f"picture {printable(path)} is damaged ({error}); copy it again, or re-save it") from None
    with image:
        yield image


def _formats_of(path: Path) -> tuple[str, ...]:
    """Return Pillow's names of the formats that a file may have.

    Raises:
        MissingExtraError: It is HEIF, and pi-heif is not installed.
    """
    with path.open("rb") as stream:
        start = stream.read(12)
    brand = start[8:12] if start[4:8] == b"ftyp" else b""
    if brand not in _HEIF_BRANDS:
        return _FORMATS
    try:
        import pi_heif  # noqa: PLC0415 - the extra may be missing
    except ModuleNotFoundError:
        if brand in {b"mif1", b"msf1"}:
            return _FORMATS
        raise MissingExtraError("pi_heif", "heic") from None
    pi_heif.register_heif_opener()
    return (*_FORMATS, _HEIF)


def _working_size(width: int, height: int) -> tuple[int, int]:
    scale = min(1.0, math.sqrt(WORKING_PIXELS / (width * height)))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _draft(image: Image.Image) -> None:
    """Let a JPEG be reduced while it is decoded, to no less than the working size if that fits into memory."""
    width, height = image.size
    wanted = width / _working_size(width, height)[0]
    for reduction in _JPEG_REDUCTIONS:
        if 2 * reduction > wanted and _needed_bytes(image, reduction) <= DECODER_BYTES:
            break
    image.draft(None, (width // reduction, height // reduction))


def _needed_bytes(image: Image.Image, reduction: int = 1) -> int:
    """Return the memory that decoding takes; a JPEG decoder may reduce the picture along each side."""
    pixels = image.size[0] * image.size[1]
    kept = _PIXEL_BYTES.get(image.mode, 4) + _WORKING_BYTES.get(image.format or "", 0)
    coefficients = _PROGRESSIVE_BYTES * pixels if "progressive" in image.info else 0
    return kept * pixels // reduction**2 + coefficients


def _check_size(path: Path, image: Image.Image, file_size: tuple[int, int]) -> None:
    needed = _needed_bytes(image)
    if "progressive" in image.info:  # The picture is reduced by now, its coefficients are not.
        whole = file_size[0] * file_size[1]
        needed += _PROGRESSIVE_BYTES * (whole - image.size[0] * image.size[1])
    if needed > DECODER_BYTES:
        raise ImageError(
            f"picture {printable(path)} has {file_size[0]} x {file_size[1]} pixels, which as {image.format} take "
            f"{needed // 1_000_000:,} MB to decode; at most {DECODER_BYTES // 1_000_000} MB are allowed; "
            "make it smaller, or save it as baseline JPEG"
        )


def upright_rgb(image: Image.Image) -> NDArray[np.uint8]:
    """Return an opened picture of any mode as (H, W, 3), turned as its EXIF orientation says, reduced if it is large.

    Raises:
        Exception: Whatever Pillow raises of a damaged file, and ValueError of floating-point values.
    """
    if image.mode == "F":
        raise ValueError("it has floating-point values instead of 8 or 16 bits")
    image.load()
    size = _working_size(*image.size)
    pixels = np.array(_to_rgb(image)) if size == image.size and image.mode == "RGB" else _reduced(image, size)
    orientation = _orientation(image)
    if orientation in _ORIENTATIONS:
        pixels = np.ascontiguousarray(_ORIENTATIONS[orientation](pixels))
    return pixels


def _reduced(image: Image.Image, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a picture of any mode as RGB in another size, (H, W, 3), band by band."""
    width, height = size
    step = image.height / height
    pixels = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, _BAND_ROWS):
        bottom = min(top + _BAND_ROWS, height)
        first, last = max(top - _MARGIN_ROWS, 0), min(bottom + _MARGIN_ROWS, height)
        above, below = math.floor(first * step), min(math.ceil(last * step), image.height)
        band = _to_rgb(image.crop((0, above, image.width, below)))
        if size != image.size:
            box = (0, first * step - above, image.width, min(last * step - above, band.height))
            band = band.resize((width, last - first), Image.Resampling.BICUBIC, box=box, reducing_gap=2.0)
        pixels[top:bottom] = np.asarray(band)[top - first : bottom - first]
    return pixels


def _to_rgb(image: Image.Image) -> Image.Image:
    """Return a picture of any mode as RGB; transparent parts become white."""
    if image.mode.startswith("I"):
        grey = np.clip(np.asarray(image, np.int32), 0, 0xFFFF) >> 8
        return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # Damaged metadata does not make the picture useless.
        return 1
