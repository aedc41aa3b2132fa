"""What pictures and videos are drawn with: text, round corners, numbered boxes, and the rows of AUs."""

from functools import cache, lru_cache
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw, ImageFont

from vlfau.drawing.theme import BOX_LINE, BOX_RADIUS, LIGHT, RowLayout, face_colour, format_prob
from vlfau.inference.results import AUResult

__all__ = [
    "AURows",
    "Shrunk",
    "badge",
    "draw_badge",
    "draw_box",
    "draw_rounded",
    "font",
    "paste",
    "rgb",
    "shrunk",
    "wrapped",
]

Pixels = NDArray[np.uint8]

_FINENESS: Final = 4
"""Round corners are drawn so many times larger and then reduced, to be smooth."""
_RIM: Final = 2
"""White around a badge, in pixels."""


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the font of all drawings, at a size in pixels."""
    return ImageFont.load_default(size)


def wrapped(text: str, size: int, width: float) -> list[str]:
    """Break a text into lines of at most `width` pixels; a longer word keeps a line of its own."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font(size).getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def rgb(colour: str) -> tuple[int, int, int]:
    """Return a colour as red, green and blue, 0 to 255."""
    red, green, blue = ImageColor.getrgb(colour)[:3]
    return red, green, blue


class Shrunk(NamedTuple):
    """A smaller copy of a picture.

    Attributes:
        pixels: (H, W, 3) uint8.
        scale: Its pixels along one of the original.
    """

    pixels: Pixels
    scale: float


def shrunk(pixels: Pixels, side: int) -> Shrunk:
    """Shrink a picture so that its longer side has at most `side` pixels.

    Args:
        pixels: (H, W, 3) uint8.
        side: In pixels.

    Returns:
        The picture, a copy, and its pixels along one of the original.
    """
    height, width = pixels.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return Shrunk(np.array(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8), scale)


def paste(canvas: Pixels, image: Pixels, left: int, top: int) -> None:
    """Copy an image into a canvas; what lies beyond the right and lower edge is cut off."""
    part = canvas[top : top + image.shape[0], left : left + image.shape[1]]
    part[:] = image[: part.shape[0], : part.shape[1]]


def draw_rounded(image: Image.Image, box: tuple[float, float, float, float], radius: float, colour: str) -> None:
    """Fill a rectangle (left, top, right, bottom) with round corners, smoothly."""
    left, top, right, bottom = map(round, box)
    size = (max(1, right - left), max(1, bottom - top))
    corner = min(round(radius), min(size) // 2)
    mask = Image.new("L", size, 255)
    if corner:
        disc = Image.new("L", (2 * corner * _FINENESS,) * 2)
        ImageDraw.Draw(disc).ellipse((0, 0, disc.width - 1, disc.height - 1), fill=255)
        disc = disc.reduce(_FINENESS)
        for x in (0, 1):
            for y in (0, 1):
                quarter = disc.crop((x * corner, y * corner, (x + 1) * corner, (y + 1) * corner))
                mask.paste(quarter, (x * (size[0] - corner), y * (size[1] - corner)))
    image.paste(colour, (left, top), mask)


@lru_cache(128)
def badge(number: int, radius: int) -> Image.Image:
    """Return a face's number on a disc in its colour with a white rim, as RGBA; long numbers make it wider."""
    text = font(round(radius * 1.2))
    width = max(2 * radius, round(text.getlength(str(number)) + radius / 2))
    image = Image.new("RGBA", (width + 2 * _RIM, 2 * (radius + _RIM)), (255, 255, 255, 0))
    for inset, colour in ((0, "#ffffff"), (_RIM, face_colour(number))):
        draw_rounded(image, (inset, inset, image.width - inset, image.height - inset), radius + _RIM - inset, colour)
    ImageDraw.Draw(image).text(
        (image.width // 2, image.height // 2), str(number), fill="#ffffff", font=text, anchor="mm"
    )
    return image


def draw_box(canvas: Pixels, box: tuple[float, float, float, float], number: int, *, line: int = BOX_LINE) -> None:
    """Draw the box of a face with round corners, in the face's colour with a white rim.

    Args:
        canvas: (H, W, 3) uint8 RGB, is drawn on.
        box: Left, top, right and bottom, in pixels of the canvas; may lie outside.
        number: The face's number, from 1.
        line: Thickness, as OpenCV counts; tiny faces get thinner lines.
    """
    left, top, right, bottom = map(round, box)
    side = max(0, min(right - left, bottom - top))
    radius, line = round(BOX_RADIUS * side), max(1, min(line, side // 8))
    corners = (
        (right - radius, bottom - radius, 0),
        (left + radius, bottom - radius, 90),
        (left + radius, top + radius, 180),
        (right - radius, top + radius, 270),
    )
    outline = np.concatenate([cv2.ellipse2Poly((x, y), (radius, radius), angle, 0, 90, 5) for x, y, angle in corners])
    for colour, thickness in (((255, 255, 255), line + 2), (rgb(face_colour(number)), line)):
        cv2.polylines(canvas, [outline], True, colour, thickness, cv2.LINE_AA)


def draw_badge(canvas: Pixels, number: int, centre: tuple[float, float], radius: int) -> None:
    """Draw a face's number around a point (x, y); it is moved to lie wholly inside of the canvas (H, W, 3)."""
    mark = badge(number, radius)
    height, width = canvas.shape[:2]
    left = max(0, min(round(centre[0] - mark.width / 2), width - mark.width))
    top = max(0, min(round(centre[1] - mark.height / 2), height - mark.height))
    area = canvas[top : top + mark.height, left : left + mark.width]
    blended = Image.fromarray(area)
    blended.paste(mark, (0, 0), mark)
    area[:] = np.asarray(blended)


class AURows:
    """Draws AUs as rows: label, name, a bar as long as the probability with a tick at the threshold, and the number.

    The parts of a row are drawn once and copied from then on, so that a row of a video costs little.

    Args:
        layout: The geometry.
    """

    def __init__(self, layout: RowLayout) -> None:
        self.layout = layout
        self._name = lru_cache(512)(self._draw_name)
        self._bar = lru_cache(1024)(self._draw_bar)
        self._number = lru_cache(512)(self._draw_number)

    def draw(self, canvas: Pixels, left: int, top: int, au: AUResult, colour: str) -> None:
        """Draw one row; a doubtful AU is grey, with a question mark after its number.

        Args:
            canvas: (H, W, 3) uint8 RGB, is drawn on.
            left: Where the row begins, in pixels.
            top: Likewise.
            au: The AU.
            colour: Of the label and the bar, if the AU is active.
        """
        layout = self.layout
        shown = colour if au.state and not au.doubtful else None
        paste(canvas, self._name(au.label, au.name, shown), left, top)
        bar_width, bar_top = layout.bar_end - layout.bar_x, top + (layout.height - layout.bar_height) // 2
        bar = self._bar(round(bar_width * au.prob), shown)
        paste(canvas, bar, left + layout.bar_x, bar_top)
        if au.threshold is not None:
            tick = max(2, layout.bar_height // 5)
            middle = left + layout.bar_x + round((bar_width - tick) * au.threshold)
            canvas[bar_top - tick : bar_top + layout.bar_height + tick, middle : middle + tick] = rgb(LIGHT.muted)
        number = format_prob(au.prob) + ("?" if au.doubtful else "")
        paste(canvas, self._number(number, shown is not None), left + layout.bar_end, top)

    def _draw_name(self, label: str, name: str, colour: str | None) -> Pixels:
        """Draw what stands before the bar; without a colour the AU is inactive."""
        layout = self.layout
        image = Image.new("RGB", (layout.bar_x, layout.height), LIGHT.card)
        draw, middle, text = ImageDraw.Draw(image), layout.height // 2, font(layout.text_size)
        draw.text((0, middle), label, colour or LIGHT.muted, text, anchor="lm")
        draw.text((layout.name_x, middle), name, LIGHT.ink if colour else LIGHT.muted, text, anchor="lm")
        return np.asarray(image)

    def _draw_bar(self, length: int, colour: str | None) -> Pixels:
        layout = self.layout
        image = Image.new("RGB", (layout.bar_end - layout.bar_x, layout.bar_height), LIGHT.card)
        draw_rounded(image, (0, 0, image.width, image.height), image.height / 2, LIGHT.track)
        if length >= 1:
            draw_rounded(image, (0, 0, length, image.height), image.height / 2, colour or LIGHT.rest)
        return np.asarray(image)

    def _draw_number(self, text: str, active: bool) -> Pixels:
        layout = self.layout
        image = Image.new("RGB", (layout.width - layout.bar_end, layout.height), LIGHT.card)
        colour = LIGHT.ink if active else LIGHT.muted
        draw = ImageDraw.Draw(image)
        draw.text((image.width, layout.height // 2), text, colour, font(layout.text_size), anchor="rm")
        return np.asarray(image)
