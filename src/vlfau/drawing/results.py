"""The picture of a result, drawn with its faces."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlfau.drawing.faces import draw_faces
from vlfau.errors import ImageError
from vlfau.inference.results import PictureResult
from vlfau.media.images import Picture, read_picture

__all__ = ["picture_of", "plot_result"]


def plot_result(result: PictureResult, picture: Picture | NDArray[np.uint8] | None = None) -> Image.Image:
    """Draw a result; see `PictureResult.plot`."""
    note = "" if result.model is None else result.model.warning
    pixels = picture_of(result) if picture is None else picture
    return Image.fromarray(draw_faces(pixels, result.faces, note=note))


def picture_of(result: PictureResult) -> Picture:
    """Return the picture of a result; a file is read again.

    Raises:
        ImageError: The file can no longer be read, or the result has no picture.
    """
    match result.source:
        case None:
            what = result.file or "this picture"
            raise ImageError(
                f"the result of {what} does not hold its pixels; give them, as in result.plot(frame.pixels)"
            )
        case Path() as path:
            return read_picture(path)
        case picture:
            return picture
