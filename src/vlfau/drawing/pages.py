"""What HTML pages that need no other file share: strict templates, and pictures inside of the page."""

import base64
import io

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

__all__ = ["data_url", "jpeg_url", "templates"]


def templates(package: str, folder: str) -> Environment:
    """Return the templates in a folder of a package; every value is escaped, and must be there."""
    return Environment(
        loader=PackageLoader(package, folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def data_url(kind: str, content: bytes) -> Markup:
    """Return a file as the address of itself.

    Args:
        kind: Its media type, such as image/png.
        content: The file.
    """
    return Markup("data:{};base64,{}").format(kind, base64.b64encode(content).decode("ascii"))


def jpeg_url(pixels: NDArray[np.uint8], *, quality: int) -> Markup:
    """Return a picture (H, W, 3), RGB, as the address of a JPEG."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return data_url("image/jpeg", file.getvalue())
