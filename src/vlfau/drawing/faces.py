"""A picture with its faces numbered, and a card of results for each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vlfau.drawing.panel import BACKGROUND, PANEL_WIDTH, draw_badge, draw_panel, face_colour, font, wrapped
from vlfau.files.atomic import replacing
from vlfau.inference.results import FaceResult
from vlfau.media.images import Picture
from vlfau.media.pixels import as_picture

__all__ = ["draw_faces", "write_picture"]

_MARGIN: Final = 20
_PHOTO_AREA: Final = (400_000, 2_400_000)  # Smallest and largest area of the photo in the drawing, in pixels.
_MAX_SIDE: Final = 3600
_SCREEN_ASPECT: Final = 16 / 10
_DETAILED_FACES: Final = 4
_NOTE_SIZE: Final = 16


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


def draw_faces(image: Picture | NDArray[np.uint8], faces: Sequence[FaceResult], *, note: str = "") -> NDArray[np.uint8]:
    """Draw the faces of a picture and what was found in them.

    The photo is enlarged or shrunk to a size at which it and the cards can be read together. With more than
    four faces the cards show the active AUs only.

    Args:
        image: The picture, or its pixels: (H, W, 3) uint8 RGB.
        faces: Its faces, as `Predictor.predict` returns them.
        note: A line for the foot of the drawing.

    Returns:
        (H', W', 3) uint8 RGB.
    """
    picture = as_picture(image)
    compact = len(faces) > _DETAILED_FACES
    panels = [draw_panel(face, number, compact=compact) for number, face in enumerate(faces, start=1)]
    layout = _best_layout(picture, [panel.height for panel in panels])
    width, height = layout.size
    note_lines = wrapped(note, _NOTE_SIZE, width - 2 * _MARGIN)
    canvas = Image.new("RGB", (width, height + len(note_lines) * (_NOTE_SIZE + 6)), BACKGROUND)
    canvas.paste(_draw_photo(picture, faces, layout.photo_size), (_MARGIN, _MARGIN))
    for panel, corner in zip(panels, layout.corners, strict=True):
        canvas.paste(panel, corner)
    draw = ImageDraw.Draw(canvas)
    for index, line in enumerate(note_lines):
        top = height - _MARGIN // 2 + index * (_NOTE_SIZE + 6)
        draw.text((_MARGIN, top), line, fill="#5b6675", font=font(_NOTE_SIZE))
    return np.asarray(canvas)


def write_picture(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write a drawing as JPEG, whole or not at all.

    Raises:
        InputError: The file cannot be written.
    """
    with replacing(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="JPEG", quality=92, subsampling=0)


def _draw_photo(picture: Picture, faces: Sequence[FaceResult], size: tuple[int, int]) -> Image.Image:
    photo = Image.fromarray(picture.pixels).resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    scale = size[0] / (picture.pixels.shape[1] * picture.reduction)
    for number, face in enumerate(faces, start=1):
        _draw_box(photo, face, number, scale)
    return photo


def _draw_box(photo: Image.Image, face: FaceResult, number: int, scale: float) -> None:
    left, top, right, bottom = (value * scale for value in face.face_box_xyxy)
    side = min(right - left, bottom - top)
    draw = ImageDraw.Draw(photo)
    for inset, colour, line in ((0, "white", 5), (1, face_colour(number), 3)):
        if side > 4 * line:
            box = (left + inset, top + inset, right - inset, bottom - inset)
            draw.rounded_rectangle(box, radius=side * 0.08, outline=colour, width=line)
    radius = round(min(max(side * 0.09, 11), 17))
    x = min(max(left, radius), photo.width - radius)
    y = min(max(top, radius), photo.height - radius)
    draw_badge(photo, (x, y), radius, number)


def _best_layout(picture: Picture, panel_heights: Sequence[int]) -> _Layout:
    """Choose the arrangement that a wide screen shows largest."""
    columns = range(1, max(1, len(panel_heights)) + 1)
    layouts = [arrange(picture, panel_heights, count) for count in columns for arrange in (_beside, _below)]
    return min(layouts, key=lambda layout: layout.shrinkage)


def _beside(picture: Picture, panel_heights: Sequence[int], columns: int) -> _Layout:
    _, bottom = _stack(panel_heights, columns, left=0, top=0)
    height, width, _ = picture.pixels.shape
    photo_size = _photo_size(width, height, scale=(bottom - _MARGIN) / height)
    left = photo_size[0] + 2 * _MARGIN
    corners, bottom = _stack(panel_heights, columns, left=left, top=_MARGIN)
    size = (left + columns * (PANEL_WIDTH + _MARGIN), max(bottom, photo_size[1] + 2 * _MARGIN))
    return _Layout(size, photo_size, corners)


def _below(picture: Picture, panel_heights: Sequence[int], columns: int) -> _Layout:
    cards_width = columns * (PANEL_WIDTH + _MARGIN) - _MARGIN
    height, width, _ = picture.pixels.shape
    photo_size = _photo_size(width, height, scale=cards_width / width)
    corners, bottom = _stack(panel_heights, columns, left=_MARGIN, top=photo_size[1] + 2 * _MARGIN)
    return _Layout((max(photo_size[0], cards_width) + 2 * _MARGIN, bottom), photo_size, corners)


def _photo_size(width: int, height: int, *, scale: float) -> tuple[int, int]:
    """Return the photo's size at a scale, or at the nearest one at which it is neither tiny nor huge."""
    smallest, largest = (math.sqrt(area / (width * height)) for area in _PHOTO_AREA)
    scale = min(max(scale, smallest), largest, _MAX_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _stack(
    panel_heights: Sequence[int], columns: int, *, left: int, top: int
) -> tuple[tuple[tuple[int, int], ...], int]:
    """Put each card into the shortest column; return their corners and the lowest edge."""
    bottoms = [top] * columns
    corners: list[tuple[int, int]] = []
    for height in panel_heights:
        column = bottoms.index(min(bottoms))
        corners.append((left + column * (PANEL_WIDTH + _MARGIN), bottoms[column]))
        bottoms[column] += height + _MARGIN
    return tuple(corners), max(bottoms)
