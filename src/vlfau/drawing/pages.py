"""What HTML pages share: strict templates, the bars of AUs, colours, and pictures inside of the page."""

import base64
import io
from importlib import resources

import numpy as np
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from vlfau.drawing.theme import (
    JPEG_QUALITY,
    au_title,
    css_variables,
    face_colour,
    format_intensity,
    format_percent,
    format_prob,
)
from vlfau.facs import MAX_INTENSITY, action_unit
from vlfau.video.summary import clock

__all__ = ["data_url", "jpeg_url", "stylesheet", "templates"]


def templates(package: str, folder: str) -> Environment:
    """Return the templates in a folder of a package, and those that all pages share, such as `bar.html.j2`.

    Every value is escaped, and must be there. Templates may call `unit`, `title`, `colour`, `clock`, `prob`,
    `percent` and `intensity`.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, folder), PackageLoader("vlfau.drawing", "templates")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        unit=action_unit,
        title=lambda au_id: au_title(action_unit(au_id)),
        colour=face_colour,
        clock=clock,
        prob=format_prob,
        percent=format_percent,
        intensity=format_intensity,
        max_intensity=f"{MAX_INTENSITY:g}",
    )
    return environment


def stylesheet(*, dark_class: str | None = None) -> Markup:
    """Return the styles that all pages share: colours, and the bars of AUs.

    Args:
        dark_class: The class of a page that is dark; None follows what the reader's system prefers.
    """
    active, lighter = "var(--face, var(--curve))", "color-mix(in srgb, var(--face, var(--curve)), #fff 35%)"
    if dark_class is None:
        faces = f".aus {{ --active: light-dark({active}, {lighter}); }}"
    else:
        faces = f".aus {{ --active: {active}; }}\n.{dark_class} .aus {{ --active: {lighter}; }}"
    bars = resources.files("vlfau.drawing").joinpath("templates", "bars.css").read_text("utf-8")
    return Markup(f"{css_variables(dark_class=dark_class)}\n{faces}\n{bars}")


def data_url(kind: str, content: bytes) -> Markup:
    """Return a file as the address of itself.

    Args:
        kind: Its media type, such as image/png.
        content: The file.
    """
    return Markup("data:{};base64,{}").format(kind, base64.b64encode(content).decode("ascii"))


def jpeg_url(pixels: NDArray[np.uint8]) -> Markup:
    """Return a picture (H, W, 3), RGB, as the address of a JPEG."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=JPEG_QUALITY)
    return data_url("image/jpeg", file.getvalue())
