"""Thin rulers over a face: what was measured of its active AUs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from string import ascii_letters
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vlfau.drawing.pixels import font
from vlfau.inference.results import AUResult, FaceResult
from vlfau.measures.measuring import Measurement

__all__ = ["Ruled", "carries_letters", "draw_ruled_crop", "draw_rulers", "measured_lines", "moves_down", "ruled"]

INK, RIM = (255, 255, 255), (0, 0, 0)
PLAIN_INK: Final = (255, 225, 77)
"""Of the lines on a small face, which a rim would cover."""
TICK, SMALL_TICK, LETTER_GAP = 5, 2, 4
FINENESS: Final = 4
"""Lines are drawn to a sixteenth of a pixel."""
LETTER_SHARE: Final = 1 / 30
MAX_LETTER: Final = 24
"""Size of the letters: a share of the face's width, and a limit in pixels."""
CROP_LETTER_SHARE: Final = 1 / 20
MIN_FACE: Final = 360
"""Width of a face in the drawing, in pixels, from which rulers have a rim and a letter."""
MEASURED_PER_AU: Final = 2


@dataclass(frozen=True, slots=True)
class Ruled:
    """A measurement that rulers show.

    Attributes:
        letter: What the drawing calls it, from "a".
        au: The active AU of which it tells.
        measurement: The measurement.
    """

    letter: str
    au: AUResult
    measurement: Measurement


def ruled(face: FaceResult, *, au_id: int | None = None) -> Iterator[Ruled]:
    """Yield the measurements that rulers show: the most telling of every active AU, each once.

    Doubtful AUs have none: what cannot be seen cannot be measured.

    Args:
        face: The face.
        au_id: The only AU to show; None shows all.
    """
    letters = iter(ascii_letters)
    seen: set[str] = set()
    for au in face.active_aus:
        if au.doubtful or au_id not in {None, au.au_id}:
            continue
        for each in au.measurements[:MEASURED_PER_AU]:
            if each.name not in seen:
                seen.add(each.name)
                yield Ruled(next(letters), au, each)


def measured_lines(face: FaceResult, au_id: int, *, most: int = MEASURED_PER_AU) -> list[str]:
    """Return what was measured of an AU, with the letters of its rulers; nothing of a doubtful AU.

    Args:
        face: The face.
        au_id: FACS number.
        most: How many measurements to tell at most.
    """
    au = face[au_id]
    letters = {each.measurement.name: f"{each.letter}: " for each in ruled(face, au_id=au_id)}
    telling = () if au.doubtful else au.measurements[:most]
    return [f"{letters.get(each.name, '')}{each.text}" for each in telling]


def carries_letters(face: FaceResult, scale: float) -> bool:
    """Return whether the rulers of a face have letters; a small face has none.

    Args:
        face: The face.
        scale: As for `draw_rulers`.
    """
    return _width(face, scale) >= MIN_FACE


def draw_rulers(pixels: NDArray[np.uint8], face: FaceResult, scale: float) -> None:
    """Draw the rulers of a face into a picture.

    Args:
        pixels: (H, W, 3) uint8 RGB, changed in place.
        face: The face.
        scale: Pixels of the drawing per pixel of the file, along one side.
    """
    if face.measured is not None:
        lines = [
            (each.letter, np.array(line) * scale)
            for each in ruled(face)
            for line in face.measured.rulers(each.measurement.definition)
        ]
        is_large = carries_letters(face, scale)
        _draw(pixels, lines, min(round(_width(face, scale) * LETTER_SHARE), MAX_LETTER) if is_large else None)


def draw_ruled_crop(face: FaceResult, au_id: int, size: int) -> NDArray[np.uint8]:
    """Draw the aligned face with the rulers of one AU.

    Args:
        face: A face with its crop and measurements.
        au_id: FACS number.
        size: S, side of the drawing in pixels.

    Returns:
        (S, S, 3) uint8 RGB.
    """
    pixels = np.asarray(cv2.resize(face.crop, (size, size), interpolation=cv2.INTER_CUBIC), np.uint8)
    if face.measured is not None:
        lines = [
            (each.letter, np.array(line) * (size / len(face.crop)))
            for each in ruled(face, au_id=au_id)
            for line in face.measured.rulers(each.measurement.definition, in_crop=True)
        ]
        _draw(pixels, lines, round(size * CROP_LETTER_SHARE))
    return pixels


def _width(face: FaceResult, scale: float) -> float:
    return (face.face_box_xyxy[2] - face.face_box_xyxy[0]) * scale


def _draw(pixels: NDArray[np.uint8], lines: Sequence[tuple[str, NDArray[np.float64]]], letter_size: int | None) -> None:
    """Draw lines, each (points, 2), with a rim and their letters, or without both if no size is given."""
    for _, line in lines:
        _draw_line(pixels, line, is_large=letter_size is not None)
    if letter_size is not None:
        _write(
            pixels,
            [(line.max(0)[0] + TICK + LETTER_GAP, line.mean(0)[1], letter) for letter, line in lines],
            letter_size,
        )


def _draw_line(pixels: NDArray[np.uint8], points: NDArray[np.float64], *, is_large: bool) -> None:
    lines = [points]
    if len(points) == 2:  # An outline has no ends.
        along = points[1] - points[0]
        tick = TICK if is_large else SMALL_TICK
        across = np.array([-along[1], along[0]]) / max(float(np.linalg.norm(along)), 1e-9) * tick
        lines += [np.stack([end - across, end + across]) for end in points]
    for colour, width in ((RIM, 3), (INK, 1)) if is_large else ((PLAIN_INK, 1),):
        for line in lines:
            fine = np.round(line * (1 << FINENESS)).astype(np.int32)
            cv2.polylines(pixels, [fine], False, colour, width, cv2.LINE_AA, FINENESS)


def _write(pixels: NDArray[np.uint8], labels: list[tuple[float, float, str]], size: int) -> None:
    """Write letters at places (x, y), further down where others stand already."""
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    text_font = font(size)
    labels = sorted(labels, key=lambda label: label[1])
    boxes = [draw.textbbox((x, y), text, font=text_font, anchor="lm", stroke_width=2) for x, y, text in labels]
    for (x, y, text), down in zip(labels, moves_down(boxes), strict=True):
        draw.text((x, y + down), text, fill=INK, font=text_font, anchor="lm", stroke_width=2, stroke_fill=RIM)
    pixels[:] = np.asarray(image)


def moves_down(boxes: Sequence[tuple[float, float, float, float]]) -> list[float]:
    """Return how far down each box must move to lie clear of those before it.

    Args:
        boxes: Left, top, right and bottom of each, from the top down.

    >>> moves_down([(0, 0, 20, 10), (5, 4, 25, 14), (30, 4, 50, 14)])
    [0.0, 6.0, 0.0]
    """
    taken: list[tuple[float, float, float, float]] = []
    moves: list[float] = []
    for left, top, right, bottom in boxes:
        down = 0.0
        for other_left, other_top, other_right, other_bottom in sorted(taken, key=lambda box: box[1]):
            beside = left >= other_right or other_left >= right
            if not beside and top + down < other_bottom and other_top < bottom + down:
                down = float(other_bottom - top)
        taken.append((left, top + down, right, bottom + down))
        moves.append(down)
    return moves
