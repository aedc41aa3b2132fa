"""One face's results as a card: its AUs as bars, and their words."""

from dataclasses import dataclass
from functools import cache
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from vlfau.inference.results import AUResult, FaceResult

__all__ = ["BACKGROUND", "PANEL_WIDTH", "draw_panel", "face_colour", "font", "wrapped"]

PANEL_WIDTH: Final = 600
BACKGROUND: Final = "#eef1f5"

_COLOURS: Final = ("#0f7bc4", "#d1541b", "#1f8a4c", "#8a3fb8", "#c02a5e", "#4d6b00", "#007a87", "#7a5230")
_CARD, _BORDER, _TRACK = "#ffffff", "#d5dbe3", "#e8ecf1"
_STRONG, _MUTED, _FAINT_BAR = "#1b2430", "#7a8696", "#b4bdc9"
_PADDING, _ROW_HEIGHT, _GAP = 20, 29, 14
_NAME_X, _BAR_X, _BAR_END, _LINE_HEIGHT = 58, 252, 496, 24


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of words with the label that stands before it, if one does."""

    text: str
    label: str = ""
    gap_before: int = 0


def face_colour(number: int) -> str:
    """Return the colour that stands for a face in a picture; `number` counts from 1."""
    return _COLOURS[(number - 1) % len(_COLOURS)]


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


def draw_panel(face: FaceResult, number: int, *, compact: bool = False) -> Image.Image:
    """Draw the card of a face.

    Args:
        face: What was found.
        number: The face's number in the picture, from 1.
        compact: Leave out the inactive AUs and the words of single AUs.
    """
    aus = face.active_aus if compact else face.aus
    lines = _lines(face, compact=compact)
    rows_height = max(1, len(aus)) * _ROW_HEIGHT
    words_height = sum(line.gap_before + _LINE_HEIGHT for line in lines)
    height = 2 * _PADDING + 48 + rows_height + words_height
    image = Image.new("RGB", (PANEL_WIDTH, height), BACKGROUND)
    draw_rounded(image, (0, 0, PANEL_WIDTH, height), 12, _BORDER)
    draw_rounded(image, (1, 1, PANEL_WIDTH - 1, height - 1), 11, _CARD)
    _draw_header(image, face, number)
    top = _PADDING + 48
    for index, au in enumerate(aus):
        _draw_row(image, au, top + index * _ROW_HEIGHT, face_colour(number))
    draw = ImageDraw.Draw(image)
    if not aus:
        draw.text((_PADDING, top + 2), "No action unit is active", fill=_MUTED, font=font(17))
    _draw_lines(draw, lines, top + rows_height, face_colour(number))
    return image


def _lines(face: FaceResult, *, compact: bool) -> list[_Line]:
    lines: list[_Line] = []
    width = PANEL_WIDTH - 2 * _PADDING
    if face.global_caption:
        texts = wrapped(face.global_caption, 18, width)
        lines += [_Line(text, gap_before=_GAP if index == 0 else 0) for index, text in enumerate(texts)]
    for au in face.aus:
        if au.local_caption and not compact:
            texts = wrapped(au.local_caption, 16, width - _NAME_X)
            lines += [
                _Line(text, label=au.label if index == 0 else " ", gap_before=_GAP if index == 0 else 0)
                for index, text in enumerate(texts)
            ]
    return lines


def _draw_header(image: Image.Image, face: FaceResult, number: int) -> None:
    middle = _PADDING + 15
    draw_badge(image, (_PADDING + 15, middle), 15, number)
    draw = ImageDraw.Draw(image)
    draw.text((_PADDING + 46, middle), f"Face {number}", fill=_STRONG, font=font(22), anchor="lm")
    pose = f"yaw {face.pose.yaw:+.0f}°   pitch {face.pose.pitch:+.0f}°   roll {face.pose.roll:+.0f}°"
    draw.text((PANEL_WIDTH - _PADDING, middle), pose, fill=_MUTED, font=font(16), anchor="rm")


def draw_rounded(image: Image.Image, box: tuple[float, float, float, float], radius: float, colour: str) -> None:
    """Fill a rectangle (left, top, right, bottom) with round corners, smoothly."""
    left, top, right, bottom = map(round, box)
    size, fineness = (max(1, right - left), max(1, bottom - top)), 4
    corner = min(round(radius), min(size) // 2)
    mask = Image.new("L", size, 255)
    if corner:
        disc = Image.new("L", (2 * corner * fineness,) * 2)
        ImageDraw.Draw(disc).ellipse((0, 0, disc.width - 1, disc.height - 1), fill=255)
        disc = disc.reduce(fineness)
        for x in (0, 1):
            for y in (0, 1):
                quarter = disc.crop((x * corner, y * corner, (x + 1) * corner, (y + 1) * corner))
                mask.paste(quarter, (x * (size[0] - corner), y * (size[1] - corner)))
    image.paste(colour, (left, top), mask)


def draw_badge(image: Image.Image, centre: tuple[float, float], radius: int, number: int) -> None:
    """Draw a face's number on a disc in its colour."""
    x, y = map(round, centre)
    for size, colour in ((radius + 2, "white"), (radius, face_colour(number))):
        draw_rounded(image, (x - size, y - size, x + size, y + size), size, colour)
    draw = ImageDraw.Draw(image)
    draw.text((x, y), str(number), fill="white", font=font(round(radius * 1.2)), anchor="mm")


def _draw_row(image: Image.Image, au: AUResult, top: int, colour: str) -> None:
    draw = ImageDraw.Draw(image)
    middle = top + _ROW_HEIGHT // 2
    text_colour = _STRONG if au.state else _MUTED
    draw.text((_PADDING, middle), au.label, fill=colour if au.state else _MUTED, font=font(17), anchor="lm")
    draw.text((_PADDING + _NAME_X, middle), au.name, fill=text_colour, font=font(17), anchor="lm")
    draw.text((PANEL_WIDTH - _PADDING, middle), f"{au.prob:.2f}", fill=text_colour, font=font(17), anchor="rm")
    left, right = _PADDING + _BAR_X, _PADDING + _BAR_END
    draw_rounded(image, (left, middle - 6, right, middle + 6), 6, _TRACK)
    length = round((right - left) * au.prob)
    if length >= 1:
        bar_colour = colour if au.state else _FAINT_BAR
        draw_rounded(image, (left, middle - 6, left + length, middle + 6), 6, bar_colour)


def _draw_lines(draw: ImageDraw.ImageDraw, lines: list[_Line], top: int, colour: str) -> None:
    for line in lines:
        top += line.gap_before
        if line.label:
            draw.text((_PADDING, top), line.label, fill=colour, font=font(16))
            draw.text((_PADDING + _NAME_X, top), line.text, fill=_STRONG, font=font(16))
        else:
            draw.text((_PADDING, top), line.text, fill=_STRONG, font=font(18))
        top += _LINE_HEIGHT
