"""A picture with its faces numbered, and a card of results for each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vlfau.drawing.pixels import AURows, badge, draw_badge, draw_box, draw_rounded, font, wrapped
from vlfau.drawing.rulers import carries_letters, draw_rulers, ruled
from vlfau.drawing.theme import CARD_ROW, LIGHT, PICTURE_QUALITY, TEXT_SIZES, face_colour, format_pose
from vlfau.files.atomic import replacing
from vlfau.inference.results import FaceResult
from vlfau.measures.measuring import NOT_MEASURED
from vlfau.media.images import Picture
from vlfau.media.pixels import as_picture

__all__ = ["CARD_WIDTH", "draw_card", "draw_faces", "write_picture"]

_PADDING: Final = 20
CARD_WIDTH: Final = CARD_ROW.width + 2 * _PADDING
_HEADER, _GAP, _LINE_HEIGHT = 48, 14, 24
_MARGIN: Final = 20
_PHOTO_AREA: Final = (400_000, 2_400_000)  # Smallest and largest area of the photo in the drawing, in pixels.
_MAX_SIDE: Final = 3600
_SCREEN_ASPECT: Final = 16 / 10
_DETAILED_FACES: Final = 4


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a caption, with the AU's label before it where one begins; `label` is None for the whole face.

    Of a measurement, `letter` is that of its ruler.
    """

    text: str
    label: str | None = None
    gap_before: int = 0
    letter: str = ""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where things lie: sizes are (width, height), `corners` are the cards' top left."""

    size: tuple[int, int]
    photo_size: tuple[int, int]
    corners: tuple[tuple[int, int], ...]

    @property
    def shrinkage(self) -> float:
        """How much a wide screen must shrink it, up to a constant."""
        width, height = self.size
        return max(width / _SCREEN_ASPECT, height)


def draw_faces(
    image: Picture | NDArray[np.uint8], faces: Sequence[FaceResult], *, note: str = "", rulers: bool = False
) -> NDArray[np.uint8]:
    """Draw the faces of a picture and their results.

    The photo is enlarged or shrunk to a size at which it and the cards can be read together. With more than
    four faces the cards show the active AUs only.

    Args:
        image: The picture, or its pixels: (H, W, 3) uint8 RGB.
        faces: Its faces, as `Predictor.predict` returns them.
        note: A line at the bottom.
        rulers: Whether to draw what was measured of the active AUs, and to list it on the cards.

    Returns:
        (H', W', 3) uint8 RGB.
    """
    picture = as_picture(image)
    compact = len(faces) > _DETAILED_FACES
    lines = [_lines(face, compact=compact, measurements=rulers) for face in faces]
    heights = [_card_height(face, own, compact=compact) for face, own in zip(faces, lines, strict=True)]
    layout = _best_layout(picture, heights)
    scale = layout.photo_size[0] / (picture.pixels.shape[1] * picture.reduction)
    width, height = layout.size
    size = TEXT_SIZES.small
    note_lines = wrapped(note, size, width - 2 * _MARGIN)
    canvas = Image.new("RGB", (width, height + len(note_lines) * (size + 6)), LIGHT.canvas)
    photo = _draw_photo(picture, faces, layout.photo_size, scale, rulers=rulers)
    canvas.paste(Image.fromarray(photo), (_MARGIN, _MARGIN))
    for number, (face, own, corner) in enumerate(zip(faces, lines, layout.corners, strict=True), start=1):
        letters = carries_letters(face, scale)
        canvas.paste(_draw_card(face, number, own, compact=compact, letters=letters), corner)
    draw = ImageDraw.Draw(canvas)
    for index, line in enumerate(note_lines):
        top = height - _MARGIN // 2 + index * (size + 6)
        draw.text((_MARGIN, top), line, fill=LIGHT.muted, font=font(size))
    return np.asarray(canvas)


def write_picture(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write a drawing as JPEG, whole or not at all.

    Raises:
        InputError: The file cannot be written.
    """
    with replacing(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="JPEG", quality=PICTURE_QUALITY, subsampling=0)


def draw_card(face: FaceResult, number: int, *, compact: bool = False) -> Image.Image:
    """Draw the results of one face.

    Args:
        face: The face and its results.
        number: The face's number in the picture, from 1.
        compact: Leave out the inactive AUs and the captions of single AUs.
    """
    lines = _lines(face, compact=compact, measurements=False)
    return _draw_card(face, number, lines, compact=compact, letters=False)


def _lines(face: FaceResult, *, compact: bool, measurements: bool) -> list[_Line]:
    return _caption_lines(face, compact=compact) + (_measured_lines(face) if measurements else [])


def _card_height(face: FaceResult, lines: Sequence[_Line], *, compact: bool) -> int:
    return (
        2 * _PADDING
        + _HEADER
        + _rows_height(face, compact=compact)
        + sum(line.gap_before + _LINE_HEIGHT for line in lines)
    )


def _rows_height(face: FaceResult, *, compact: bool) -> int:
    return max(1, len(face.active_aus if compact else face.aus)) * CARD_ROW.height


def _draw_card(face: FaceResult, number: int, lines: Sequence[_Line], *, compact: bool, letters: bool) -> Image.Image:
    aus = face.active_aus if compact else face.aus
    height = _card_height(face, lines, compact=compact)
    image = Image.new("RGB", (CARD_WIDTH, height), LIGHT.canvas)
    draw_rounded(image, (0, 0, CARD_WIDTH, height), 12, LIGHT.line)
    draw_rounded(image, (1, 1, CARD_WIDTH - 1, height - 1), 11, LIGHT.card)
    _draw_header(image, face, number)
    top = _PADDING + _HEADER
    if aus:
        image.paste(Image.fromarray(_draw_rows(face, number, compact=compact)), (_PADDING, top))
    else:
        text = font(TEXT_SIZES.row)
        ImageDraw.Draw(image).text((_PADDING, top + 2), "No action unit is active", fill=LIGHT.muted, font=text)
    top += _rows_height(face, compact=compact)
    _draw_captions(ImageDraw.Draw(image), lines, top, face_colour(number), letters=letters)
    return image


@cache
def _rows() -> AURows:
    return AURows(CARD_ROW)


def _draw_rows(face: FaceResult, number: int, *, compact: bool) -> NDArray[np.uint8]:
    aus = face.active_aus if compact else face.aus
    pixels = np.asarray(Image.new("RGB", (CARD_ROW.width, len(aus) * CARD_ROW.height), LIGHT.card)).copy()
    for index, au in enumerate(aus):
        _rows().draw(pixels, 0, index * CARD_ROW.height, au, face_colour(number))
    return pixels


def _caption_lines(face: FaceResult, *, compact: bool) -> list[_Line]:
    doubt = wrapped(face.doubt_text, TEXT_SIZES.text, CARD_ROW.width)
    lines = [_Line(text, gap_before=0 if index else _GAP) for index, text in enumerate(doubt)]
    if face.global_caption:
        texts = wrapped(face.global_caption, TEXT_SIZES.text, CARD_ROW.width)
        lines += [_Line(text, gap_before=_GAP if index == 0 else 0) for index, text in enumerate(texts)]
    for au in face.aus:
        if au.local_caption and not compact:
            texts = wrapped(au.local_caption, TEXT_SIZES.small, CARD_ROW.width - CARD_ROW.name_x)
            lines += [
                _Line(text, label="" if index else au.label, gap_before=0 if index else _GAP)
                for index, text in enumerate(texts)
            ]
    return lines


def _measured_lines(face: FaceResult) -> list[_Line]:
    lines = []
    for each in ruled(face):
        texts = wrapped(each.measurement.text, TEXT_SIZES.small, CARD_ROW.width - CARD_ROW.name_x)
        lines.append(_Line(texts[0], each.au.label, _GAP, each.letter))
        lines += [_Line(text, "") for text in texts[1:]]
    if not lines and face.measured is not None and not face.measurements:
        lines.append(_Line(NOT_MEASURED.capitalize(), gap_before=_GAP))
    return lines


def _draw_header(image: Image.Image, face: FaceResult, number: int) -> None:
    radius, middle = 15, _PADDING + 15
    mark = badge(number, radius)
    image.paste(mark, (middle - mark.height // 2, middle - mark.height // 2), mark)
    draw = ImageDraw.Draw(image)
    left = _PADDING + mark.width + 12
    draw.text((left, middle), f"Face {number}", fill=LIGHT.ink, font=font(TEXT_SIZES.title), anchor="lm")
    pose, small = format_pose(face.pose), font(TEXT_SIZES.small)
    draw.text((CARD_WIDTH - _PADDING, middle), pose, fill=LIGHT.muted, font=small, anchor="rm")


def _draw_captions(draw: ImageDraw.ImageDraw, lines: Sequence[_Line], top: int, colour: str, *, letters: bool) -> None:
    for line in lines:
        top += line.gap_before
        if line.label is None:
            draw.text((_PADDING, top), line.text, fill=LIGHT.ink, font=font(TEXT_SIZES.text))
        else:
            small = font(TEXT_SIZES.small)
            draw.text((_PADDING, top), line.label, fill=colour, font=small)
            if letters:
                draw.text((_PADDING + CARD_ROW.name_x - 5, top), line.letter, fill=LIGHT.ink, font=small, anchor="ra")
            draw.text((_PADDING + CARD_ROW.name_x, top), line.text, fill=LIGHT.ink, font=small)
        top += _LINE_HEIGHT


def _draw_photo(
    picture: Picture, faces: Sequence[FaceResult], size: tuple[int, int], scale: float, *, rulers: bool
) -> NDArray[np.uint8]:
    photo = Image.fromarray(picture.pixels).resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    pixels = np.array(photo)
    for number, face in enumerate(faces, start=1):
        left, top, right, bottom = (value * scale for value in face.face_box_xyxy)
        draw_box(pixels, (left, top, right, bottom), number)
        radius = round(min(max(min(right - left, bottom - top) * 0.09, 11), 17))
        draw_badge(pixels, number, (left, top), radius)
        if rulers:
            draw_rulers(pixels, face, scale)
    return pixels


def _best_layout(picture: Picture, card_heights: Sequence[int]) -> _Layout:
    """Choose the arrangement that a wide screen shows largest."""
    columns = range(1, max(1, len(card_heights)) + 1)
    layouts = [arrange(picture, card_heights, count) for count in columns for arrange in (_beside, _below)]
    return min(layouts, key=lambda layout: layout.shrinkage)


def _beside(picture: Picture, card_heights: Sequence[int], columns: int) -> _Layout:
    _, bottom = _stack(card_heights, columns, left=0, top=0)
    height, width, _ = picture.pixels.shape
    photo_size = _photo_size(width, height, scale=(bottom - _MARGIN) / height)
    left = photo_size[0] + 2 * _MARGIN
    corners, bottom = _stack(card_heights, columns, left=left, top=_MARGIN)
    size = (left + columns * (CARD_WIDTH + _MARGIN), max(bottom, photo_size[1] + 2 * _MARGIN))
    return _Layout(size, photo_size, corners)


def _below(picture: Picture, card_heights: Sequence[int], columns: int) -> _Layout:
    cards_width = columns * (CARD_WIDTH + _MARGIN) - _MARGIN
    height, width, _ = picture.pixels.shape
    photo_size = _photo_size(width, height, scale=cards_width / width)
    corners, bottom = _stack(card_heights, columns, left=_MARGIN, top=photo_size[1] + 2 * _MARGIN)
    return _Layout((max(photo_size[0], cards_width) + 2 * _MARGIN, bottom), photo_size, corners)


def _photo_size(width: int, height: int, *, scale: float) -> tuple[int, int]:
    """Return the photo's size at a scale, or at the nearest one at which it is neither tiny nor huge."""
    smallest, largest = (math.sqrt(area / (width * height)) for area in _PHOTO_AREA)
    scale = min(max(scale, smallest), largest, _MAX_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _stack(
    card_heights: Sequence[int], columns: int, *, left: int, top: int
) -> tuple[tuple[tuple[int, int], ...], int]:
    """Put each card into the shortest column; return their corners and the lowest edge."""
    bottoms = [top] * columns
    corners: list[tuple[int, int]] = []
    for height in card_heights:
        column = bottoms.index(min(bottoms))
        corners.append((left + column * (CARD_WIDTH + _MARGIN), bottoms[column]))
        bottoms[column] += height + _MARGIN
    return tuple(corners), max(bottoms)
