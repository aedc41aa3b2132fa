"""Pictures as pixels: what is read, how, and what is refused.

* A picture is turned as its EXIF orientation says, and becomes 8-bit RGB. 16-bit grey is scaled, CMYK and
  palettes are converted, transparent parts become white, and of an animation the first frame counts.
* A picture of more than `WORKING_PIXELS` is reduced to about as many; `Picture.reduction` says by how much,
  so that results are given in the pixels of the file.
* A picture that would need more than `DECODED_PIXELS` in memory is refused. Baseline JPEG files are reduced
  while they are decoded, so theirs may hold 64 times as many.
"""

import math
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from vlfau.errors import ImageError
from vlfau.inference.sources import printable

__all__ = ["DECODED_PIXELS", "WORKING_PIXELS", "Picture", "as_picture", "read_image", "read_picture"]

WORKING_PIXELS: Final = 32_000_000
DECODED_PIXELS: Final = 180_000_000

# Only plain decoders: some others of Pillow start programs. The first five need no import of all its plugins.
_FORMATS: Final = ("JPEG", "PNG", "BMP", "GIF", "PPM", "WEBP", "TIFF", "JPEG2000")
_ORIENTATION_TAG: Final = 0x0112
_ORIENTATIONS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_PILLOW_LIMIT = threading.Lock()


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture ready for work.

    Attributes:
        pixels: (H, W, 3) uint8, RGB, upright.
        reduction: Pixels of the file along one pixel of `pixels`; 1.0 unless the file was too large.
    """

    pixels: NDArray[np.uint8]
    reduction: float = 1.0


def read_image(path: str | Path) -> NDArray[np.uint8]:
    """Read a picture, reduced if it is very large.

    Returns:
        (H, W, 3) uint8, RGB, upright.

    Raises:
        ImageError: The file is missing, empty, damaged, too large, or no picture.
    """
    return read_picture(path).pixels


def read_picture(path: str | Path) -> Picture:
    """Read a picture together with the factor by which it was reduced.

    Raises:
        ImageError: The file is missing, empty, damaged, too large, or no picture.
    """
    path = Path(path)
    _check_is_file(path)
    with warnings.catch_warnings():
        # Pillow warns of odd metadata and of large pictures; the limits here are this module's own.
        warnings.simplefilter("ignore")
        with _opened(path) as image:
            width, height = image.size
            image.draft(None, _working_size(width, height))
            _check_size(path, image, (width, height))
            try:
                pixels = _upright_rgb(image)
            except ImageError:
                raise
            except Exception as error:  # A damaged file makes decoders raise almost anything.
                raise ImageError(
                    f"picture {printable(path)} is damaged or incomplete ({error}); copy it again, or save it anew"
                ) from None
    return Picture(pixels, reduction=max(width, height) / max(pixels.shape[:2]))


def as_picture(image: str | Path | Picture | NDArray[np.uint8]) -> Picture:
    """Return a picture from whatever stands for one: a file, a picture, or (H, W, 3) uint8 RGB pixels.

    Raises:
        ImageError: The file is no readable picture, or the pixels are of another kind.
    """
    if isinstance(image, Picture):
        return image
    if isinstance(image, str | Path):
        return read_picture(image)
    pixels = np.asarray(image)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise ImageError(
            f"expected a picture as (H, W, 3) uint8 RGB, got {pixels.shape} {pixels.dtype}; convert it first"
        )
    return Picture(np.ascontiguousarray(pixels))


def _check_is_file(path: Path) -> None:
    name = printable(path)
    try:
        if path.is_dir():
            raise ImageError(f"{name} is a folder, not a picture; name a file in it")
        if not path.exists():
            raise ImageError(f"picture {name} does not exist; check the path")
        if not path.is_file():
            raise ImageError(f"{name} is no ordinary file; name a picture file")
        if path.stat().st_size == 0:
            raise ImageError(f"picture {name} is empty; copy it again")
    except (OSError, ValueError) as error:
        raise ImageError(f"picture {name} cannot be read ({error}); check the path") from None


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with _PILLOW_LIMIT:
            limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            try:
                Image.preinit()
                image = Image.open(path, formats=_FORMATS)
            finally:
                Image.MAX_IMAGE_PIXELS = limit
    except UnidentifiedImageError:
        raise ImageError(
            f"{printable(path)} is no picture that vlfau can read ({', '.join(_FORMATS)}); save it as JPEG or PNG"
        ) from None
    except PermissionError:
        raise ImageError(f"picture {printable(path)} may not be read; change its permissions") from None
    except Exception as error:  # A damaged header makes decoders raise almost anything.
        raise ImageError(f"picture {printable(path)} is damaged ({error}); copy it again, or save it anew") from None
    with image:
        yield image


def _working_size(width: int, height: int) -> tuple[int, int]:
    scale = min(1.0, math.sqrt(WORKING_PIXELS / (width * height)))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _check_size(path: Path, image: Image.Image, file_size: tuple[int, int]) -> None:
    # A progressive JPEG keeps the coefficients of the whole picture, however small it is decoded.
    width, height = file_size if "progressive" in image.info else image.size
    if width * height > DECODED_PIXELS:
        raise ImageError(
            f"picture {printable(path)} has {file_size[0]} x {file_size[1]} pixels, more than fit in memory "
            f"({DECODED_PIXELS // 1_000_000} million); make it smaller, or save it as baseline JPEG"
        )


def _upright_rgb(image: Image.Image) -> NDArray[np.uint8]:
    image.load()
    orientation = _orientation(image)
    if image.mode.startswith("I"):
        grey = np.clip(np.asarray(image, np.int32), 0, 0xFFFF) >> 8
        image = Image.fromarray(grey.astype(np.uint8))
    elif image.mode == "F":
        raise ValueError("it holds floating-point values, not 8 or 16 bits")
    elif image.has_transparency_data:
        image = image.convert("RGBA")
    elif image.mode not in {"L", "CMYK", "RGB"}:
        image = image.convert("RGB")

    size = _working_size(*image.size)
    if size != image.size:
        image = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    if orientation in _ORIENTATIONS:
        image = image.transpose(_ORIENTATIONS[orientation])
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.array(image.convert("RGB"))


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # Damaged metadata does not make the picture useless.
        return 1
