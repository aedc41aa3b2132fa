"""The aligned faces and masks of data sets, read fast: such files are small, upright and have 8 bits."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlfau.errors import ImageError
from vlfau.files.names import printable
from vlfau.media.images import Picture

__all__ = ["read_crop", "read_mask"]

_FORMATS: Final = ("JPEG", "PNG", "BMP", "WEBP", "TIFF")  # Plain decoders; some others in Pillow start programs.


def read_crop(path: Path, size: int) -> Picture:
    """Read an aligned face of a data set.

    Args:
        path: The file.
        size: Side to which a larger square is reduced, in pixels.

    Returns:
        Its pixels, (size, size, 3).

    Raises:
        ImageError: The file is missing, damaged or not a picture, or is not a square of at least this size.
    """
    with _stored(path, _FORMATS) as image:
        crop = image.convert("RGB")
    _check_square(path, crop, size, "an aligned, square face")
    resized = crop if crop.width == size else crop.resize((size, size), Image.Resampling.LANCZOS)
    return Picture(np.array(resized), reduction=crop.width / size)


def read_mask(path: Path, size: int) -> NDArray[np.uint8]:
    """Read a grey mask of a data set and reduce it; every pixel is the mean of what it covers.

    Args:
        path: The file, PNG.
        size: Side of the result.

    Returns:
        (size, size) uint8.

    Raises:
        ImageError: The file is missing, damaged or not a picture, or is not a square of at least this size.
    """
    with _stored(path, ("PNG",)) as image:
        mask = image.convert("L")
    _check_square(path, mask, size, "the square mask of an aligned face")
    return np.array(mask.resize((size, size), Image.Resampling.BOX))


@contextmanager
def _stored(path: Path, formats: tuple[str, ...]) -> Iterator[Image.Image]:
    """Open a file that this package wrote."""
    try:
        with Image.open(path, formats=formats) as image:
            yield image
    except Exception as error:  # A damaged file makes decoders raise almost anything.
        raise ImageError(f"{printable(path)} is not a readable picture ({error}); make the data set again") from error


def _check_square(path: Path, image: Image.Image, size: int, expected: str) -> None:
    if image.width != image.height or image.width < size:
        raise ImageError(
            f"{printable(path)} has {image.width} x {image.height} pixels; expected {expected} of at least "
            f"{size} x {size}; make the data set again, or choose a smaller size"
        )
